package model

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/safetensors"
)

// shared has larger fixtures, which a clone alone does not.
const shared = "../../../shared/fixtures"

// readNPY reads a float32 array of a shape, of numpy's format 1.0.
func readNPY(t *testing.T, path string, shape ...int) []float32 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(binary.LittleEndian.Uint16(content[8:]))
	want := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", strings.Trim(describe(shape), "[]"))
	if got := string(content[10 : 10+len(want)]); got != want {
		t.Fatalf("%s: %s, want %s", path, got, want)
	}
	values := make([]float32, product(shape))
	if _, err := binary.Decode(content[header:], binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return values
}

func openModel(t *testing.T, path string) *Unembedding {
	t.Helper()
	u, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func readAll(t *testing.T, u *Unembedding) []float32 {
	t.Helper()
	rows := make([]float32, u.Info().DVocab*u.Info().DModel)
	if err := u.ReadRows(0, rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// The oracle is TransformerLens 3.9.0; see testdata/README.md.
func TestFamiliesAgreeWithTransformerLens(t *testing.T) {
	tests := []struct {
		name, dtype    string
		dVocab, dModel int
		shards         int // files with tensors, of those needed
		processing     string
	}{
		{"gpt2", "F32", 500, 32, 1, "W_U from wte.weight (tied to the embedding), LayerNorm ln_f.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"gpt-neox", "F32", 512, 32, 2, "W_U from embed_out.weight, LayerNorm gpt_neox.final_layer_norm.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"llama", "BF16", 500, 32, 1, "W_U from lm_head.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"gemma2", "BF16", 500, 32, 1, "W_U from model.embed_tokens.weight (tied to the embedding), RMSNorm model.norm.weight + 1 folded, not centred over the vocabulary since logits are soft-capped at 30"},
		{"qwen2", "F32", 512, 32, 1, "W_U from model.embed_tokens.weight (tied to the embedding), RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"mixtral", "F32", 500, 32, 2, "W_U from lm_head.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"olmo2", "F32", 500, 32, 1, "W_U from lm_head.weight, RMSNorm model.norm.weight not folded, centred over the vocabulary"},
		{"phi", "F32", 500, 32, 1, "W_U from lm_head.weight, LayerNorm model.final_layernorm.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"gpt-neo", "F32", 64, 16, 1, "W_U from transformer.wte.weight (tied to the embedding), LayerNorm transformer.ln_f.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"gpt-j", "F32", 64, 16, 1, "W_U from lm_head.weight, LayerNorm transformer.ln_f.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"opt", "F32", 64, 16, 1, "W_U from model.decoder.embed_tokens.weight (tied to the embedding), LayerNorm model.decoder.final_layer_norm.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"bloom", "F32", 64, 16, 1, "W_U from transformer.word_embeddings.weight (tied to the embedding), LayerNorm transformer.ln_f.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"gemma3", "F32", 64, 16, 1, "W_U from language_model.model.embed_tokens.weight (tied to the embedding), RMSNorm language_model.model.norm.weight + 1 folded, centred over the vocabulary"},
		{"olmo", "F32", 64, 16, 1, "W_U from lm_head.weight, LayerNorm without weight, centred over d_model, centred over the vocabulary"},
		{"qwen3", "F32", 64, 16, 1, "W_U from lm_head.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"phi3", "F32", 64, 16, 1, "W_U from lm_head.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"mpt", "F32", 64, 16, 1, "W_U from transformer.wte.weight (tied to the embedding), LayerNorm transformer.norm_f.weight folded, centred over d_model, centred over the vocabulary"},
		{"stablelm", "F32", 64, 16, 1, "W_U from lm_head.weight, LayerNorm model.norm.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"glm4", "F32", 64, 16, 1, "W_U from lm_head.weight, RMSNorm model.norm.weight not folded, centred over the vocabulary"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join("testdata", test.name)
			u := openModel(t, dir)
			info := u.Info()
			if info.Path != dir || info.Format != FormatHuggingFace || info.DType != test.dtype ||
				info.DModel != test.dModel || info.DVocab != test.dVocab {
				t.Errorf("info %+v", info)
			}
			if got := info.Processing.String(); got != test.processing {
				t.Errorf("processing\n     %s\nwant %s", got, test.processing)
			}
			checkFiles(t, info.Files, test.shards)
			want := readNPY(t, dir+".expected_w_u.npy", test.dVocab, test.dModel)
			if worst := largestDifference(readAll(t, u), want); !(worst <= 1e-6) {
				t.Errorf("largest difference %g", worst)
			}
		})
	}
}

// The oracle is the same, with center_unembed=False; see testdata/README.md.
func TestFoldOnlyAgreesWithTransformerLens(t *testing.T) {
	for name, want := range map[string]string{
		"gpt-neo": "W_U from transformer.wte.weight (tied to the embedding), LayerNorm transformer.ln_f.weight folded, its bias in b_U, centred over d_model, not centred over the vocabulary",
		"gpt-j":   "", "opt": "", "bloom": "", "olmo": "", "phi3": "", "mpt": "", "stablelm": "",
		"gemma3": "W_U from language_model.model.embed_tokens.weight (tied to the embedding), RMSNorm language_model.model.norm.weight + 1 folded, not centred over the vocabulary",
		"qwen3":  "W_U from lm_head.weight, RMSNorm model.norm.weight folded, not centred over the vocabulary",
		"glm4":   "W_U from lm_head.weight, RMSNorm model.norm.weight not folded, not centred over the vocabulary",
	} {
		dir := filepath.Join("testdata", name)
		u, err := Open(dir, Options{Processing: ProcessFoldOnly})
		if err != nil {
			t.Fatal(err)
		}
		defer u.Close()
		if got := u.Info().Processing; want != "" && got.String() != want || got.Mode != ProcessFoldOnly {
			t.Errorf("%s: %s", name, got)
		}
		if worst := largestDifference(readAll(t, u), readNPY(t, dir+".expected_fold_only.npy", 64, 16)); !(worst <= 1e-6) {
			t.Errorf("%s: largest difference %g", name, worst)
		}
	}
}

// checkFiles expects config.json, the index if there is one, and so many files
// with tensors, all of which exist.
func checkFiles(t *testing.T, files []string, shards int) {
	t.Helper()
	weights := 0
	for _, path := range files {
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		if filepath.Ext(path) == ".safetensors" {
			weights++
		}
	}
	dir := filepath.Dir(files[0])
	_, err := os.Stat(filepath.Join(dir, indexFile))
	if sharded := err == nil; sharded != slices.Contains(files, filepath.Join(dir, indexFile)) {
		t.Errorf("index in files: %v, in the directory: %v", !sharded, sharded)
	}
	if filepath.Base(files[0]) != configFile || weights != shards {
		t.Errorf("files %v, want %s and %d shards", files, configFile, shards)
	}
}

func largestDifference(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.NaN()
	}
	worst := 0.0
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i])-float64(b[i])))
	}
	return worst
}

