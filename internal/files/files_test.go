package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What fails leaves what was there, and nothing beside it.
func TestWriteWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.txt")
	long := strings.Repeat("long ", 100_000)
	failed := errors.New("no more")
	steps := []struct {
		text string
		err  error
		want string
	}{{"first", nil, "first"}, {long, failed, "first"}, {long, nil, long}}
	for _, step := range steps {
		err := WriteWhole(path, func(w io.Writer) error {
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
	if err := WriteWhole(filepath.Join(path, "below"), func(io.Writer) error { return nil }); err == nil {
		t.Error("below a file: no error")
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                        "expected a file, found a directory",
		filepath.Join(dir, "none"): "no such file",
		os.DevNull:                 "found something else",
	} {
		_, _, err := Open(path)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// As many bytes as are allowed are read, of a file and of what has no size.
func TestReadBounds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, []byte("12345"), 0o644); err != nil {
		t.Fatal(err)
	}
	for most, want := range map[int64]string{5: "", 4: "is too large: expected at most 4 bytes, found more"} {
		_, whole := Read(path, most)
		_, piped := ReadAll(strings.NewReader("12345"), most)
		for _, err := range []error{whole, piped} {
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("at most %d: %v", most, err)
			}
		}
	}
}

func TestTemporaryDirectory(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	if dir, err := TemporaryDirectory(); err != nil || dir != os.TempDir() {
		t.Errorf("got %q, %v", dir, err)
	}
	absent := filepath.Join(t.TempDir(), "absent")
	t.Setenv("TMPDIR", absent)
	if _, err := TemporaryDirectory(); err == nil || !strings.Contains(err.Error(), absent) || !strings.Contains(err.Error(), "set TMPDIR") {
		t.Errorf("got %v", err)
	}
}

// TestTryLock: of two open files of one path one has the lock, and the other gets it when that
// is closed.
func TestTryLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, lock, err := TryLock(path, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if lock == NoLocks {
		first.Close()
		t.Skip("this system has no locks")
	}
	second, held, err := TryLock(path, 0o600)
	if err != nil || lock != Locked || held != HeldElsewhere {
		t.Errorf("the first gave %v, the second %v, %v", lock, held, err)
	}
	second.Close()
	first.Close()
	third, lock, err := TryLock(path, 0o600)
	if err != nil || lock != Locked {
		t.Errorf("after that is closed: %v, %v", lock, err)
	}
	third.Close()
	if _, _, err := TryLock(filepath.Join(path, "below"), 0o600); err == nil {
		t.Error("a lock of what cannot be made gave no error")
	}
}
