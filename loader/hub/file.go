package hub

import (
	"context"
	"crypto/sha1" //nolint:gosec // git's hash of a blob
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
)

// File returns the path in the cache of the file that r names, after downloading
// it if need be. At a commit, what is cached is returned without asking the Hub;
// at a branch or tag, so is what it was last time when the Hub is not reached.
// A file that is not in the repository gives an error that wraps fs.ErrNotExist.
func (c *Client) File(ctx context.Context, r Reference) (string, error) {
	if err := r.check(r.String()); err != nil {
		return "", err
	}
	if r.Path == "" {
		return "", badReference(r.String(), "a file")
	}
	cache := c.repository(r.Repo)
	known := cache.commit(r.Revision)
	local := ""
	if known != "" {
		local = cache.cached(known, r.Path)
	}
	switch {
	case local != "" && (c.offline || IsCommit(r.Revision)):
		return local, nil
	case c.offline:
		return "", offlineError(r.String())
	case IsCommit(r.Revision) && isThere(cache.missing(known, r.Path)):
		return "", &fault.Error{Op: opDownload, Subject: r.String(), Problem: "the repository has no such file or directory", Err: fs.ErrNotExist}
	}
	m, err := c.head(ctx, r, attemptsWith(local))
	if err != nil {
		if local != "" && errors.Is(err, errUnreachable) {
			c.warn(fmt.Sprintf("the Hub was not reached; %s is from the cache, commit %s", r.Source(), known))
			return local, nil
		}
		return "", err
	}
	return c.fetch(ctx, r, m)
}

// attemptsWith bounds how often the Hub is asked what a revision is now: people do
// not wait long for that when the cache has an answer.
func attemptsWith(cached string) int {
	if cached != "" {
		return 2
	}
	return 0
}

func isThere(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// fetch brings a file of known metadata into the cache.
func (c *Client) fetch(ctx context.Context, r Reference, m metadata) (string, error) {
	cache, pinned := c.repository(r.Repo), r
	pinned.Revision = m.commit
	if local := cache.cached(m.commit, r.Path); local != "" {
		if err := cache.setCommit(r.Revision, m.commit); err != nil {
			c.warn(fmt.Sprintf("the Hub's cache cannot be written: %v", err)) // it may be read-only
		}
		return local, nil
	}
	if err := cache.setCommit(r.Revision, m.commit); err != nil {
		return "", full(r.String(), err)
	}
	unlock, err := cache.lock(ctx, m.etag)
	if err != nil {
		return "", full(r.String(), err)
	}
	defer unlock()
	isNew := !isThere(cache.blob(m.etag))
	if isNew {
		if err := c.download(ctx, pinned, m, cache.blob(m.etag)); err != nil {
			return "", err
		}
	}
	if err := cache.link(m.etag, m.commit, r.Path, isNew); err != nil {
		return "", full(r.String(), err)
	}
	return cache.pointer(m.commit, r.Path), nil
}

// download makes the blob, from what an earlier run left of it. A part of an
// earlier run that turns out to be damaged is thrown away and all is downloaded.
func (c *Client) download(ctx context.Context, r Reference, m metadata, blob string) error {
	if err := os.MkdirAll(filepath.Dir(blob), 0o777); err != nil {
		return full(r.String(), err)
	}
	t := &transfer{at: r, size: m.size, total: m.size, part: blob + ".incomplete", hashed: newHash(m.etag, 0) != nil}
	resumed := t.have() > 0
	for {
		if err := c.receive(ctx, t); err != nil {
			return err
		}
		err := verify(t.part, m)
		if err == nil {
			break
		}
		t.discard()
		if !resumed {
			return fault.At(opDownload, r.String(), err)
		}
		resumed = false
	}
	if err := os.Rename(t.part, blob); err != nil {
		return full(r.String(), err)
	}
	os.Remove(t.validator())
	return nil
}

// verify holds a file against the size and the hash that the Hub gave. The ETags
// of some mirrors are no hashes; then the size must do.
func verify(path string, m metadata) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if m.size >= 0 && info.Size() != m.size {
		return &fault.Error{Expected: fmt.Sprintf("%d bytes", m.size), Found: fmt.Sprint(info.Size())}
	}
	sum := newHash(m.etag, info.Size())
	if sum == nil {
		return nil
	}
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != m.etag {
		return &fault.Error{
			Problem: "the content's hash", Expected: m.etag, Found: found,
			Hint: "the file was damaged on the way and thrown away; try again",
		}
	}
	return nil
}

// newHash is the hash that an ETag of the Hub is of a file of size bytes: SHA-256
// of files in LFS or Xet, git's SHA-1 of others; nil for anything else.
func newHash(etag string, size int64) hash.Hash {
	switch {
	case sha256Hash.MatchString(etag):
		return sha256.New()
	case commitHash.MatchString(etag):
		sum := sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", size)
		return sum
	}
	return nil
}
