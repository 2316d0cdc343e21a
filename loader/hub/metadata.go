package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// metadata is what the Hub says of a file before it is downloaded.
type metadata struct {
	commit string
	etag   string // the content's SHA-256 (64 digits) or git blob SHA-1 (40), or a mirror's own
	size   int64  // -1 when the Hub does not say
}

func (c *Client) fileURL(r Reference) *url.URL {
	return c.endpoint.JoinPath(r.Repo, "resolve", url.PathEscape(r.Revision), escape(r.Path))
}

// head asks for a file's metadata. A file that the commit does not have is
// recorded as such; its error wraps fs.ErrNotExist.
func (c *Client) head(ctx context.Context, r Reference, attempts int) (metadata, error) {
	response, err := c.send(ctx, request{
		method: http.MethodHead, url: c.fileURL(r), timeout: c.etagTimeout, attempts: attempts,
	}, r.String())
	if err != nil {
		return metadata{}, err
	}
	response.Body.Close()
	h := response.Header
	commit := h.Get("X-Repo-Commit")
	if response.StatusCode >= 400 {
		if h.Get("X-Error-Code") == "EntryNotFound" && IsCommit(commit) {
			cache := c.repository(r.Repo)
			if err := errors.Join(cache.setMissing(commit, r.Path), cache.setCommit(r.Revision, commit)); err != nil {
				c.warn(fmt.Sprintf("the Hub's cache cannot be written: %v", err))
			}
		}
		return metadata{}, c.explain(r, response)
	}
	m := metadata{commit: commit, etag: normalETag(h.Get("X-Linked-Etag")), size: -1}
	if m.etag == "" {
		m.etag = normalETag(h.Get("ETag"))
	}
	size := h.Get("X-Linked-Size")
	if size == "" && response.StatusCode < 300 {
		size = h.Get("Content-Length")
	}
	if n, err := strconv.ParseInt(size, 10, 63); err == nil {
		m.size = n
	}
	return m, m.check(r)
}

func (m metadata) check(r Reference) error {
	e := &fault.Error{Op: opDownload, Subject: r.String(), Hint: "does HF_ENDPOINT name a Hub, and no proxy stand before it?"}
	switch {
	case !IsCommit(m.commit):
		e.Expected, e.Found = "a reply with the commit in X-Repo-Commit", "none"
	case IsCommit(r.Revision) && m.commit != r.Revision:
		e.Expected, e.Found = "commit "+r.Revision, m.commit
	case !blobName.MatchString(m.etag) || strings.Contains(m.etag, ".."):
		e.Expected, e.Found = "a reply with the content's hash in ETag", "none"
	default:
		return nil
	}
	return e
}

// normalETag is an ETag without W/ and quotes.
func normalETag(etag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(etag), "W/"), `"`)
}
