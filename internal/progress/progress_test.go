package progress

import (
	"io"
	"os"
	"sync"
	"testing"
)

func TestSilentWhenPiped(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	bar := New(write, "logit weights", 1000, "features")
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 125 {
				bar.Add(1)
			}
		})
	}
	workers.Wait()
	bar.Finish()
	bar.Finish()
	write.Close()
	printed, err := io.ReadAll(read)
	if err != nil || len(printed) != 0 {
		t.Errorf("printed %q, %v", printed, err)
	}
	if done := bar.done.Load(); done != 1000 {
		t.Errorf("counted %d of 1000", done)
	}
}

func TestNoFile(t *testing.T) {
	bar := New(nil, "logit weights", 0, "features")
	bar.Add(1)
	bar.Finish()
}
