package hub

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/hub/hubtest"
)

func TestListInPages(t *testing.T) {
	s := hubtest.New(t)
	files := tinyFiles()
	s.Add(tiny, files)
	for _, size := range []int{0, 1, 2, 3, 100} {
		s.PageSize = size
		c := newClient(t, s, t.TempDir(), nil)
		entries, err := c.List(t.Context(), reference(t, tiny), true)
		if err != nil || len(entries) != len(files) {
			t.Fatalf("pages of %d: %d entries, %v", size, len(entries), err)
		}
		for _, e := range entries {
			content, found := files[e.Path]
			if !found || e.Size != int64(len(content)) || (e.SHA256 != "") != hubtest.IsLFS(e.Path) {
				t.Errorf("entry %+v", e)
			}
		}
	}
	c := newClient(t, s, t.TempDir(), nil)
	s.PageSize = 1
	entries, err := c.List(t.Context(), reference(t, tiny+"/a"), false)
	var paths []string
	for _, e := range entries {
		paths = append(paths, e.Path)
	}
	if want := []string{"a/b:c", "a/cfg.json", "a/weights.safetensors"}; err != nil || !slices.Equal(paths, want) {
		t.Errorf("directory a: %v, %v", paths, err)
	}
	if _, err := c.List(t.Context(), reference(t, tiny+"/nothing"), false); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error: %v", err)
	}
}

func TestNamesThatLeadOut(t *testing.T) {
	for _, name := range []string{"../../evil", "/etc/passwd", "a/../../b", `..\evil`, "a/./b", "", "a\x00b"} {
		s, home := hubtest.New(t), t.TempDir()
		s.Add(tiny, tinyFiles())
		s.Repos[tiny].Listed = []string{name}
		_, _, _, err := newClient(t, s, home, nil).Snapshot(t.Context(), reference(t, tiny), func(string) bool { return true })
		if err == nil || !strings.Contains(err.Error(), "names of files below the repository's directory") {
			t.Errorf("%q: error %v", name, err)
		}
		if _, err := os.Stat(filepath.Join(home, "hub", "models--org--tiny", "snapshots")); err == nil {
			t.Errorf("%q: something was downloaded", name)
		}
	}
}

func TestPagesElsewhere(t *testing.T) {
	for _, link := range []string{`<http://evil.example/next>; rel="next"`, `<//evil.example/next>; rel=next`} {
		s := hubtest.New(t)
		s.Break = func(w http.ResponseWriter, _ *http.Request, _ bool) bool {
			w.Header().Set("Link", link)
			_, _ = w.Write([]byte(`[{"type": "file", "path": "x", "size": 1}]`))
			return true
		}
		if _, err := newClient(t, s, t.TempDir(), nil).List(t.Context(), reference(t, tiny), true); err == nil {
			t.Errorf("%s was followed", link)
		}
	}
}

// A list whose next page is one that was read, itself or an earlier one, ends, also where it
// has another address each time.
func TestPagesWithoutEnd(t *testing.T) {
	for name, next := range map[string]func(page string) string{
		"itself": func(string) string { return "1" },
		"two":    func(page string) string { return map[string]string{"": "1", "1": "2", "2": "1"}[page] },
		"other":  func(page string) string { return page + "1" },
	} {
		s, asked := hubtest.New(t), 0
		s.Break = func(w http.ResponseWriter, r *http.Request, _ bool) bool {
			asked++
			w.Header().Set("Link", `<`+r.URL.Path+`?cursor=`+next(r.URL.Query().Get("cursor"))+`>; rel="next"`)
			file := "x" + r.URL.Query().Get("cursor")
			if name == "other" {
				file = "x"
			}
			_, _ = w.Write([]byte(`[{"type": "file", "path": "` + file + `", "size": 1}]`))
			return true
		}
		_, err := newClient(t, s, t.TempDir(), nil).List(t.Context(), reference(t, tiny), false)
		want := "the list has no end"
		if name == "other" {
			want = "is listed twice"
		}
		if err == nil || !strings.Contains(err.Error(), want) || asked > 3 {
			t.Errorf("%s: %v after %d requests", name, err, asked)
		}
	}
}

