package hub

import (
	"bytes"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/saedb/saedb/loader/hub/hubtest"
)

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
