// Package hubtest is a Hub for tests: it answers as the real one does, for
// repositories that a test gives it, and goes wrong in the ways that a test asks.
package hubtest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Repo is a repository of models.
type Repo struct {
	Commit string            // of the branch main; made up when empty
	Files  map[string][]byte // by path
	Gated  bool              // answers GatedRepo, unless the request has the server's token
	Hidden bool              // answers RepoNotFound, unless the request has the server's token
	Listed []string          // paths that a listing has beside Files
}

// Request is one that came.
type Request struct {
	CDN                                   bool // to the other host
	Method, Path, Query                   string
	Authorization, Range, IfRange, Accept string
}

// Server is a Hub and the other host that it redirects large files to.
type Server struct {
	URL, CDN string // of the Hub and of the other host
	Repos    map[string]*Repo
	Token    string // accepted access token
	PageSize int    // entries a page of a listing; 0 is all
	WeakETag bool   // the Hub's ETags of plain files are W/"…"
	// Break, when set, sees every request first. It may answer it, and returns
	// whether it did.
	Break func(w http.ResponseWriter, r *http.Request, cdn bool) bool

	mu   sync.Mutex
	came []Request
}

// New starts a Server without repositories. It ends with the test.
func New(t testing.TB) *Server {
	s := &Server{Repos: map[string]*Repo{}, Token: "hf_right"}
	start := func(cdn bool, serve http.HandlerFunc) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.note(r, cdn)
			if s.Break == nil || !s.Break(w, r, cdn) {
				serve(w, r)
			}
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	s.URL, s.CDN = start(false, s.serveHub), start(true, s.serveCDN)
	return s
}

// Add adds a repository with these files and returns its commit.
func (s *Server) Add(repo string, files map[string][]byte) string {
	added := &Repo{Files: files}
	added.Commit = madeUpCommit(repo, files)
	s.Repos[repo] = added
	return added.Commit
}

// AddDirectory adds a repository with the files below a directory.
func (s *Server) AddDirectory(t testing.TB, repo, dir string) string {
	t.Helper()
	return s.Add(repo, Directory(t, dir))
}