// A shard given as a file is the whole model, and so is the one file of another.
func TestFileStandsForDirectory(t *testing.T) {
	for _, file := range []string{"mixtral/model-00002-of-00003.safetensors", "gpt2/model.safetensors"} {
		path := filepath.Join("testdata", file)
		fromFile, fromDirectory := openModel(t, path), openModel(t, filepath.Dir(path))
		if !slices.Equal(readAll(t, fromFile), readAll(t, fromDirectory)) {
			t.Errorf("%s differs from its directory", file)
		}
		if a, b := fromFile.Info(), fromDirectory.Info(); a.Path != path || !slices.Equal(a.Files, b.Files) {
			t.Errorf("%s: %v, its directory: %v", a.Path, a.Files, b.Files)
		}
	}
}

func skipWithout(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("needs the larger fixtures: %v", err)
	}
}

// The same model as GGUF and as a directory, up to the rounding of Q8_0.
func TestRealModel(t *testing.T) {
	paths := map[string]string{
		"Q8_0": filepath.Join(shared, "demo", "SmolLM2-135M-Instruct.unembedding.gguf"),
		"BF16": filepath.Join(shared, "smollm2-135m"),
	}
	firstRows := map[string][]float32{}
	for dtype, path := range paths {
		skipWithout(t, path)
		u := openModel(t, path)
		info := u.Info()
		if info.DVocab != 49152 || info.DModel != 576 || info.DType != dtype || info.Architecture != "llama" || !info.Processing.Tied {
			t.Errorf("%+v", info)
		}
		if n, err := VocabularySize(path); err != nil || n != 49152 {
			t.Errorf("VocabularySize(%s) = %d, %v", path, n, err)
		}
		rows := make([]float32, 100*576)
		if err := u.ReadRows(1000, rows); err != nil {
			t.Fatal(err)
		}
		firstRows[dtype] = rows
	}
	if worst := largestDifference(firstRows["Q8_0"], firstRows["BF16"]); worst == 0 || worst > 0.1 {
		t.Errorf("largest difference between Q8_0 and BF16: %g", worst)
	}
}

// The oracle is float64 arithmetic on what SAELens and TransformerLens load.
func TestLogitWeightsOfRealModel(t *testing.T) {
	path := filepath.Join(shared, "demo")
	skipWithout(t, path)
	const hook, d = "blocks.14.hook_resid_pre", 576
	var golden []struct {
		Feature   int       `json:"feature"`
		Top       []int     `json:"top"`
		TopLogits []float64 `json:"top_logits"`
	}
	content, err := os.ReadFile(filepath.Join(path, "golden", "top_tokens_"+hook+".json"))
	if err == nil {
		err = json.Unmarshal(content, &golden)
	}
	if err != nil || len(golden) == 0 {
		t.Fatalf("%d features, %v", len(golden), err)
	}
	sae, err := safetensors.Open(filepath.Join(path, "saes", hook, "sae_weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer sae.Close()
	decoder, err := sae.Tensor("W_dec")
	if err != nil {
		t.Fatal(err)
	}
	u := openModel(t, filepath.Join(path, "SmolLM2-135M-Instruct.unembedding.gguf"))
	direction, row := make([]float32, d), make([]float32, d)
	for _, g := range golden {
		for i, token := range g.Top {
			if err := errors.Join(decoder.ReadFloats(g.Feature*d, direction), u.ReadRows(token, row)); err != nil {
				t.Fatal(err)
			}
			got := 0.0
			for j := range d {
				got += float64(direction[j]) * float64(row[j])
			}
			if math.Abs(got-g.TopLogits[i]) > 1e-6 {
				t.Fatalf("feature %d, token %d: %v, want %v", g.Feature, token, got, g.TopLogits[i])
			}
		}
	}
}
