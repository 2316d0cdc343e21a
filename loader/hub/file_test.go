package hub

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb/loader/hub/hubtest"
)

const tiny = "org/tiny"

// environment is the variables of a test's client; more replace or add to them.
func environment(s *hubtest.Server, home string, more map[string]string) func(string) string {
	all := map[string]string{"HF_ENDPOINT": s.URL, "HF_HOME": home}
	maps.Copy(all, more)
	return func(name string) string { return all[name] }
}

func newClient(t testing.TB, s *hubtest.Server, home string, more map[string]string) *Client {
	t.Helper()
	c, err := NewClient(environment(s, home, more))
	if err != nil {
		t.Fatal(err)
	}
	c.patience = time.Millisecond
	return c
}

// weights is content that no two of a test's files share.
func weights(n int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	content := make([]byte, n)
	for i := range content {
		content[i] = byte(random.Uint32())
	}
	return content
}

func tinyFiles() map[string][]byte {
	return map[string][]byte{
		"config.json": []byte(`{"model_type": "gpt2"}`), "a/weights.safetensors": weights(100_000), "a/cfg.json": []byte("{}"),
		"a/b:c/odd name.json": []byte(`{"x": 1}`), "empty.txt": {},
	}
}

func reference(t testing.TB, text string) Reference {
	t.Helper()
	r, err := ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestFileLiesInTheCacheAsPythonHasIt(t *testing.T) {
	for _, weak := range []bool{false, true} {
		s, home := hubtest.New(t), t.TempDir()
		files := tinyFiles()
		commit := s.Add(tiny, files)
		s.WeakETag = weak
		c := newClient(t, s, home, nil)
		for name, content := range files {
			path, err := c.File(t.Context(), reference(t, tiny).At(name))
			if err != nil {
				t.Fatal(err)
			}
			repo := filepath.Join(home, "hub", "models--org--tiny")
			if want := filepath.Join(repo, "snapshots", commit, name); path != want {
				t.Errorf("%s is at %s, expected %s", name, path, want)
			}
			if !bytes.Equal(mustRead(t, path), content) {
				t.Errorf("%s has other bytes", name)
			}
			target, err := os.Readlink(path)
			if err != nil || filepath.IsAbs(target) || filepath.Join(filepath.Dir(path), target) != filepath.Join(repo, "blobs", hubtest.ETag(name, content)) {
				t.Errorf("%s links to %s (%v)", name, target, err)
			}
			if ref := mustRead(t, filepath.Join(repo, "refs", "main")); string(ref) != commit {
				t.Errorf("refs/main is %q", ref)
			}
			if _, err := os.Stat(filepath.Join(home, "hub", ".locks", "models--org--tiny", hubtest.ETag(name, content)+".lock")); err != nil {
				t.Error(err)
			}
		}
		left, _ := filepath.Glob(filepath.Join(home, "hub", "models--org--tiny", "blobs", "*.*"))
		if len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestCachedCommitNeedsNoNetwork(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	commit := s.Add(tiny, tinyFiles())
	if _, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/config.json")); err != nil {
		t.Fatal(err)
	}
	s.Came()
	c := newClient(t, s, home, nil)
	if _, err := c.File(t.Context(), reference(t, tiny+"/config.json@"+commit)); err != nil {
		t.Fatal(err)
	}
	if came := s.Came(); len(came) != 0 {
		t.Errorf("requests for a cached commit: %v", came)
	}
	// At a branch the Hub is asked what it is now, and no more.
	if _, err := c.File(t.Context(), reference(t, tiny+"/config.json")); err != nil {
		t.Fatal(err)
	}
	if came := s.Came(); len(came) != 1 || came[0].Method != http.MethodHead {
		t.Errorf("requests for a cached branch: %v", came)
	}
}

func TestOffline(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	commit := s.Add(tiny, tinyFiles())
	if _, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/config.json")); err != nil {
		t.Fatal(err)
	}
	s.Came()
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		c := newClient(t, s, home, map[string]string{name: "yes"})
		for _, revision := range []string{"", "@main", "@" + commit} {
			if _, err := c.File(t.Context(), reference(t, tiny+"/config.json"+revision)); err != nil {
				t.Errorf("%s, config.json%s: %v", name, revision, err)
			}
		}
		_, err := c.File(t.Context(), reference(t, tiny+"/empty.txt"))
		if err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE forbids the network") {
			t.Errorf("error: %v", err)
		}
	}
	if came := s.Came(); len(came) != 0 {
		t.Errorf("requests although offline: %v", came)
	}
}

