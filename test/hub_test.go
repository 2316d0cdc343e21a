package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader/hub/hubtest"
	stored "github.com/saedb/saedb/loader/safetensors"
)

// The repositories that the tests' Hub has: a tiny model, and one SAE under the
// name of a published release.
const (
	hubModel = "org/tiny-gpt2"
	hubSAEs  = "jbloom/GPT2-Small-SAEs-Reformatted"
)

// newHub is a Hub with a tiny model whose whole file is much larger than what is
// needed of it, and with an SAE of its width.
func newHub(t *testing.T) *hubtest.Server {
	t.Helper()
	s := hubtest.New(t)
	files := hubtest.Directory(t, "../loader/model/testdata/gpt2")
	files["tokenizer.json"] = hubtest.Directory(t, "../loader/vocab/testdata/gpt2")["tokenizer.json"]
	files["model.safetensors"] = withBlocks(t, files["model.safetensors"])
	s.Add(hubModel, files)
	dir := t.TempDir()
	tinySAE(t, filepath.Join(dir, "blocks.8.hook_resid_pre"), 8)
	tinySAE(t, filepath.Join(dir, "blocks.9.hook_resid_pre"), 9)
	repository := hubtest.Directory(t, dir)
	repository["blocks.8.hook_resid_pre/trainer_state.pt"] = bytes.Repeat([]byte("x"), 1000)
	s.Add(hubSAEs, repository)
	return s
}

