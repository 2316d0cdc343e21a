package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/saedb/saedb/loader/hub/hubtest"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/vocab"
)

// safetensorsFile makes a file with byte tensors of these sizes, in this order.
func safetensorsFile(t testing.TB, names []string, sizes map[string]int) []byte {
	t.Helper()
	var spans []safetensors.Span
	var values []byte
	for i, name := range names {
		n := sizes[name]
		spans = append(spans, safetensors.Span{Name: name, DType: "U8", Shape: []uint64{uint64(n)}, End: int64(n)})
		values = append(values, bytes.Repeat([]byte{byte(i + 1)}, n)...)
	}
	header, err := safetensors.Header(spans, map[string]string{"format": "pt"})
	if err != nil {
		t.Fatal(err)
	}
	return append(header, values...)
}

var sizes = map[string]int{"wte": 3000, "h.0": 50_000, "h.1": 60_000, "ln_f": 20, "empty": 0}

// needs is a Need that asks for these tensors.
func needs(names ...string) Need {
	return func([]byte, []string) ([]string, error) { return names, nil }
}

func singleModel(t testing.TB) map[string][]byte {
	return map[string][]byte{
		"config.json": []byte(`{"model_type": "gpt2"}`), "tokenizer.json": []byte(`{}`), "README.md": []byte("x"), "pytorch_model.bin": weights(1000),
		"model.safetensors": safetensorsFile(t, []string{"wte", "h.0", "empty", "ln_f", "h.1"}, sizes),
	}
}

// rangesAsked lists the ranges that the other host was asked for.
func rangesAsked(s *hubtest.Server) (ranges []string) {
	for _, r := range s.Came() {
		if r.CDN {
			ranges = append(ranges, r.Range)
		}
	}
	return ranges
}

func TestModelDownloadsOnlyWhatIsNeeded(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	files := singleModel(t)
	commit := s.Add(tiny, files)
	at, dir, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny), needs("wte", "ln_f"))
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(home, "saedb", "models--org--tiny", commit); dir != want || at.Revision != commit {
		t.Errorf("directory %s at %s", dir, at.Revision)
	}
	asked := rangesAsked(s)
	if len(asked) != 4 || slices.Contains(asked, "") || asked[0] != "bytes=0-7" {
		t.Errorf("ranges %q, expected the header's length, the header and two tensors", asked)
	}
	held := contents(t, filepath.Join(dir, "model.safetensors"))
	if len(held) != 2 || !bytes.Equal(held["wte"], bytes.Repeat([]byte{1}, 3000)) || !bytes.Equal(held["ln_f"], bytes.Repeat([]byte{4}, 20)) {
		t.Errorf("tensors %v", len(held))
	}
	if names := entries(t, dir); !slices.Equal(names, []string{"config.json", "model.safetensors", "model.safetensors.saedb.json", "tokenizer.json"}) {
		t.Errorf("directory has %v", names)
	}
	var r record
	if err := json.Unmarshal(mustRead(t, filepath.Join(dir, "model.safetensors.saedb.json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.Commit != commit || r.ETag != hubtest.ETag("x.pt", files["model.safetensors"]) || r.Size != int64(len(files["model.safetensors"])) || len(r.Tensors) != 2 {
		t.Errorf("record %+v", r)
	}

	// The same again asks for nothing, also offline; one more asks for that alone.
	for _, more := range []map[string]string{nil, {"HF_HUB_OFFLINE": "1"}} {
		if _, _, err := newClient(t, s, home, more).Model(t.Context(), reference(t, tiny), needs("wte", "ln_f")); err != nil {
			t.Fatal(err)
		}
		if asked := rangesAsked(s); len(asked) != 0 {
			t.Errorf("asked again: %q", asked)
		}
	}
	_, _, err = newClient(t, s, home, map[string]string{"HF_HUB_OFFLINE": "1"}).Model(t.Context(), reference(t, tiny), needs("wte", "empty", "h.0"))
	if err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE") {
		t.Errorf("error: %v", err)
	}
	if _, _, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny), needs("h.0", "empty")); err != nil {
		t.Fatal(err)
	}
	if asked := rangesAsked(s); len(asked) != 1 {
		t.Errorf("ranges %q, expected that of h.0 alone", asked)
	}
	held = contents(t, filepath.Join(dir, "model.safetensors"))
	if len(held) != 4 || !bytes.Equal(held["h.0"], bytes.Repeat([]byte{2}, 50_000)) || !bytes.Equal(held["wte"], bytes.Repeat([]byte{1}, 3000)) {
		t.Errorf("%d tensors after asking for more", len(held))
	}

	// More than half is all of it, shared with everyone.
	if _, _, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny), needs("h.1")); err != nil {
		t.Fatal(err)
	}
	if asked := rangesAsked(s); !slices.Equal(asked, []string{""}) {
		t.Errorf("ranges %q, expected the whole file", asked)
	}
	if link, err := os.Readlink(filepath.Join(dir, "model.safetensors")); err != nil || !strings.Contains(link, "snapshots") {
		t.Errorf("model.safetensors links to %q: %v", link, err)
	}
}