func TestCacheStandsInForAHubThatIsDown(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	s.Add(tiny, tinyFiles())
	want, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/config.json"))
	if err != nil {
		t.Fatal(err)
	}
	s.Break = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	}
	c := newClient(t, s, home, nil)
	var warned []string
	c.Warn = func(text string) { warned = append(warned, text) }
	if got, err := c.File(t.Context(), reference(t, tiny+"/config.json")); err != nil || got != want || len(warned) != 1 {
		t.Errorf("got %s, %v, warnings %v", got, err, warned)
	}
	if _, err := c.File(t.Context(), reference(t, tiny+"/empty.txt")); !errors.Is(err, errUnreachable) {
		t.Errorf("error: %v", err)
	}
}

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

// TestResumeAcrossRuns cuts every connection; each run is a new client that asks
// for what is missing only, of the version that it has.
func TestResumeAcrossRuns(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	files := tinyFiles()
	s.Add(tiny, files)
	content := files["a/weights.safetensors"]
	s.Break = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
		if cdn {
			s.Serve(hubtest.Cut(w, 30_000), r, cdn)
		}
		return cdn
	}
	ctx, cancel := context.WithCancel(t.Context())
	c := newClient(t, s, home, nil)
	c.patience = time.Hour // the first run ends while it waits to ask again
	c.Progress = func(_ string, done, _ int64) {
		if done >= 30_000 {
			time.AfterFunc(50*time.Millisecond, cancel)
		}
	}
	at := reference(t, tiny+"/a/weights.safetensors")
	if _, err := c.File(ctx, at); !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	part := filepath.Join(home, "hub", "models--org--tiny", "blobs", hubtest.ETag("x.pt", content)+".incomplete")
	if got := mustRead(t, part); len(got) != 30_000 {
		t.Fatalf("%d bytes are kept, expected 30000", len(got))
	}
	s.Came()
	path, err := newClient(t, s, home, nil).File(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustRead(t, path), content) {
		t.Error("other bytes")
	}
	var ranges []string
	for _, r := range s.Came() {
		if r.CDN {
			ranges = append(ranges, r.Range)
			if !strings.HasPrefix(r.IfRange, `"cdn-`) {
				t.Errorf("If-Range %q, expected the other host's ETag", r.IfRange)
			}
		}
	}
	if want := "[bytes=30000-99999 bytes=60000-99999 bytes=90000-99999]"; fmt.Sprint(ranges) != want {
		t.Errorf("ranges %v, expected %s", ranges, want)
	}
}