// withBlocks adds to a checkpoint a tensor that is twice as large as the rest, as
// the blocks of a real model are.
func withBlocks(t *testing.T, file []byte) []byte {
	t.Helper()
	length, err := stored.HeaderLength(file, int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	spans, metadata, err := stored.Layout(file[8:8+length], int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	values := file[8+length:]
	n := 2 * len(values)
	spans = append(spans, stored.Span{Name: "h.0.mlp.filler", DType: "U8", Shape: []uint64{uint64(n)}, End: int64(n)})
	header, err := stored.Header(spans, metadata)
	if err != nil {
		t.Fatal(err)
	}
	return append(append(header, values...), make([]byte, n)...)
}

// tinySAE writes a SAELens directory with 24 features of width 32.
func tinySAE(t *testing.T, dir string, layer int) {
	t.Helper()
	narrowSAE(t, dir, layer, 24)
}

// narrowSAE writes one with any number of features.
func narrowSAE(t *testing.T, dir string, layer, features int) {
	t.Helper()
	const dModel = 32
	values := make([]byte, 0, 4*features*dModel)
	for i := range features * dModel {
		bits := math.Float32bits(float32(math.Sin(float64(i * (layer + 1)))))
		values = append(values, byte(bits), byte(bits>>8), byte(bits>>16), byte(bits>>24))
	}
	file := safetensors(t, dir, "sae_weights.safetensors", "W_dec", features, dModel)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "sae_weights.safetensors", append(content[:len(content)-len(values)], values...))
	cfg, err := json.Marshal(map[string]any{
		"architecture": "standard", "d_in": dModel, "d_sae": features, "dtype": "float32", "hook_point": fmt.Sprintf("blocks.%d.hook_resid_pre", layer), "model_name": "gpt2-small",
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cfg.json", cfg)
}

// hubEnvironment is this process's, with a Hub and a cache in home.
func hubEnvironment(s *hubtest.Server, home string) []string {
	var all []string
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "HF_") && !strings.HasPrefix(variable, "TRANSFORMERS_") && !strings.HasPrefix(variable, "HUGGING") {
			all = append(all, variable)
		}
	}
	return append(all, "HF_ENDPOINT="+s.URL, "HF_HOME="+home)
}

// runWithHub runs the program with a Hub, a cache in home, and more variables.
func runWithHub(t *testing.T, s *hubtest.Server, home string, more []string, args ...string) result {
	t.Helper()
	return saedbRunIn(t, append(hubEnvironment(s, home), more...), "", args...)
}

func mustRunWithHub(t *testing.T, s *hubtest.Server, home string, more []string, args ...string) string {
	t.Helper()
	r := runWithHub(t, s, home, more, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("saedb %v: exit %d: %s", args, r.code, r.stderr)
	}
	return r.stdout
}

// TestLoadFromTheHub is a new database from names alone: model, published SAE,
// figures; then the same again without the network.
func TestLoadFromTheHub(t *testing.T) {
	s, home := newHub(t), t.TempDir()
	db := filepath.Join(t.TempDir(), "new.db")
	said := mustRunWithHub(t, s, home, nil, "--db", db, "load", "model", hubModel)
	if !strings.HasPrefix(said, "loaded model tiny-gpt2: 500 tokens") {
		t.Errorf("it said %q", said)
	}
	for _, r := range s.Came() {
		if r.CDN && r.Range == "" {
			t.Error("the whole of model.safetensors was downloaded")
		}
	}
	said = mustRunWithHub(t, s, home, nil, "--db", db, "load", "sae", "--release", "gpt2-small-res-jb", "--layer", "8")
	if !strings.HasPrefix(said, "loaded sae gpt2-small-res-jb/blocks.8.hook_resid_pre: 24 features") {
		t.Errorf("it said %q", said)
	}
	for _, r := range s.Came() {
		if strings.Contains(r.Path, "trainer_state") {
			t.Errorf("%s was downloaded", r.Path)
		}
	}
	mustRunWithHub(t, s, home, nil, "--db", db, "compute")

	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	var release, source, revision, url, modelSource, modelRevision string
	err = opened.QueryRowContext(t.Context(), `SELECT f.release, l.source, l.revision, f.neuronpedia_url, m.source, m.revision
		FROM features f JOIN saes s USING (sae, release) JOIN loads l USING (load_id), loads m
		WHERE m.kind = 'model' AND f.feature = 3 AND f.skewness IS NOT NULL`).Scan(&release, &source, &revision, &url, &modelSource, &modelRevision)
	if err != nil {
		t.Fatal(err)
	}
	got := []string{release, source, revision, url, modelSource, modelRevision}
	want := []string{
		"gpt2-small-res-jb", hubSAEs + "/blocks.8.hook_resid_pre", s.Repos[hubSAEs].Commit, "https://www.neuronpedia.org/gpt2-small/8-res-jb/3",
		hubModel, s.Repos[hubModel].Commit,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("recorded\ngot  %v\nwant %v", got, want)
	}
	var local int
	if err := opened.QueryRowContext(t.Context(), `SELECT count(*) FROM load_files WHERE path LIKE '/%'`).Scan(&local); err != nil || local != 0 {
		t.Errorf("%d files are recorded by their path on this machine (%v)", local, err)
	}
	opened.Close()
	for _, place := range []string{home, s.URL} {
		if content, err := os.ReadFile(db); err != nil || bytes.Contains(content, []byte(place)) {
			t.Errorf("the database has %s in it (%v)", place, err)
		}
	}

	s.Came()
	again := filepath.Join(t.TempDir(), "again.db")
	offline := []string{"HF_HUB_OFFLINE=1"}
	words := []string{"load", "sets", "--family", "words", "--multi-token", "all"}
	if buildTags == "" {
		words = words[:4] // the tokenizer library is not there
	}
	for _, args := range [][]string{
		{"load", "model", hubModel + "@" + s.Repos[hubModel].Commit}, {"load", "model", hubModel},
		{"load", "sae", hubSAEs + "/blocks.8.hook_resid_pre"}, {"load", "sae", "--release", "gpt2-small-res-jb", "--id", "blocks.8.hook_resid_pre", "--copy"},
		words,
	} {
		mustRunWithHub(t, s, home, offline, append([]string{"--db", again}, args...)...)
	}
	if came := s.Came(); len(came) != 0 {
		t.Errorf("requests although offline: %v", came)
	}
	if n := count(t, again, "SELECT count(DISTINCT neuronpedia_id) FROM saes"); n != 1 {
		t.Errorf("%d Neuronpedia ids, expected that of the catalogue for both loads", n)
	}
	if said := mustRunWithHub(t, s, home, nil, "--db", again, "load", "model", hubModel); !strings.Contains(said, "nothing changed") {
		t.Errorf("loading the same again said %q", said)
	}
}

// TestBlocksFromTheHub: an SAE of attention heads needs W_O, which is downloaded
// when it does, beside what the model's own load downloaded.
func TestBlocksFromTheHub(t *testing.T) {
	s, home := newHub(t), t.TempDir()
	dir := filepath.Join(t.TempDir(), "blocks.0.hook_z")
	tinySAE(t, dir, 0)
	config := bytes.Replace(hubtest.Directory(t, dir)["cfg.json"], []byte("blocks.0.hook_resid_pre"), []byte("blocks.0.attn.hook_z"), 1)
	write(t, dir, "cfg.json", config)
	db := filepath.Join(t.TempDir(), "new.db")
	mustRunWithHub(t, s, home, nil, "--db", db, "load", "model", hubModel)
	s.Came()
	said := mustRunWithHub(t, s, home, nil, "--db", db, "load", "sae", dir)
	if !strings.HasPrefix(said, "loaded sae blocks.0.hook_z: 24 features") {
		t.Errorf("it said %q", said)
	}
	downloaded := 0
	for _, r := range s.Came() {
		if r.CDN {
			downloaded++
		}
	}
	if downloaded != 1 {
		t.Errorf("%d downloads, expected W_O alone", downloaded)
	}
	var local string
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := opened.QueryRowContext(t.Context(), "SELECT scale FROM saes").Scan(&local); err != nil || !strings.Contains(local, "W_O (h.0.attn.c_proj.weight)") {
		t.Errorf("scale %q (%v)", local, err)
	}
}

// TestLoadFromTheHubRefuses: one line that says what to do, no database, and
// nothing sent where a mistake shows without it.
func TestLoadFromTheHubRefuses(t *testing.T) {
	s := newHub(t)
	s.Add("org/gated", map[string][]byte{"config.json": []byte("{}")})
	s.Repos["org/gated"].Gated = true
	s.Add("org/pickles", map[string][]byte{"config.json": []byte("{}"), "pytorch_model.bin": []byte("x")})
	dir := t.TempDir()
	db := filepath.Join(dir, "new.db")
	for _, test := range []struct {
		args  []string
		code  int
		want  string
		quiet bool // without a request
	}{
		{[]string{"load", "model", "org/gated"}, 1, "is gated", false},
		{[]string{"load", "model", "org/nothing"}, 1, "no such repository", false},
		{[]string{"load", "model", hubModel + "@v9"}, 1, `no branch, tag or commit "v9"`, false},
		{[]string{"load", "model", "org/pickles"}, 1, "PyTorch's *.bin files are not read", false},
		{[]string{"load", "sae", hubSAEs + "/blocks.7.hook_resid_pre"}, 1, "no such file or directory", false},
		{[]string{"load", "sae", hubModel}, 1, "expected", false},
		{[]string{"load", "sae", "--release", "gpt2-smal-res-jb"}, 1, "near it: gpt2-small-res-jb", true},
		{[]string{"load", "sae", "--release", "gpt2-small-res-jb", "--layer", "13"}, 1, "its layers: 0, 1", true},
		{[]string{"load", "sae", "--release", "gpt2-small-res-jb", "--id", "blocks.8"}, 1, "near it: blocks.8.hook_resid_pre", true},
		{[]string{"load", "sae", "--layer", "8"}, 2, "--release", true},
		{[]string{"load", "sae", hubSAEs, "--layer", "8"}, 2, "go with --release alone", true},
		{[]string{"load", "sae", "--release", "gpt2-small-res-jb", "--layer", "-1"}, 2, "0 or more", true},
		{[]string{"load", "model", filepath.Base(dir) + "/nothing"}, 1, "", false},
		{[]string{"load", "model", "testdata-of-none"}, 1, "no such file", true},
		{[]string{"load", "model", "sql/nothing"}, 1, "no such file", true},
	} {
		s.Came()
		r := runWithHub(t, s, filepath.Join(dir, "home"), nil, append([]string{"--db", db}, test.args...)...)
		if r.code != test.code || !strings.Contains(r.stderr, test.want) || strings.Count(r.stderr, "\n") != 1 || r.stdout != "" {
			t.Errorf("saedb %v: exit %d, %q, %q; expected exit %d and %q", test.args, r.code, r.stdout, r.stderr, test.code, test.want)
		}
		if came := s.Came(); test.quiet && len(came) != 0 {
			t.Errorf("saedb %v sent %v", test.args, came)
		}
		os.Remove(db)
	}
}

// TestReleases: the catalogue, in SQL and by the command.
func TestReleases(t *testing.T) {
	if said := mustRun(t, "sql", "--format", "csv", "SELECT count(*) AS saes, count(DISTINCT release) AS releases FROM releases"); said != "saes,releases\n13857,170\n" {
		t.Errorf("FROM releases gave %q", said)
	}
	if said := mustRun(t, "--db", example, "sql", "--read-only", "--format", "csv",
		"SELECT sae, layer, neuronpedia_id FROM Releases WHERE release = 'gpt2-small-res-jb' AND hook LIKE '%post'"); said != "sae,layer,neuronpedia_id\nblocks.11.hook_resid_post,12,gpt2-small/12-res-jb\n" {
		t.Errorf("a release's SAEs: %q", said)
	}
	if said := mustRun(t, "sql", "--format", "csv", "CREATE TABLE releases AS SELECT 7 AS mine; FROM releases"); !strings.Contains(said, "mine\n7\n") {
		t.Errorf("a table of that name: %q", said)
	}
	if said := mustRun(t, "releases", "LLAMA_scope", "--format", "csv"); strings.Count(said, "\n") != 8 || !strings.Contains(said, "llama_scope_lxr_32x,meta-llama/Llama-3.1-8B,32,0,31,[131072]") {
		t.Errorf("releases LLAMA_scope: %q", said)
	}
	if said := mustRun(t, "releases", "gpt2-small-res-jb", "--format", "csv"); strings.Count(said, "\n") != 14 {
		t.Errorf("releases gpt2-small-res-jb: %q", said)
	}
	if r := saedbRun(t, "", "releases", "nothing-like-it"); r.code != 1 || !strings.Contains(r.stderr, "has that in its name") {
		t.Errorf("exit %d, %q", r.code, r.stderr)
	}
}

// TestRealHub loads GPT-2 and the SAE of layer 8 of gpt2-small-res-jb, about 300
// MB, from the Hub itself and compares with published figures.
//
//	SAEDB_TEST_HUB=1 go test ./test -run TestRealHub -v
func TestRealHub(t *testing.T) {
	if os.Getenv("SAEDB_TEST_HUB") != "1" {
		t.Skip("SAEDB_TEST_HUB=1 downloads 300 MB and compares with published figures")
	}
	db := filepath.Join(t.TempDir(), "gpt2.db")
	for _, args := range [][]string{
		{"load", "model", "openai-community/gpt2"}, {"load", "sae", "--release", "gpt2-small-res-jb", "--layer", "8"}, {"compute"},
	} {
		t.Log(strings.TrimSpace(mustRun(t, append([]string{"--db", db}, args...)...)))
	}
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if n := count(t, db, "SELECT count(*) FROM layer_8"); n != 24576 {
		t.Errorf("%d features, expected 24576", n)
	}
	// SAELens's tutorial prints these; the last digit is rounded there.
	for _, figure := range []struct {
		feature int
		column  string
		want    float64
		within  float64
	}{
		{0, "std", 0.1897, 1e-4}, {0, "skewness", 0.764, 1e-3}, {4, "skewness", 1.676, 1e-3}, {4, "kurtosis", 10.387, 1e-3}, {1, "log_sparsity", -10, 1e-6},
	} {
		var got float64
		err := opened.QueryRowContext(t.Context(), "SELECT "+figure.column+" FROM layer_8 WHERE feature = ?", figure.feature).Scan(&got)
		if err != nil || math.Abs(got-figure.want) > figure.within {
			t.Errorf("%s of feature %d: %v (%v), expected %v", figure.column, figure.feature, got, err, figure.want)
		}
	}
}