// A model's tokenizer comes with it, whatever file it is in; where there is a
// tokenizer.json, no other is needed.
func TestTokenizersOfModels(t *testing.T) {
	if !slices.Equal(otherTokenizers, vocab.FileNames()) {
		t.Errorf("%q are downloaded, %q are read", otherTokenizers, vocab.FileNames())
	}
	for name, others := range map[string][]string{
		"qwen.tiktoken": nil, "tiktoken.model": nil, "tekken.json": nil, "tokenizer.model.v3": nil, "tokenizer.json": {"qwen.tiktoken", "tekken.json"},
	} {
		s := hubtest.New(t)
		files := singleModel(t)
		delete(files, "tokenizer.json")
		for _, file := range append(others, name) {
			files[file] = []byte("x")
		}
		s.Add(tiny, files)
		_, dir, err := newClient(t, s, t.TempDir(), nil).Model(t.Context(), reference(t, tiny), needs("ln_f"))
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"config.json", "model.safetensors", "model.safetensors.saedb.json", name}
		slices.Sort(want)
		if got := entries(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s: directory has %v", name, got)
		}
	}
}

func entries(t testing.TB, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range found {
		names = append(names, e.Name())
	}
	return names
}

// contents reads all tensors of a safetensors file.
func contents(t testing.TB, path string) map[string][]byte {
	t.Helper()
	raw := mustRead(t, path)
	length, err := safetensors.HeaderLength(raw, int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	spans, metadata, err := safetensors.Layout(raw[8:8+length], int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if metadata["format"] != "pt" {
		t.Errorf("metadata %v", metadata)
	}
	held := map[string][]byte{}
	for _, s := range spans {
		held[s.Name] = raw[s.Begin:s.End]
	}
	return held
}

func TestShardedModel(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	first := safetensorsFile(t, []string{"wte", "h.0"}, sizes)
	second := safetensorsFile(t, []string{"h.1", "ln_f"}, sizes)
	s.Add(tiny, map[string][]byte{
		"sub/config.json": []byte(`{}`), "sub/a.safetensors": first, "sub/b.safetensors": second,
		"sub/c.safetensors":                safetensorsFile(t, []string{"h.2"}, map[string]int{"h.2": 9}),
		"sub/model.safetensors.index.json": []byte(`{"weight_map": {"wte": "a.safetensors", "h.0": "a.safetensors", "h.1": "b.safetensors", "ln_f": "b.safetensors", "h.2": "c.safetensors"}}`),
	})
	var offered []string
	_, dir, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny+"/sub"), func(_ []byte, names []string) ([]string, error) {
		offered = names
		return []string{"ln_f", "wte"}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(offered, []string{"h.0", "h.1", "h.2", "ln_f", "wte"}) {
		t.Errorf("offered %v", offered)
	}
	if a, b := contents(t, filepath.Join(dir, "a.safetensors")), contents(t, filepath.Join(dir, "b.safetensors")); len(a) != 1 || len(b) != 1 || len(a["wte"]) != 3000 || len(b["ln_f"]) != 20 {
		t.Errorf("shards with %d and %d tensors", len(a), len(b))
	}
	if slices.Contains(entries(t, dir), "c.safetensors") {
		t.Error("a shard that is not needed was downloaded")
	}
}

// TestServersWithoutRanges: all of a file is downloaded then.
func TestServersWithoutRanges(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	files := singleModel(t)
	s.Add(tiny, files)
	s.Break = func(_ http.ResponseWriter, r *http.Request, _ bool) bool {
		r.Header.Del("Range")
		return false
	}
	_, dir, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny), needs("wte"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(mustRead(t, filepath.Join(dir, "model.safetensors")), files["model.safetensors"]) {
		t.Error("other bytes")
	}
}

// TestPartsResume: what has come of a tensor stays for the next run.
func TestPartsResume(t *testing.T) {
	s, home := hubtest.New(t), t.TempDir()
	commit := s.Add(tiny, singleModel(t))
	down := false
	s.Break = func(w http.ResponseWriter, r *http.Request, cdn bool) bool {
		if cdn && down {
			w.WriteHeader(http.StatusNotFound)
		} else if cdn {
			s.Serve(hubtest.Cut(w, 4000), r, cdn)
		}
		return cdn
	}
	first := newClient(t, s, home, nil)
	first.Progress = func(_ string, done, _ int64) { down = done >= 20_000 }
	if _, _, err := first.Model(t.Context(), reference(t, tiny), needs("wte", "h.0")); err == nil {
		t.Fatal("no error of a server that is down")
	}
	down = false
	s.Came()
	if _, _, err := newClient(t, s, home, nil).Model(t.Context(), reference(t, tiny), needs("wte", "h.0")); err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Came() {
		if r.CDN && r.IfRange == "" && !strings.HasPrefix(r.Range, "bytes=0-") && !strings.HasPrefix(r.Range, "bytes=8-") {
			t.Errorf("range %q without If-Range: begun anew", r.Range)
		}
	}
	dir := filepath.Join(home, "saedb", "models--org--tiny", commit)
	held := contents(t, filepath.Join(dir, "model.safetensors"))
	if !bytes.Equal(held["h.0"], bytes.Repeat([]byte{2}, 50_000)) || !bytes.Equal(held["wte"], bytes.Repeat([]byte{1}, 3000)) {
		t.Error("other bytes")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.incomplete*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestModelRefusals(t *testing.T) {
	good := singleModel(t)
	damaged := bytes.Clone(good["model.safetensors"])
	copy(damaged[8:], `{"wte":{"dtype":"U8","shape":[3000],"data_offsets":[5,30`)
	long := bytes.Clone(good["model.safetensors"])
	copy(long, []byte{255, 255, 255, 255, 0, 0, 0, 0})
	for name, test := range map[string]struct {
		files map[string][]byte
		need  Need
		want  string
	}{
		"no weights":        {map[string][]byte{"config.json": nil, "pytorch_model.bin": nil}, nil, "PyTorch's *.bin files are not read"},
		"GGUF":              {map[string][]byte{"model-q8.gguf": nil}, nil, "org/tiny/model-q8.gguf"},
		"no config":         {map[string][]byte{"model.safetensors": good["model.safetensors"]}, nil, "expected config.json and model.safetensors"},
		"no such tensor":    {good, needs("lm_head"), "expected tensor lm_head"},
		"damaged header":    {map[string][]byte{"config.json": nil, "model.safetensors": damaged}, needs(), "header"},
		"header too long":   {map[string][]byte{"config.json": nil, "model.safetensors": long}, needs(), "header length"},
		"hardly a file":     {map[string][]byte{"config.json": nil, "model.safetensors": []byte("abc")}, needs(), "safetensors file"},
		"shard leads out":   {map[string][]byte{"config.json": nil, safetensors.IndexFile: []byte(`{"weight_map": {"a": "../../x.safetensors"}}`)}, needs(), "a safetensors file of the same directory"},
		"index is no index": {map[string][]byte{"config.json": nil, safetensors.IndexFile: []byte(`{}`)}, needs(), "weight_map"},
		"shard not there":   {map[string][]byte{"config.json": nil, safetensors.IndexFile: []byte(`{"weight_map": {"a": "x.safetensors"}}`)}, needs("a"), "no such file"},
		"tensor not in shard": {
			map[string][]byte{"config.json": nil, "x.safetensors": good["model.safetensors"], safetensors.IndexFile: []byte(`{"weight_map": {"a": "x.safetensors"}}`)},
			needs("a"), "expected tensor a",
		},
		"need says no": {good, func([]byte, []string) ([]string, error) { return nil, fmt.Errorf("not this family") }, "not this family"},
	} {
		t.Run(name, func(t *testing.T) {
			s := hubtest.New(t)
			s.Add(tiny, test.files)
			_, _, err := newClient(t, s, t.TempDir(), nil).Model(t.Context(), reference(t, tiny), test.need)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, expected %q in it", err, test.want)
			}
		})
	}
}

// TestModelsOpen: what is downloaded of a model reads as the whole does.
func TestModelsOpen(t *testing.T) {
	for _, family := range []string{"gpt2", "gemma2", "llama", "mixtral", "gpt-neox"} {
		for _, links := range []bool{true, false} {
			source := filepath.Join("..", "model", "testdata", family)
			s := hubtest.New(t)
			s.AddDirectory(t, tiny, source)
			if !links {
				symlink = func(string, string) error { return syscall.EPERM }
			}
			_, dir, err := newClient(t, s, t.TempDir(), nil).Model(t.Context(), reference(t, tiny), needed)
			symlink = os.Symlink
			if err != nil {
				t.Errorf("%s: %v", family, err)
				continue
			}
			if got, want := unembedding(t, dir), unembedding(t, source); !slices.Equal(got, want) {
				t.Errorf("%s: other values than those of the whole model", family)
			}
		}
	}
}

func unembedding(t testing.TB, dir string) []float32 {
	t.Helper()
	u, err := model.Open(dir, model.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	values := make([]float32, u.Info().DVocab*u.Info().DModel)
	if err := u.ReadRows(0, values); err != nil {
		t.Fatal(err)
	}
	return values
}

func needed(config []byte, names []string) ([]string, error) {
	return model.NeededTensors(config, names, model.Options{})
}
