package whole

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What fails leaves what was there, and nothing beside it.
func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	long := strings.Repeat("long ", 100_000)
	failed := errors.New("no more")
	steps := []struct {
		text string
		err  error
		want string
	}{{"first", nil, "first"}, {long, failed, "first"}, {long, nil, long}}
	for _, step := range steps {
		err := Write(path, func(w io.Writer) error {
			if _, err := io.WriteString(w, step.text); err != nil {
				return err
			}
			return step.err
		})
		content, unreadable := os.ReadFile(path)
		if !errors.Is(err, step.err) || unreadable != nil || string(content) != step.want {
			t.Errorf("%v, %v: %d bytes, want %d", err, unreadable, len(content), len(step.want))
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside it: %v, %v", entries, err)
	}
	if err := Write(filepath.Join(path, "below"), func(io.Writer) error { return nil }); err == nil {
		t.Error("below a file: no error")
	}
}
