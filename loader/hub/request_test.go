package hub

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb/loader/hub/hubtest"
)

// TestTokenStaysWithTheHub: the token goes to the Hub's own scheme, host and port.
func TestTokenStaysWithTheHub(t *testing.T) {
	s := hubtest.New(t)
	s.Add(tiny, tinyFiles())
	s.Repos[tiny].Gated = true
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(s.Token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, more := range []map[string]string{{"HF_TOKEN": s.Token}, {"HF_TOKEN_PATH": file}} {
		c := newClient(t, s, t.TempDir(), more)
		if _, err := c.File(t.Context(), reference(t, tiny+"/a/weights.safetensors")); err != nil {
			t.Fatal(err)
		}
		elsewhere := 0
		for _, r := range s.Came() {
			if r.CDN {
				elsewhere++
			}
			if r.CDN && r.Authorization != "" || !r.CDN && r.Authorization != "Bearer "+s.Token {
				t.Errorf("%s %s, other host %v: Authorization %q", r.Method, r.Path, r.CDN, r.Authorization)
			}
			if r.Accept != "identity" {
				t.Errorf("Accept-Encoding %q", r.Accept)
			}
		}
		if elsewhere == 0 {
			t.Error("the other host was never asked")
		}
	}
	c := newClient(t, s, t.TempDir(), map[string]string{"HF_TOKEN": s.Token, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"})
	if _, err := c.File(t.Context(), reference(t, tiny+"/config.json")); err == nil {
		t.Error("a gated file without a token")
	}
	for _, r := range s.Came() {
		if r.Authorization != "" {
			t.Errorf("Authorization %q although it is disabled", r.Authorization)
		}
	}
}

// TestRedirectsFromTheHub are those that must not be followed with a token, or not
// at all.
func TestRedirectsFromTheHub(t *testing.T) {
	var authorization []string
	plain := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		authorization = append(authorization, r.Header.Get("Authorization"))
	}))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Repo-Commit", strings.Repeat("a", 40))
		w.Header().Set("X-Linked-Etag", `"`+strings.Repeat("b", 64)+`"`)
		w.Header().Set("X-Linked-Size", "10")
		http.Redirect(w, r, plain.URL, http.StatusFound)
	}))
	defer secure.Close()
	c, err := NewClient(func(name string) string {
		return map[string]string{"HF_ENDPOINT": secure.URL, "HF_HOME": t.TempDir(), "HF_TOKEN": "hf_secret"}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	c.patience = time.Millisecond
	// The certificate is not one that this machine trusts.
	_, err = c.File(t.Context(), reference(t, tiny+"/a.safetensors"))
	if err == nil || !strings.Contains(err.Error(), "certificate") || strings.Contains(err.Error(), "hf_secret") {
		t.Errorf("error: %v", err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(secure.Certificate())
	c.http.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: pool}
	_, err = c.File(t.Context(), reference(t, tiny+"/a.safetensors"))
	if err == nil || !strings.Contains(err.Error(), "redirect from https to http") {
		t.Errorf("error: %v", err)
	}
	if len(authorization) != 0 {
		t.Errorf("requests without TLS: %q", authorization)
	}
}

// TestMovedRepository: a redirect within the Hub is followed, with the token.
func TestMovedRepository(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	files := tinyFiles()
	s.Add(tiny, files)
	s.Repos[tiny].Gated = true
	s.Break = func(w http.ResponseWriter, r *http.Request, _ bool) bool {
		rest, moved := strings.CutPrefix(r.URL.Path, "/org/old/")
		if moved {
			w.Header().Set("Location", "/"+tiny+"/"+rest)
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
		return moved
	}
	c := newClient(t, s, home, map[string]string{"HF_TOKEN": s.Token})
	for _, name := range []string{"config.json", "a/weights.safetensors"} {
		path, err := c.File(t.Context(), reference(t, "org/old/"+name))
		if err != nil || !bytes.Equal(mustRead(t, path), files[name]) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Break = func(w http.ResponseWriter, r *http.Request, _ bool) bool {
		w.Header().Set("Location", r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return true
	}
	if _, err := c.File(t.Context(), reference(t, tiny+"/config.json")); err == nil || !strings.Contains(err.Error(), "more than 10 redirects") {
		t.Errorf("error: %v", err)
	}
}

func TestSameOrigin(t *testing.T) {
	c, err := NewClient(func(name string) string {
		return map[string]string{"HF_ENDPOINT": "https://hub.example/", "HF_HOME": t.TempDir()}[name]
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		"https://hub.example/x": true, "https://HUB.example:443/": true, "http://hub.example/": false, "https://cdn.hub.example/": false,
		"https://hub.example:8443/": false, "https://hub.example.evil/": false, "https://evil/hub.example": false,
	} {
		at, err := c.endpoint.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := sameOrigin(at, c.endpoint); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestRetries(t *testing.T) {
	for _, status := range []int{408, 429, 500, 502, 503, 504} {
		s := hubtest.New(t)
		s.Add(tiny, tinyFiles())
		hub, cdn := 0, 0
		s.Break = func(w http.ResponseWriter, _ *http.Request, isCDN bool) bool {
			count := &hub
			if isCDN {
				count = &cdn
			}
			*count++
			if *count <= 2 {
				w.Header().Set("Retry-After", "0")
				w.WriteHeader(status)
			}
			return *count <= 2
		}
		if _, err := newClient(t, s, t.TempDir(), nil).File(t.Context(), reference(t, tiny+"/a/weights.safetensors")); err != nil {
			t.Errorf("status %d: %v", status, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "99999": maxRetryAfter, "-5": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second, "Fri, 02 Jan 2026 03:04:00 GMT": 0, "Sat, 02 Jan 2027 03:04:15 GMT": maxRetryAfter,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("%q: %v, expected %v", text, got, want)
		}
	}
	s := hubtest.New(t)
	s.Add(tiny, tinyFiles())
	asked := time.Time{}
	s.Break = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
		if asked.IsZero() {
			asked = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	}
	if _, err := newClient(t, s, t.TempDir(), nil).File(t.Context(), reference(t, tiny+"/config.json")); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(asked); waited < time.Second {
		t.Errorf("asked again after %v, expected a second", waited)
	}
}

func TestSilenceIsABrokenConnection(t *testing.T) {
	s := hubtest.New(t)
	files := tinyFiles()
	s.Add(tiny, files)
	silent := true
	s.Break = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
		if cdn && silent {
			silent = false
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write(files["a/weights.safetensors"][:10])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return true
		}
		return false
	}
	c := newClient(t, s, t.TempDir(), nil)
	c.downloadTimeout = 200 * time.Millisecond
	if _, err := c.File(t.Context(), reference(t, tiny+"/a/weights.safetensors")); err != nil {
		t.Fatal(err)
	}
}

// TestRefusals are the Hub's errors, each with what a person can do.
func TestRefusals(t *testing.T) {
	refuse := func(status int, code, message string) func(http.ResponseWriter, *http.Request, bool) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
			hubtest.Refuse(w, status, code, message)
			return true
		}
	}
	for _, test := range []struct {
		name, ref string
		token     string
		change    func(*hubtest.Server)
		want      []string
	}{
		{"gated", "", "", func(s *hubtest.Server) { s.Repos[tiny].Gated = true }, []string{"is gated", "accept them at", "set HF_TOKEN"}},
		{"gated, with a token of another account", "", "x", func(s *hubtest.Server) { s.Break = refuse(403, "GatedRepo", "") }, []string{"is gated", "the access token from HF_TOKEN"}},
		{"private", "", "", func(s *hubtest.Server) { s.Repos[tiny].Hidden = true }, []string{"no such repository, or a private one", "set HF_TOKEN"}},
		{"no repository", "org/nothing/config.json", "", nil, []string{"org/nothing/config.json: no such repository"}},
		{"401 that says nothing", "", "", func(s *hubtest.Server) { s.Break = refuse(401, "", "") }, []string{"no such repository, or a private one"}},
		{"wrong token", "", "hf_wrong", nil, []string{"does not accept the access token", "from HF_TOKEN"}},
		{"no revision", tiny + "/config.json@v9", "", nil, []string{`no branch, tag or commit "v9"`, "@revision"}},
		{"no file", tiny + "/nothing.json", "", nil, []string{"has no such file"}},
		{"forbidden", "", "", func(s *hubtest.Server) { s.Break = refuse(403, "", "Access to this resource is disabled.") }, []string{"forbidden", "is disabled."}},
		{"404 of a server that is no Hub", "", "", func(s *hubtest.Server) { s.Break = refuse(404, "", "") }, []string{"not found"}},
		{"a server that is no Hub", "", "", func(s *hubtest.Server) { s.Break = refuse(200, "", "") }, []string{"X-Repo-Commit", "HF_ENDPOINT"}},
		{"teapot", "", "", func(s *hubtest.Server) { s.Break = refuse(418, "", "short and stout") }, []string{"418", "short and stout"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := hubtest.New(t)
			s.Add(tiny, tinyFiles())
			if test.change != nil {
				test.change(s)
			}
			if test.ref == "" {
				test.ref = tiny + "/config.json"
			}
			_, err := newClient(t, s, t.TempDir(), map[string]string{"HF_TOKEN": test.token}).File(t.Context(), reference(t, test.ref))
			for _, want := range test.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, expected %q in it", err, want)
				}
			}
			if test.token != "" && strings.Contains(fmt.Sprint(err), "hf_wrong") {
				t.Errorf("error tells the token: %q", err)
			}
		})
	}
}

func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"plain": "plain", "a\x1b[31m\r\nb": "a [31m  b", "bad \xff utf-8": "bad  utf-8", strings.Repeat("é", 300): strings.Repeat("é", 100) + "…",
	} {
		if got := oneLine(text); got != want {
			t.Errorf("%q gave %q", text, got)
		}
	}
}

func TestMalformedMetadata(t *testing.T) {
	for name, header := range map[string]map[string]string{
		"etag that leads out":   {"ETag": `"../../../evil"`},
		"etag with a slash":     {"ETag": `"a/b"`},
		"no etag":               {},
		"commit that leads out": {"X-Repo-Commit": "../../x", "ETag": `"abc"`},
	} {
		s := hubtest.New(t)
		s.Break = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
			w.Header().Set("X-Repo-Commit", strings.Repeat("a", 40))
			for key, value := range header {
				w.Header().Set(key, value)
			}
			return true
		}
		home := t.TempDir()
		if _, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/config.json")); err == nil {
			t.Errorf("%s: no error", name)
		}
		if entries, err := os.ReadDir(home); err != nil || len(entries) != 0 {
			t.Errorf("%s: %v is in the cache (%v)", name, entries, err)
		}
	}
}
