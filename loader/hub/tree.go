package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

const (
	opList       = "list Hub repository"
	maxPageBytes = 64 << 20
	maxEntries   = 1_000_000
	maxPages     = 10_000 // the Hub's have up to 1,000 entries
)

// Entry is a file or directory of a repository.
type Entry struct {
	Path      string // below the repository's root
	Directory bool
	Size      int64
	SHA256    string // of a file kept in LFS or Xet; empty for others
}

// List lists a directory of a repository, "" for its root, with everything below
// it when recursive. Every path in it is local: it leads out of no directory that
// it is joined to.
func (c *Client) List(ctx context.Context, r Reference, recursive bool) ([]Entry, error) {
	if err := r.check(r.String()); err != nil {
		return nil, err
	}
	if c.offline {
		return nil, offlineError(r.String())
	}
	at := c.endpoint.JoinPath("api/models", r.Repo, "tree", url.PathEscape(r.Revision), escape(r.Path))
	if recursive {
		at.RawQuery = "recursive=true"
	}
	var all []Entry
	visited, listed := map[string]bool{}, map[string]bool{}
	for at != nil {
		if visited[at.String()] || len(visited) >= maxPages {
			return nil, &fault.Error{
				Op: opList, Subject: r.String(), Problem: fmt.Sprintf("the list has no end: after %d pages the next one is an earlier one, or still not the last", len(visited)),
				Hint: "try again later, or name a directory below",
			}
		}
		visited[at.String()] = true
		page, next, err := c.listPage(ctx, r, at)
		if err != nil {
			return nil, err
		}
		for _, entry := range page {
			if listed[entry.Path] {
				return nil, &fault.Error{
					Op: opList, Subject: r.String(), Problem: fmt.Sprintf("%q is listed twice, so the list may have no end", oneLine(entry.Path)),
					Hint: "try again later, or name a directory below",
				}
			}
			listed[entry.Path] = true
		}
		if all = append(all, page...); len(all) > maxEntries {
			return nil, &fault.Error{
				Op: opList, Subject: r.String(), Expected: fmt.Sprintf("at most %d files", maxEntries), Found: "more",
				Hint: "name a directory below",
			}
		}
		at = next
	}
	return all, nil
}

// listPage reads one page of a listing and the address of the next one.
func (c *Client) listPage(ctx context.Context, r Reference, at *url.URL) ([]Entry, *url.URL, error) {
	raw, header, err := c.get(ctx, r, at, 0)
	if err != nil {
		return nil, nil, err
	}
	entries, err := parseTree(raw, r.Path)
	if err != nil {
		return nil, nil, fault.At(opList, r.String(), err)
	}
	next, err := nextPage(header["Link"], at)
	if err != nil {
		return nil, nil, fault.At(opList, r.String(), err)
	}
	if next != nil && (!sameOrigin(next, c.endpoint) || len(entries) == 0) {
		return nil, nil, &fault.Error{Op: opList, Subject: r.String(), Problem: "the next page of the list is at another host, or the page before it is empty"}
	}
	return entries, next, nil
}

// get reads a short reply of the Hub's own host.
func (c *Client) get(ctx context.Context, r Reference, at *url.URL, attempts int) ([]byte, http.Header, error) {
	response, err := c.send(ctx, request{method: http.MethodGet, url: at, timeout: c.etagTimeout, attempts: attempts}, r.String())
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, nil, c.explain(r, response)
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxPageBytes+1))
	if err != nil {
		return nil, nil, &fault.Error{Op: opList, Subject: r.String(), Err: unreachable(err)}
	}
	if len(raw) > maxPageBytes {
		return nil, nil, &fault.Error{Op: opList, Subject: r.String(), Expected: fmt.Sprintf("a reply of at most %d bytes", maxPageBytes), Found: "more"}
	}
	return raw, response.Header, nil
}

// parseTree reads a page of /api/models/{repo}/tree: files and directories below
// the directory under.
func parseTree(raw []byte, under string) ([]Entry, error) {
	var stored []struct {
		Type string `json:"type"`
		Path string `json:"path"`
		Size int64  `json:"size"`
		LFS  *struct {
			OID  string `json:"oid"`
			Size int64  `json:"size"`
		} `json:"lfs"`
	}
	if err := json.Unmarshal(raw, &stored); err != nil {
		return nil, &fault.Error{Expected: "a list of files", Found: "something else", Err: err}
	}
	entries := make([]Entry, 0, len(stored))
	for _, s := range stored {
		e := Entry{Path: s.Path, Directory: s.Type == "directory", Size: s.Size}
		if s.LFS != nil && sha256Hash.MatchString(s.LFS.OID) {
			e.SHA256, e.Size = s.LFS.OID, s.LFS.Size
		}
		if !isLocal(e.Path) || under != "" && !strings.HasPrefix(e.Path, under+"/") {
			return nil, &fault.Error{Expected: "names of files below the repository's directory", Found: fmt.Sprintf("%q", oneLine(e.Path))}
		}
		if s.Type != "file" && s.Type != "directory" {
			continue // a submodule
		}
		if e.Size < 0 {
			return nil, &fault.Error{Problem: "file " + e.Path, Expected: "a size", Found: fmt.Sprint(e.Size)}
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// nextPage finds the address with rel="next" in Link headers (RFC 8288), relative
// to at; nil when there is none.
func nextPage(links []string, at *url.URL) (*url.URL, error) {
	for _, header := range links {
		for rest := header; ; {
			_, after, found := strings.Cut(rest, "<")
			if !found {
				break
			}
			target, parameters, closed := strings.Cut(after, ">")
			if !closed {
				break
			}
			// The parameters of this link end where the next one begins.
			rest = ""
			if i := strings.IndexByte(parameters, '<'); i >= 0 {
				parameters, rest = parameters[:i], parameters[i:]
			}
			if !isNext(parameters) {
				continue
			}
			next, err := at.Parse(target)
			if err != nil {
				return nil, &fault.Error{Problem: "the address of the list's next page is not valid"}
			}
			return next, nil
		}
	}
	return nil, nil
}

func isNext(parameters string) bool {
	for _, p := range strings.FieldsFunc(parameters, func(r rune) bool { return r == ';' || r == ',' }) {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			for _, relation := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
				if strings.EqualFold(relation, "next") {
					return true
				}
			}
		}
	}
	return false
}

// escape is a path with each of its names escaped for a URL.
func escape(name string) string {
	parts := strings.Split(name, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return path.Join(parts...)
}