// Directory reads the files below a directory.
func Directory(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(file string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func madeUpCommit(repo string, files map[string][]byte) string {
	sum := sha1.New()
	fmt.Fprintln(sum, repo)
	for _, name := range sorted(files) {
		fmt.Fprintln(sum, name, len(files[name]))
		sum.Write(files[name])
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func sorted(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Came returns the requests since the last call.
func (s *Server) Came() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	came := s.came
	s.came = nil
	return came
}

func (s *Server) note(r *http.Request, cdn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came = append(s.came, Request{
		CDN: cdn, Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Authorization: r.Header.Get("Authorization"),
		Range: r.Header.Get("Range"), IfRange: r.Header.Get("If-Range"), Accept: r.Header.Get("Accept-Encoding"),
	})
}

// IsLFS tells which files the Hub keeps at the other host.
func IsLFS(name string) bool {
	return slices.Contains([]string{".safetensors", ".npz", ".pt", ".gguf", ".bin"}, path.Ext(name))
}

// ETag is the hash that the Hub gives of a file.
func ETag(name string, content []byte) string {
	if IsLFS(name) {
		sum := sha256.Sum256(content)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.New()
	fmt.Fprintf(sum, "blob %d\x00", len(content))
	sum.Write(content)
	return hex.EncodeToString(sum.Sum(nil))
}

func (s *Server) serveHub(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	switch {
	case len(parts) >= 6 && parts[0] == "api" && parts[1] == "models" && parts[4] == "tree":
		s.serveTree(w, r, parts[2]+"/"+parts[3], unescape(parts[5]), unescape(strings.Join(parts[6:], "/")))
	case len(parts) >= 6 && parts[0] == "api" && parts[1] == "models" && parts[4] == "revision":
		if repo := s.find(w, r, parts[2]+"/"+parts[3], unescape(parts[5])); repo != nil {
			writeJSON(w, map[string]any{"sha": repo.Commit, "id": parts[2] + "/" + parts[3]})
		}
	case len(parts) >= 5 && parts[2] == "resolve":
		s.serveFile(w, r, parts[0]+"/"+parts[1], unescape(parts[3]), unescape(strings.Join(parts[4:], "/")))
	default:
		http.NotFound(w, r)
	}
}

func unescape(part string) string {
	plain, err := url.PathUnescape(part)
	if err != nil {
		return part
	}
	return plain
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

// Refuse answers as the Hub refuses.
func Refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Error-Code", code)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(status)
}

// find returns the repository at a revision, or answers that there is none.
func (s *Server) find(w http.ResponseWriter, r *http.Request, name, revision string) *Repo {
	repo := s.Repos[name]
	allowed := r.Header.Get("Authorization") == "Bearer "+s.Token
	switch {
	case r.Header.Get("Authorization") != "" && !allowed:
		Refuse(w, http.StatusUnauthorized, "", "Invalid credentials in Authorization header")
	case repo == nil, repo.Hidden && !allowed:
		Refuse(w, http.StatusUnauthorized, "RepoNotFound", "Repository not found")
	case repo.Gated && !allowed:
		Refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to model "+name+" is restricted.")
	case revision != "main" && revision != repo.Commit && revision != "refs/pr/1":
		Refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
	default:
		return repo
	}
	return nil
}

func (s *Server) serveFile(w http.ResponseWriter, r *http.Request, name, revision, file string) {
	repo := s.find(w, r, name, revision)
	if repo == nil {
		return
	}
	w.Header().Set("X-Repo-Commit", repo.Commit)
	content, found := repo.Files[file]
	if !found {
		Refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	etag := `"` + ETag(file, content) + `"`
	if IsLFS(file) {
		w.Header().Set("X-Linked-Etag", etag)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
		w.Header().Set("Location", s.CDN+"/"+name+"/"+repo.Commit+"/"+file+"?signature=secret")
		w.WriteHeader(http.StatusFound)
		return
	}
	if s.WeakETag {
		etag = "W/" + etag
	}
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// serveCDN serves large files, with an ETag of its own as such hosts have.
func (s *Server) serveCDN(w http.ResponseWriter, r *http.Request) {
	parts := strings.SplitN(strings.TrimPrefix(r.URL.Path, "/"), "/", 4)
	if len(parts) < 4 || s.Repos[parts[0]+"/"+parts[1]] == nil {
		http.NotFound(w, r)
		return
	}
	content := s.Repos[parts[0]+"/"+parts[1]].Files[parts[3]]
	w.Header().Set("ETag", `"cdn-`+ETag(parts[3], content)[:8]+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

type treeEntry struct {
	Type string         `json:"type"`
	OID  string         `json:"oid"`
	Size int            `json:"size"`
	Path string         `json:"path"`
	LFS  map[string]any `json:"lfs,omitempty"`
}

func (s *Server) serveTree(w http.ResponseWriter, r *http.Request, name, revision, dir string) {
	repo := s.find(w, r, name, revision)
	if repo == nil {
		return
	}
	entries := repo.tree(dir, r.URL.Query().Get("recursive") != "")
	if len(entries) == 0 && dir != "" {
		Refuse(w, http.StatusNotFound, "EntryNotFound", dir+" does not exist on the revision")
		return
	}
	from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
	to := len(entries)
	if s.PageSize > 0 && from+s.PageSize < to {
		to = from + s.PageSize
		next := *r.URL
		query := next.Query()
		query.Set("cursor", strconv.Itoa(to))
		next.RawQuery = query.Encode()
		w.Header().Set("Link", fmt.Sprintf(`<%s%s>; rel="next"`, s.URL, next.String()))
	}
	writeJSON(w, entries[from:to])
}

// tree lists a directory.
func (repo *Repo) tree(dir string, recursive bool) []treeEntry {
	var entries []treeEntry
	seen := map[string]bool{}
	for _, name := range append(sorted(repo.Files), repo.Listed...) {
		content := repo.Files[name]
		rest := name
		if dir != "" {
			after, below := strings.CutPrefix(name, dir+"/")
			if !below && !slices.Contains(repo.Listed, name) {
				continue
			}
			rest = after
		}
		if first, _, nested := strings.Cut(rest, "/"); nested && !recursive {
			if at := path.Join(dir, first); !seen[at] {
				seen[at] = true
				entries = append(entries, treeEntry{Type: "directory", Path: at})
			}
			continue
		}
		e := treeEntry{Type: "file", Path: name, Size: len(content), OID: ETag("", content)}
		if IsLFS(name) {
			e.LFS = map[string]any{"oid": ETag(name, content), "size": len(content), "pointerSize": 134}
		}
		entries = append(entries, e)
	}
	return entries
}

// Cut makes w break the connection after n bytes of a body.
func Cut(w http.ResponseWriter, n int) http.ResponseWriter { return &cutter{w, n} }

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	if len(p) < c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	if flusher, ok := c.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
	panic(http.ErrAbortHandler)
}

// Serve answers a request as the server does when nothing breaks it.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, cdn bool) {
	if cdn {
		s.serveCDN(w, r)
	} else {
		s.serveHub(w, r)
	}
}