func TestSnapshot(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	files := tinyFiles()
	commit := s.Add(tiny, files)
	c := newClient(t, s, home, nil)
	isJSON := func(name string) bool { return strings.HasSuffix(name, ".json") }
	for _, offline := range []string{"", "1"} {
		c := newClient(t, s, home, map[string]string{"HF_HUB_OFFLINE": offline})
		at, dir, taken, err := c.Snapshot(t.Context(), reference(t, tiny+"/a"), isJSON)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(taken)
		want := filepath.Join(home, "hub", "models--org--tiny", "snapshots", commit, "a")
		if dir != want || at.Revision != commit || !slices.Equal(taken, []string{"a/b:c/odd name.json", "a/cfg.json"}) {
			t.Errorf("%s at %s: %v", dir, at.Revision, taken)
		}
		if got := mustRead(t, filepath.Join(dir, "b:c", "odd name.json")); string(got) != `{"x": 1}` {
			t.Errorf("content %q", got)
		}
	}
	_, path, taken, err := c.Snapshot(t.Context(), reference(t, tiny+"/a/weights.safetensors"), func(string) bool { return true })
	if err != nil || len(taken) != 1 || len(mustRead(t, path)) != 100_000 {
		t.Errorf("a file alone: %s, %v, %v", path, taken, err)
	}
	if _, _, _, err := c.Snapshot(t.Context(), reference(t, tiny+"/a"), func(string) bool { return false }); err == nil {
		t.Error("no error where nothing matches")
	}
}

func TestFilesOfSAEs(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	commit := s.Add(tiny, map[string][]byte{
		"config.json": []byte("{}"), "a/cfg.json": []byte("{}"), "a/x/ae.pt": weights(50), "a/x/config.json": []byte("{}"), "a/x/trainer_state.pt": weights(60),
		"a/x/optimizer.safetensors": weights(61), "a/x/checkpoints/ae_100.pt": weights(62), "a/x/checkpoints/final.safetensors": weights(63), "a/x/README.md": nil,
		"a/layer_3.safetensors": weights(64), "a/layer_4.safetensors": weights(65), "a/W_enc_3.safetensors": weights(66),
	})
	for text, want := range map[string][]string{
		tiny + "/a/x":                   {"a/cfg.json", "a/x/ae.pt", "a/x/checkpoints/final.safetensors", "a/x/config.json"},
		tiny + "/a/layer_3.safetensors": {"a/cfg.json", "a/layer_3.safetensors"},
	} {
		home := filepath.Join(home, hubtest.ETag("", []byte(text)))
		at, local, err := newClient(t, s, home, nil).SAE(t.Context(), reference(t, text))
		if err != nil {
			t.Fatal(err)
		}
		c := newClient(t, s, home, nil)
		got := c.cachedBelow(at.At(""))
		slices.Sort(got)
		if !slices.Equal(got, want) || at.Revision != commit {
			t.Errorf("%s: cached %v, expected %v", text, got, want)
		}
		if from, err := c.Origin(at, local); err != nil || from.Source() != text {
			t.Errorf("%s comes from %v (%v)", text, from, err)
		}
	}
}

func TestNextPage(t *testing.T) {
	at, err := url.Parse("https://hub.example/api/models/a/b/tree/main")
	if err != nil {
		t.Fatal(err)
	}
	for link, want := range map[string]string{
		`<https://hub.example/x?cursor=1>; rel="next"`: "https://hub.example/x?cursor=1",
		`</y>; rel=next`:            "https://hub.example/y",
		`<?cursor=a,b>; rel="next"`: "https://hub.example/api/models/a/b/tree/main?cursor=a,b",
		`<https://a/>; rel="prev", <https://b/>; rel="last next"`: "https://b/",
		`<https://a/>; title="next"`:                              "",
		`<https://a/>; rel="nextish"`:                             "",
		`nonsense`:                                                "",
		`<unclosed; rel=next`:                                     "",
	} {
		next, err := nextPage([]string{link}, at)
		if err != nil || (next == nil) != (want == "") || next != nil && next.String() != want {
			t.Errorf("%s: %v, %v", link, next, err)
		}
	}
}

func FuzzNextPage(f *testing.F) {
	f.Add(`<https://a/>; rel="prev", <https://b/>; rel="next"`)
	f.Fuzz(func(t *testing.T, link string) {
		at := &url.URL{Scheme: "https", Host: "hub.example", Path: "/x"}
		if next, err := nextPage([]string{link}, at); err != nil && next != nil {
			t.Error("an address and an error")
		}
	})
}

func FuzzParseTree(f *testing.F) {
	f.Add([]byte(`[{"type":"file","oid":"x","size":3,"path":"a/b"},{"type":"directory","path":"c"}]`), "")
	f.Add([]byte(`[{"type":"file","path":"a/../b"}]`), "a")
	f.Fuzz(func(t *testing.T, raw []byte, under string) {
		entries, err := parseTree(raw, under)
		if err != nil {
			return
		}
		for _, e := range entries {
			if !filepath.IsLocal(e.Path) || e.Size < 0 || under != "" && !strings.HasPrefix(e.Path, under+"/") {
				t.Errorf("entry %+v below %q", e, under)
			}
		}
	})
}

func FuzzParseIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map": {"a": "model-00001-of-00002.safetensors"}}`))
	f.Add([]byte(`{"weight_map": {"a": "../model.safetensors"}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		holder, err := parseIndex(raw)
		for name, shard := range holder {
			if err == nil && !filepath.IsLocal(shard) {
				t.Errorf("tensor %q in %q", name, shard)
			}
		}
	})
}
