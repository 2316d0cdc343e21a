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
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
)

//go:embed assets
var assets embed.FS

// Limits of a user's query.
const (
	queryTime   = 20 * time.Second
	queryMemory = "1GB"
	queryRows   = 1000     // on the page; downloads have all
	answerBytes = 16 << 20 // of one answer
	waitTime    = 5 * time.Second
)

// idleConnections are kept for the next requests: a page asks for several things at once.
const idleConnections = 8

// A Server answers the explorer's requests.
type Server struct {
	db         *saedb.DB
	database   string // its name on the page
	exports    string // the one directory that DuckDB may write to
	running    chan struct{}
	files      map[string]file
	catalogue  *catalogue
	drawn      drawn
	strongest  atomic.Pointer[map[string][]string] // token sets, by SAE; nil until they are known
	counts     sync.Map                            // of features, by filter
	remembered atomic.Int64
	warming    sync.WaitGroup
	cool       context.CancelFunc // ends warming
}

// A file is a static part of the page.
type file struct {
	kind    string
	content []byte
}

// New confines db, which must be open read-only, and returns a server of it.
// database is its name on the page. Close the server when it has stopped.
func New(ctx context.Context, db *saedb.DB, database string) (*Server, error) {
	s := &Server{db: db, database: database, running: make(chan struct{}, 1)}
	db.SetMaxIdleConns(idleConnections)
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.readCatalogue(ctx); err != nil {
		return nil, fault.At("serve", database, err)
	}
	var err error
	if s.exports, err = os.MkdirTemp("", "saedb-serve-"); err != nil {
		return nil, fault.At("serve", "", err)
	}
	if err := s.confine(ctx); err != nil {
		s.Close()
		return nil, fault.At("serve", "", err)
	}
	s.warm(ctx)
	return s, nil
}

// Close waits for what runs and removes what was exported.
func (s *Server) Close() error {
	if s.cool != nil {
		s.cool()
	}
	s.warming.Wait()
	return os.RemoveAll(s.exports)
}

// confine takes from the database everything but itself.
func (s *Server) confine(ctx context.Context) error {
	s.db.Functions.Confine()
	for _, setting := range []string{
		"SET allowed_directories = ['" + strings.ReplaceAll(s.exports, "'", "''") + "']",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET memory_limit = '" + queryMemory + "'",
		"SET max_temp_directory_size = '4GB'",
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := s.db.ExecContext(ctx, setting); err != nil {
			return fmt.Errorf("%s: %w", setting, err)
		}
	}
	return nil
}

// load reads the static files.
func (s *Server) load() error {
	s.files = map[string]file{}
	for name, kind := range map[string]string{"index.html": "text/html", "explorer.js": "text/javascript", "explorer.css": "text/css", "icon.svg": "image/svg+xml"} {
		content, err := fs.ReadFile(assets, "assets/"+name)
		if err != nil {
			return err
		}
		s.files["/"+name] = file{kind, content}
	}
	s.files["/"] = s.files["/index.html"]
	for name, part := range map[string]struct {
		kind string
		read func() ([]byte, error)
	}{
		"/figure.js":    {"text/javascript", figures.Script},
		"/figure.css":   {"text/css", figures.Style},
		"/licences.txt": {"text/plain", figures.Licences},
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
	mux.HandleFunc("GET /api/overview", s.answer(s.overview))
	mux.HandleFunc("GET /api/layers", s.answer(s.layers))
	mux.HandleFunc("GET /api/features", s.answer(s.features))
	mux.HandleFunc("GET /api/feature", s.answer(s.feature))
	mux.HandleFunc("GET /api/similar", s.answer(s.similar))
	mux.HandleFunc("GET /api/sets", s.answer(s.sets))
	mux.HandleFunc("GET /api/set", s.answer(s.set))
	mux.HandleFunc("GET /api/promoters", s.answer(s.promoters))
	mux.HandleFunc("GET /api/figure", s.answer(s.figure))
	mux.HandleFunc("GET /api/names", s.answer(s.names))
	mux.HandleFunc("GET /api/sql", s.answer(s.sql))
	mux.HandleFunc("GET /api/sql.csv", s.download(s.csv))
	mux.HandleFunc("GET /api/sql.parquet", s.download(s.parquet))
	mux.HandleFunc("GET /", s.static)
	return guard(mux)
}

// guard refuses what no page of ours asks for, and tells the browser what our
// pages may do.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
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
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
		case foreign(r):
			http.Error(w, "the request comes from another site", http.StatusForbidden)
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

// answer sends what a function returns as JSON, or its error as one line.
func (s *Server) answer(ask func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := ask(r)
		if err != nil {
			fail(w, r, err)
			return
		}
		content, ready := value.(json.RawMessage)
		if !ready {
			if content, err = json.Marshal(value); err != nil {
				fail(w, r, err)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(content)
	}
}

// fail sends an error. What a person can act on is 400; the page shows the text.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	var missing *notFound
	switch {
	case errors.As(err, &missing):
		status = http.StatusNotFound
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("the query took longer than %v and was stopped", queryTime)
		status = http.StatusRequestTimeout
	case errors.Is(err, errBusy):
		status = http.StatusServiceUnavailable
	case r.Context().Err() != nil:
		return // nobody is waiting
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	content, _ := json.Marshal(map[string]string{"error": err.Error()})
	w.Write(content)
}

// notFound is a name that the database does not have.
type notFound struct{ what string }

func (e *notFound) Error() string { return "no " + e.what }