// TestPartsOfOtherVersions: what is left of an earlier run is not what the server
// has now.
func TestPartsOfOtherVersions(t *testing.T) {
	content := tinyFiles()["a/weights.safetensors"]
	damaged := bytes.Clone(content[:50_000])
	damaged[7] ^= 1
	for _, test := range []struct {
		name      string
		part      []byte
		validator string
		breaks    func(w http.ResponseWriter, r *http.Request) bool
	}{
		{"another ETag, so that the reply is 200 and all", damaged, `"cdn-other"`, nil},
		{"damaged, with the right ETag", damaged, `"cdn-` + hubtest.ETag("x.pt", content)[:8] + `"`, nil},
		{"damaged, of a client that leaves no ETag", damaged, "", nil},
		{"too long", weights(200_000), "", nil},
		{"whole already", content, "", nil},
		{"200 for every range", content[:50_000], "", func(_ http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("Range")
			return false
		}},
		{"416 for every range", content[:50_000], "", func(w http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Range") != "" {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
			}
			return r.Header.Get("Range") != ""
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, home := hubtest.New(t), t.TempDir()
			s.Add(tiny, tinyFiles())
			s.Break = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
				return cdn && test.breaks != nil && test.breaks(w, r)
			}
			blobs := filepath.Join(home, "hub", "models--org--tiny", "blobs")
			part := filepath.Join(blobs, hubtest.ETag("x.pt", content)+".incomplete")
			if err := os.MkdirAll(blobs, 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(part, test.part, 0o666); err != nil {
				t.Fatal(err)
			}
			if test.validator != "" {
				if err := os.WriteFile(part+".etag", []byte(test.validator), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			path, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/a/weights.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(mustRead(t, path), content) {
				t.Error("other bytes")
			}
		})
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

func TestMissingFilesAreRemembered(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	commit := s.Add(tiny, tinyFiles())
	c := newClient(t, s, home, nil)
	if _, err := c.File(t.Context(), reference(t, tiny+"/nothing.json")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error: %v", err)
	}
	if _, err := os.Stat(filepath.Join(home, "hub", "models--org--tiny", ".no_exist", commit, "nothing.json")); err != nil {
		t.Error(err)
	}
	s.Came()
	if _, err := c.File(t.Context(), reference(t, tiny+"/nothing.json@"+commit)); !errors.Is(err, fs.ErrNotExist) || len(s.Came()) != 0 {
		t.Errorf("error %v, or the Hub was asked", err)
	}
}

// TestWrongContent: bytes that are not what the Hub said never get a name.
func TestWrongContent(t *testing.T) {
	content := tinyFiles()["a/weights.safetensors"]
	other := bytes.Clone(content)
	other[99] ^= 1
	send := func(body []byte, length int) func(http.ResponseWriter, *http.Request, bool) bool {
		return func(w http.ResponseWriter, _ *http.Request, cdn bool) bool {
			if cdn {
				if length >= 0 {
					w.Header().Set("Content-Length", strconv.Itoa(length))
				}
				_, _ = w.Write(body)
			}
			return cdn
		}
	}
	for name, test := range map[string]struct {
		breaks func(http.ResponseWriter, *http.Request, bool) bool
		want   string
	}{
		"hash":              {send(other, len(other)), "the content's hash"},
		"shorter, and says": {send(content[:10], 10), "expected 100000 bytes, found 10"},
		"longer, and says":  {send(weights(100_001), 100_001), "expected 100000 bytes, found 100001"},
		"longer, in chunks": {send(weights(200_000), -1), "expected 100000 bytes, found more"},
		"html of a proxy":   {send([]byte("<html>sign in</html>"), 20), "expected 100000 bytes, found 20"},
		"wrong range": {func(w http.ResponseWriter, _ *http.Request, cdn bool) bool {
			if cdn {
				w.Header().Set("Content-Range", "bytes 5-9/100000")
				w.WriteHeader(http.StatusPartialContent)
			}
			return cdn
		}, "Content-Range"},
	} {
		t.Run(name, func(t *testing.T) {
			s, home := hubtest.New(t), t.TempDir()
			s.Add(tiny, tinyFiles())
			s.Break = test.breaks
			_, err := newClient(t, s, home, nil).File(t.Context(), reference(t, tiny+"/a/weights.safetensors"))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, expected %q in it", err, test.want)
			}
			left, _ := filepath.Glob(filepath.Join(home, "hub", "models--org--tiny", "*", "*"))
			for _, path := range left {
				if strings.Contains(path, "blobs") && !strings.HasSuffix(path, ".etag") {
					t.Errorf("left behind: %s", path)
				}
			}
		})
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

func TestFileSystemWithoutLinks(t *testing.T) {
	defer func() { symlink = os.Symlink }()
	symlink = func(string, string) error { return syscall.EPERM }
	s, home := hubtest.New(t), t.TempDir()
	files := map[string][]byte{"a.json": []byte("{}"), "b.json": []byte("{}")}
	s.Add(tiny, files)
	c := newClient(t, s, home, nil)
	for _, name := range []string{"a.json", "b.json", "a.json"} {
		path, err := c.File(t.Context(), reference(t, tiny+"/"+name))
		if err != nil || string(mustRead(t, path)) != "{}" {
			t.Errorf("%s: %v", name, err)
		}
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
			t.Errorf("%s is no file of its own: %v", name, err)
		}
	}
}

func TestTwoClientsDownloadOnce(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	s.Add(tiny, tinyFiles())
	s.Break = func(w http.ResponseWriter, _ *http.Request, cdn bool) bool {
		if cdn {
			time.Sleep(50 * time.Millisecond)
		}
		return false
	}
	done := make(chan error)
	for range 4 {
		c := newClient(t, s, home, nil)
		go func() {
			_, err := c.File(t.Context(), Reference{Repo: tiny, Path: "a/weights.safetensors", Revision: "main"})
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	downloads := 0
	for _, r := range s.Came() {
		if r.CDN {
			downloads++
		}
	}
	if downloads != 1 {
		t.Errorf("%d downloads, expected 1", downloads)
	}
}

func TestProgress(t *testing.T) {
	s := hubtest.New(t)
	s.Add(tiny, tinyFiles())
	c := newClient(t, s, t.TempDir(), nil)
	var last int64
	c.Progress = func(name string, done, total int64) {
		if name != "a/weights.safetensors" || total != 100_000 || done < last {
			t.Errorf("%s: %d of %d after %d", name, done, total, last)
		}
		last = done
	}
	if _, err := c.File(t.Context(), reference(t, tiny+"/a/weights.safetensors")); err != nil || last != 100_000 {
		t.Errorf("%v, %d bytes told", err, last)
	}
}

// TestFullDisk writes to /dev/full, where it exists, in place of a part.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this machine")
	}
	file, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, err = (&progressWriter{file: file}).Write([]byte("x"))
	if err = full("org/tiny", err); err == nil || !strings.Contains(err.Error(), "is full") || !strings.Contains(err.Error(), "continues from there") {
		t.Errorf("error: %v", err)
	}
}
