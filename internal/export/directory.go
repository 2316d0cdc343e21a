package export

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
)

// target is a directory that appears whole: all is written to partial, beside it,
// which is then renamed. A program that is killed leaves partial, which the
// next export to the same directory takes away.
type target struct {
	dir, partial string
	lock         *os.File // held while the directory is written to
	replace      bool
}

// prefix is that of names beside dir while it is written.
func prefix(dir string) string {
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".saedb-")
}

// newTarget makes the directory to write to, unless dir may not be written.
func newTarget(dir string, replace bool) (*target, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return nil, fault.At(op, dir, err)
	}
	if real, err := filepath.EvalSymlinks(whole); err == nil {
		whole = real
	}
	t := &target{dir: whole, replace: replace}
	if err := t.clear(); err != nil {
		return nil, fault.At(op, dir, err)
	}
	if err := mayWrite(whole, replace); err != nil {
		return nil, err
	}
	pattern := prefix(whole)
	if t.partial, err = os.MkdirTemp(filepath.Dir(pattern), filepath.Base(pattern)+"*"); err != nil {
		return nil, fault.At(op, dir, err)
	}
	if err := os.Chmod(t.partial, 0o755); err != nil {
		return nil, fault.At(op, dir, err)
	}
	t.lock, _, err = files.TryLock(lockOf(t.partial), 0o666)
	return t, fault.At(op, dir, err)
}

// lockOf is the file that is locked while a directory is written to: beside it, since
// nothing else may be in what is renamed.
func lockOf(partial string) string { return partial + ".lock" }

// clear takes away what exports left that were killed. One that was killed between
// the two renames of a replacement left the old directory beside.
func (t *target) clear() error {
	left, err := filepath.Glob(globLiteral(prefix(t.dir)) + "*.lock")
	if err != nil {
		return err
	}
	for _, file := range left {
		opened, lock, err := files.TryLock(file, 0o666)
		if err != nil {
			return err
		}
		if lock != files.Locked {
			opened.Close()
			continue // another export is at work, or may be
		}
		partial := strings.TrimSuffix(file, ".lock")
		if _, err := os.Lstat(t.dir); errors.Is(err, fs.ErrNotExist) {
			_ = os.Rename(oldOf(partial), t.dir)
		}
		err = errors.Join(os.RemoveAll(oldOf(partial)), os.RemoveAll(partial), os.Remove(file))
		opened.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// oldOf is where a directory that is replaced is moved to.
func oldOf(partial string) string { return partial + ".old" }

// globLiteral is path as a pattern that matches itself alone.
func globLiteral(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// mayWrite refuses what is there already, but for an empty directory and, to replace,
// one that an export wrote and nobody added to.
func mayWrite(dir string, replace bool) error {
	info, err := os.Lstat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fault.At(op, dir, err)
	}
	exists := &fault.Error{Op: op, Subject: dir, Problem: "it is there already", Hint: "name a new directory with --to"}
	if !info.IsDir() {
		exists.Problem += ", and is no directory"
		return exists
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fault.At(op, dir, err)
	}
	if len(entries) == 0 {
		return nil
	}
	text, err := os.ReadFile(filepath.Join(dir, manifest))
	var w written
	if err != nil || json.Unmarshal(text, &w) != nil || w.SAEDB == "" {
		exists.Problem += ", and not from an export"
		return exists
	}
	for _, entry := range entries {
		if !ours(entry.Name()) {
			exists.Problem += fmt.Sprintf(", and an export did not write %s in it", entry.Name())
			return exists
		}
	}
	if !replace {
		exists.Hint = "it is an export; --replace writes it anew, or name another directory with --to"
		return exists
	}
	return nil
}

// ours tells whether an export writes something of that name into its directory.
func ours(name string) bool {
	if name == manifest || name == results {
		return true
	}
	return slices.ContainsFunc(tables, func(t table) bool { return name == t.name || name == t.name+".csv" })
}

// finish puts the written directory in its place.
func (t *target) finish() error {
	if err := mayWrite(t.dir, t.replace); err != nil { // since it may be there by now
		return err
	}
	old := oldOf(t.partial)
	err := os.Rename(t.dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.At(op, t.dir, err)
	}
	if err := os.Rename(t.partial, t.dir); err != nil {
		_ = os.Rename(old, t.dir)
		return fault.At(op, t.dir, err)
	}
	return fault.At(op, t.dir, os.RemoveAll(old))
}

// abandon takes away what is not in its place.
func (t *target) abandon() {
	// What cannot be taken away now, the next export takes away.
	if os.RemoveAll(t.partial) == nil {
		_ = os.Remove(lockOf(t.partial))
	}
	t.lock.Close()
}

// sizeOf is the size of all files below dir.
func sizeOf(dir string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	})
	return bytes, err
}
