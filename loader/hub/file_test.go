package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
