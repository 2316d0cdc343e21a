package udf

import (
	"errors"
	"sync"
	"testing"

	"github.com/saedb/saedb/udf/capi"
)

// TestAhead: rows that are read ahead come whole, each once, to whatever threads ask, and their
// hash is that of row_hash; an error comes to who asks, and who stops asking leaves nothing behind.
func TestAhead(t *testing.T) {
	const rows, width = 5000, 3
	read := func(from int, to []float32) error {
		for i := range to {
			to[i] = float32(from*width + i)
		}
		return nil
	}
	a := newAhead(rows, width, 1, read, func(row int) int64 { return int64(row) })
	var seen sync.Map
	var threads sync.WaitGroup
	for range 3 {
		threads.Go(func() {
			for {
				some, err := a.next()
				if err != nil || some.n == 0 {
					if err != nil {
						t.Error(err)
					}
					return
				}
				for i, w := range some.weights {
					if w != float32(some.from*width+i) {
						t.Errorf("row %d: weight %g", some.from+i/width, w)
						return
					}
				}
				for row := some.from; row < some.from+some.n; row++ {
					if _, twice := seen.LoadOrStore(row, true); twice {
						t.Errorf("row %d came twice", row)
					}
				}
				a.done(some)
			}
		})
	}
	threads.Wait()
	var want int64
	for row := range rows {
		weights := make([]float32, width)
		_ = read(row, weights)
		hash, _ := hashOfRow(int32(row), weights, nil)
		want ^= hash ^ int64(row)
	}
	if n, hash := a.hashed(); n != rows || hash != want {
		t.Errorf("%d rows of hash %d, want %d of %d", n, hash, rows, want)
	}
	a.end()

	broken := errors.New("broken")
	a = newAhead(rows, width, 1, func(from int, to []float32) error {
		if from > 0 {
			return broken
		}
		return nil
	}, nil)
	first, err := a.next()
	if err != nil || first.n != capi.VectorSize() {
		t.Fatalf("the first rows: %d, %v", first.n, err)
	}
	a.done(first)
	if _, err := a.next(); !errors.Is(err, broken) {
		t.Errorf("the second rows: error %v, want %v", err, broken)
	}
	if some, err := a.next(); some.n != 0 || err != nil {
		t.Errorf("after the error: %d rows, %v", some.n, err)
	}
	a.end()

	a = newAhead(rows, width, 1, read, nil)
	if _, err := a.next(); err != nil {
		t.Fatal(err)
	}
	a.end() // it would wait for ever if the goroutine did
}
