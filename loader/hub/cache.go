package hub

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
)

// repository is the cache's directory of one repository:
//
//	models--org--name/blobs/{etag}                         contents
//	models--org--name/snapshots/{commit}/{path}            relative links to them
//	models--org--name/refs/{revision}                      the commit, 40 hex digits
//	models--org--name/.no_exist/{commit}/{path}            empty: there is no such file
//	.locks/models--org--name/{etag}.lock
type repository struct {
	dir   string
	locks string
}

func (c *Client) repository(repo string) repository {
	name := "models--" + strings.ReplaceAll(repo, "/", "--")
	return repository{filepath.Join(c.cache, name), filepath.Join(c.cache, ".locks", name)}
}

func (r repository) blob(etag string) string { return filepath.Join(r.dir, "blobs", etag) }

func (r repository) snapshot(commit string) string { return filepath.Join(r.dir, "snapshots", commit) }

func (r repository) pointer(commit, path string) string {
	return filepath.Join(r.snapshot(commit), filepath.FromSlash(path))
}

func (r repository) missing(commit, path string) string {
	return filepath.Join(r.dir, ".no_exist", commit, filepath.FromSlash(path))
}

// commit is what the cache knows a revision to be, "" when it does not.
func (r repository) commit(revision string) string {
	if IsCommit(revision) {
		return revision
	}
	text, err := os.ReadFile(filepath.Join(r.dir, "refs", filepath.FromSlash(revision)))
	if commit := strings.TrimSpace(string(text)); err == nil && IsCommit(commit) {
		return commit
	}
	return ""
}

// setCommit records what a revision is now.
func (r repository) setCommit(revision, commit string) error {
	if revision == commit || r.commit(revision) == commit {
		return nil
	}
	return writeWhole(filepath.Join(r.dir, "refs", filepath.FromSlash(revision)), []byte(commit))
}

// setMissing records that a commit has no such file.
func (r repository) setMissing(commit, path string) error {
	return writeWhole(r.missing(commit, path), nil)
}

// cached returns the path of a file of a commit, "" when it is not there whole.
func (r repository) cached(commit, path string) string {
	pointer := r.pointer(commit, path)
	if info, err := os.Stat(pointer); err == nil && info.Mode().IsRegular() {
		return pointer
	}
	return ""
}

// link gives a blob its name in a commit: by a relative link, and on a file system
// without links by moving a new blob there, or by copying one that others use.
func (r repository) link(etag, commit, path string, isNew bool) error {
	pointer, blob := r.pointer(commit, path), r.blob(etag)
	if err := os.MkdirAll(filepath.Dir(pointer), 0o777); err != nil {
		return err
	}
	if r.cached(commit, path) != "" {
		return nil
	}
	target, err := filepath.Rel(filepath.Dir(pointer), blob)
	if err != nil {
		return err
	}
	if linked, err := linkAt(target, pointer); linked {
		return err
	}
	if isNew {
		return os.Rename(blob, pointer)
	}
	return copyWhole(blob, pointer)
}

// linkAt makes path a link to target, in place of what is there. It reports false on a file
// system without links.
func linkAt(target, path string) (linked bool, err error) {
	temporary := files.Beside(path)
	if symlink(target, temporary) != nil {
		return false, nil
	}
	if err = os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
	}
	return true, err
}

// symlink is os.Symlink; tests replace it by one that fails.
var symlink = os.Symlink

// writeWhole writes a small file, in directories that it makes.
func writeWhole(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return files.WriteWhole(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// copyWhole copies a file.
func copyWhole(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	return files.WriteWhole(to, func(w io.Writer) error {
		_, err := io.Copy(w, source)
		return err
	})
}

// lock takes the lock of a blob, which huggingface_hub takes too, and waits for
// it. It saves downloading twice; that a blob is whole does not depend on it, so a
// file system without locks is no error.
func (r repository) lock(ctx context.Context, etag string) (unlock func(), err error) {
	if err := os.MkdirAll(r.locks, 0o777); err != nil {
		return nil, err
	}
	return lockFile(ctx, filepath.Join(r.locks, etag+".lock"))
}

// full says of a write's error what a person can do.
func full(subject string, err error) error {
	var e *fault.Error
	switch {
	case errors.As(err, &e):
		return err
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return &fault.Error{
			Op: opDownload, Subject: subject, Problem: "the disk of the Hub's cache is full", Err: err,
			Hint: "make room, or set HF_HOME to a larger disk; what has come is kept and the download continues from there",
		}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return &fault.Error{
			Op: opDownload, Subject: subject, Problem: "the Hub's cache cannot be written", Err: err, Hint: "set HF_HOME to a directory of yours",
		}
	}
	return fault.At(opDownload, subject, err)
}
