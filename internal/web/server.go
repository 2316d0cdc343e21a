package web

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/box"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/nearest"
	"github.com/saedb/saedb/internal/notes"
	"github.com/saedb/saedb/internal/plaintext"
	"github.com/saedb/saedb/internal/sandbox"
)

//go:embed assets
var assets embed.FS

// A download that is on its way to a reader takes room on disk. A reader is left that takes
// too long for a piece, or for all of one.
const (
	mostDownloads = 4
	downloadTime  = 10 * time.Minute
	writeTime     = 15 * time.Second
)

// idleConnections are kept for the next requests: a page asks for several things at once.
const idleConnections = 8

// A Server answers the explorer's requests.
type Server struct {
	db             *saedb.DB
	database       string        // its name on the page
	box            *box.Box      // runs what the page's users write
	notes          *notes.Store  // nil for none
	downloads      chan struct{} // one for each that is on its way
	files          map[string]file
	catalogue      *catalogue
	kept           kept
	strongest      atomic.Pointer[map[string][]string] // token sets, by SAE; nil until they are known
	counts         sync.Map                            // of features, by filter
	remembered     atomic.Int64
	ofSets         sync.Map // features that a set's page has, by the set's id
	rememberedSets atomic.Int64
	warming        sync.WaitGroup
	cool           context.CancelFunc // ends warming
}

// A file is a static part of the page.
type file struct {
	kind    string
	content []byte
}

// New confines db, which must be the database of the file path, open read-only, and returns
// a server of it, with the notes of store, which may be nil. A query of a user's may take so long.
// Close the server when it has stopped.
func New(ctx context.Context, db *saedb.DB, path string, store *notes.Store, queryTime time.Duration) (*Server, error) {
	s := &Server{db: db, database: filepath.Base(path), notes: store, downloads: make(chan struct{}, mostDownloads)}
	db.SetMaxIdleConns(idleConnections)
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.readCatalogue(ctx); err != nil {
		return nil, fault.At("serve", s.database, err)
	}
	if err := box.Confine(ctx, db, ""); err != nil {
		return nil, fault.At("serve", "", err)
	}
	if err := s.openBox(ctx, path, queryTime); err != nil {
		return nil, fault.At("serve", "", err)
	}
	s.warm(ctx)
	return s, nil
}

func (s *Server) openBox(ctx context.Context, path string, queryTime time.Duration) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	o := box.Options{Path: path, Time: queryTime}
	if s.notes != nil {
		o.Tables = s.notes.Tables
	}
	if err := s.db.QueryRowContext(ctx, `SELECT coalesce(sum(4 * CAST(d_model AS BIGINT) * d_vocab), 0) FROM models`).Scan(&o.Unembeddings); err != nil {
		return err
	}
	s.box, err = box.Open(ctx, o)
	return err
}

// Close waits for what runs and removes what was exported.
func (s *Server) Close() error {
	s.cool()
	s.warming.Wait()
	return s.box.Close()
}

// Holds says what of the process that runs queries this system confines.
func (s *Server) Holds() sandbox.Holds { return s.box.Holds() }

// load reads the static files.
func (s *Server) load() error {
	s.files = map[string]file{}
	kinds := map[string]string{".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
	entries, err := fs.ReadDir(assets, "assets")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		content, err := fs.ReadFile(assets, "assets/"+entry.Name())
		if err != nil {
			return err
		}
		s.files["/"+entry.Name()] = file{kinds[path.Ext(entry.Name())], content}
	}
	s.files["/"] = s.files["/index.html"]
	licences := figures.Licences
	if script, err := assets.ReadFile("assets/umap/umap-js.min.js"); err == nil { // make build fetches it
		s.files[layoutLibrary] = file{"text/javascript", script}
		licences = withLayoutLicences
	}
	for name, part := range map[string]struct {
		kind string
		read func() ([]byte, error)
	}{
		"/figure.js":    {"text/javascript", figures.Script},
		"/figure.css":   {"text/css", figures.Style},
		"/licences.txt": {"text/plain", licences},
	} {
		content, err := part.read()
		if err != nil {
			return err
		}
		s.files[name] = file{part.kind, content}
	}
	return nil
}

// Handler answers requests.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/{part}", s.servePart)
	mux.HandleFunc("GET /api/sql.csv", s.download(s.box.CSV, "result.csv", "text/csv; charset=utf-8"))
	mux.HandleFunc("GET /api/sql.parquet", s.download(s.box.Parquet, "result.parquet", "application/vnd.apache.parquet"))
	mux.HandleFunc("GET /api/notes.csv", s.notesCSV)
	mux.HandleFunc("POST "+writeNotes, s.write(s.putNotes))
	mux.HandleFunc("POST "+writeNote, s.write(s.putNote))
	mux.HandleFunc("POST "+writeQuery, s.write(s.putQuery))
	mux.HandleFunc("GET /", s.static)
	return guard(mux)
}

// guard refuses what no page of ours asks for, and tells the browser what our
// pages may do.
// Who does not read what was asked for is left.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w = newPatient(w, writeTime)
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		switch {
		case !loopback(r.Host):
			http.Error(w, "this host name is not one of this machine", http.StatusMisdirectedRequest)
		case foreign(r):
			http.Error(w, "the request comes from another site", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !(r.Method == http.MethodPost && mayWrite(r)):
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// loopback tells whether a Host header names this machine: a name that others
// control may resolve to 127.0.0.1 as well.
func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if name == "localhost" {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// foreign tells whether another site's page sent the request. Browsers say so in
// Sec-Fetch-Site, and in Origin. Following a link to the page itself is allowed.
func foreign(r *http.Request) bool {
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+r.Host {
		return true
	}
	site := r.Header.Get("Sec-Fetch-Site")
	if site == "" || site == "same-origin" || site == "none" {
		return false
	}
	return !(r.URL.Path == "/" && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document")
}

func (s *Server) static(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		http.Error(w, "no such page", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", f.kind+"; charset=utf-8")
	w.Write(f.content)
}

// write answers a request that writes.
func (s *Server) write(put func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content, err := encoded(put(r))
		send(w, r, content, err)
	}
}

// send sends JSON, or an error as one line.
func send(w http.ResponseWriter, r *http.Request, content json.RawMessage, err error) {
	if err != nil {
		fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(content)
}

// fail sends an error, with its place where it is one of a query. What a person can act on is
// 400; the page shows the text.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	var missing *notFound
	switch {
	case errors.As(err, &missing):
		status = http.StatusNotFound
	case errors.Is(err, box.ErrTime):
		status = http.StatusRequestTimeout
	case errors.Is(err, box.ErrBusy), errors.Is(err, errDownloads):
		status = http.StatusServiceUnavailable
	case r.Context().Err() != nil:
		return // nobody is waiting
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	var ofQuery *box.Error
	if !errors.As(err, &ofQuery) {
		ofQuery = &box.Error{Message: err.Error()}
	}
	content, _ := json.Marshal(ofQuery)
	w.Write(content)
}

// notFound is a name that the database does not have.
type notFound struct{ what string }

func (e *notFound) Error() string { return "no " + e.what }

// missing is the error of a name that is not among those there are.
func missing(kind, name string, there []string) error {
	choices := "there is none"
	switch {
	case len(there) == 1:
		choices = "there is " + there[0]
	case len(there) > 1:
		choices = "there are " + plaintext.Shortened(there)
	}
	if question := nearest.Question(name, there); question != "" {
		choices = question + " " + strings.ToUpper(choices[:1]) + choices[1:]
	}
	return &notFound{fmt.Sprintf("%s %s; %s", kind, name, choices)}
}
