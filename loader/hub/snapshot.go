package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Resolve returns the reference at the commit that its revision is now. A commit
// is itself; a branch or tag is what it was last time when the network is
// forbidden, or the Hub is not reached.
func (c *Client) Resolve(ctx context.Context, r Reference) (Reference, error) {
	if err := r.check(r.String()); err != nil {
		return r, err
	}
	pinned := r
	pinned.Revision = c.repository(r.Repo).commit(r.Revision)
	if IsCommit(r.Revision) || c.offline && pinned.Revision != "" {
		return pinned, nil
	}
	if c.offline {
		return r, offlineError(r.String())
	}
	commit, err := c.askCommit(ctx, r, attemptsWith(pinned.Revision))
	switch {
	case err == nil:
		known := pinned.Revision
		pinned.Revision = commit
		if err := c.repository(r.Repo).setCommit(r.Revision, commit); err != nil && known == "" {
			return r, full(r.String(), err)
		}
		return pinned, nil
	case pinned.Revision != "" && errors.Is(err, errUnreachable):
		c.warn(fmt.Sprintf("the Hub was not reached; %s is taken from the cache, commit %s", r.Source(), pinned.Revision))
		return pinned, nil
	}
	return r, err
}

func (c *Client) askCommit(ctx context.Context, r Reference, attempts int) (string, error) {
	at := c.endpoint.JoinPath("api/models", r.Repo, "revision", url.PathEscape(r.Revision))
	raw, _, err := c.get(ctx, r, at, attempts)
	if err != nil {
		return "", err
	}
	var stored struct {
		SHA string `json:"sha"`
	}
	if err := json.Unmarshal(raw, &stored); err != nil || !IsCommit(stored.SHA) {
		return "", &fault.Error{
			Op: opList, Subject: r.String(), Expected: "a reply with the commit", Found: "something else", Err: err,
			Hint: "does HF_ENDPOINT name a Hub, and no proxy stand before it?",
		}
	}
	return stored.SHA, nil
}

// Snapshot downloads the files below r, or the one file that it is, whose paths in
// the repository match takes. It returns the reference at its commit, where it is
// in the cache, and the paths taken, which are never none.
func (c *Client) Snapshot(ctx context.Context, r Reference, match func(path string) bool) (Reference, string, []string, error) {
	r, err := c.Resolve(ctx, r)
	if err != nil {
		return r, "", nil, err
	}
	paths, err := c.below(ctx, r)
	if err != nil {
		return r, "", nil, err
	}
	var taken []string
	for _, path := range paths {
		if match(path) {
			taken = append(taken, path)
		}
	}
	if len(taken) == 0 {
		return r, "", nil, &fault.Error{
			Op: opDownload, Subject: r.String(), Expected: "files that saedb reads", Found: fmt.Sprintf("none among %d", len(paths)), Err: fs.ErrNotExist,
		}
	}
	for _, path := range taken {
		if _, err := c.File(ctx, r.At(path)); err != nil {
			return r, "", nil, err
		}
	}
	return r, c.repository(r.Repo).pointer(r.Revision, r.Path), taken, nil
}

// below lists the paths of all files below r, or r.Path alone when it is a file.
// What is cached stands in when the Hub is not reached.
func (c *Client) below(ctx context.Context, r Reference) ([]string, error) {
	entries, err := c.List(ctx, r, true)
	if err != nil && errors.Is(err, errUnreachable) {
		if cached := c.cachedBelow(r); len(cached) > 0 {
			return cached, nil
		}
		return nil, err
	}
	if errors.Is(err, fs.ErrNotExist) && r.Path != "" {
		// The Hub lists directories only. A file answers for itself.
		if _, err := c.File(ctx, r); err != nil {
			return nil, err
		}
		return []string{r.Path}, nil
	}
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if !e.Directory {
			paths = append(paths, e.Path)
		}
	}
	return paths, nil
}

// cachedBelow lists the cached files below r.
func (c *Client) cachedBelow(r Reference) []string {
	root := c.repository(r.Repo).snapshot(r.Revision)
	start := filepath.Join(root, filepath.FromSlash(r.Path))
	var paths []string
	_ = filepath.WalkDir(start, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".tmp") {
			return nil // what cannot be read is not cached
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		if relative, err := filepath.Rel(root, path); err == nil {
			paths = append(paths, filepath.ToSlash(relative))
		}
		return nil
	})
	return paths
}
