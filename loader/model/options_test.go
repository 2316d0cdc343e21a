package model

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

func openWith(t *testing.T, path string, o Options) *Unembedding {
	t.Helper()
	u, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func number(v float64) *float64 { return &v }

// Models of no family, and overrides of one. The oracle is treatment, of this test.
func TestOptions(t *testing.T) {
	const named = "out.weight"
	tests := []struct {
		name, config string // no config.json when empty
		others       []string
		options      Options
		want         treatment
		processing   string
	}{
		{"RMSNorm without configuration", ``, []string{"final_norm.weight"}, Options{Unembedding: named, Norm: "final_norm.weight", NormKind: RMSNorm}, rmsNorm,
			"W_U from out.weight, RMSNorm final_norm.weight folded, centred over the vocabulary"},
		{"norm without .weight, offset", `{"model_type": "mamba"}`, []string{"final_norm.weight"}, Options{Unembedding: named, Norm: "final_norm", NormKind: RMSNorm, NormOffset: number(1)}, gemmaNorm,
			"W_U from out.weight, RMSNorm final_norm.weight + 1 folded, centred over the vocabulary"},
		{"LayerNorm by its bias", `{"hidden_size": 32}`, []string{"final_norm.weight", "final_norm.bias"}, Options{Unembedding: named, Norm: "final_norm.weight"}, layerNorm,
			"W_U from out.weight, LayerNorm final_norm.weight folded, its bias in b_U, centred over d_model, centred over the vocabulary"},
		{"LayerNorm without bias", ``, []string{"final_norm.weight"}, Options{Unembedding: named, Norm: "final_norm.weight", NormKind: LayerNorm}, layerNorm,
			"W_U from out.weight, LayerNorm final_norm.weight folded, centred over d_model, centred over the vocabulary"},
		{"no norm", ``, nil, Options{Unembedding: named, Norm: NoNorm, NormKind: RMSNorm}, kept, "W_U from out.weight, RMSNorm without weight, centred over the vocabulary"},
		{"soft-cap", ``, []string{"final_norm.weight"}, Options{Unembedding: named, Norm: "final_norm.weight", NormKind: RMSNorm, SoftCap: number(20)}, treatment{fold: true},
			"W_U from out.weight, RMSNorm final_norm.weight folded, not centred over the vocabulary since logits are soft-capped at 20"},
		{"family's norm, other unembedding", `{"model_type": "llama"}`, []string{"model.norm.weight", "lm_head.weight"}, Options{Unembedding: named}, rmsNorm,
			"W_U from out.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"a norm that the family keeps", `{"model_type": "olmo2"}`, []string{"model.norm.weight"}, Options{Unembedding: named, Norm: "model.norm.weight"}, rmsNorm,
			"W_U from out.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"family's soft-cap taken off", `{"model_type": "gemma2"}`, []string{"model.norm.weight"}, Options{Unembedding: named, SoftCap: number(0), NormOffset: number(0)}, rmsNorm,
			"W_U from out.weight, RMSNorm model.norm.weight folded, centred over the vocabulary"},
		{"as stored", `{"model_type": "gpt2"}`, []string{"ln_f.weight", "ln_f.bias"}, Options{Unembedding: named, Processing: ProcessNone}, treatment{},
			"W_U from out.weight as stored, LayerNorm ln_f.weight not folded, not centred over the vocabulary"},
		{"folded only", `{"model_type": "gpt2"}`, []string{"ln_f.weight", "ln_f.bias"}, Options{Unembedding: named, Processing: ProcessFoldOnly}, treatment{fold: true, centerRows: true},
			"W_U from out.weight, LayerNorm ln_f.weight folded, its bias in b_U, centred over d_model, not centred over the vocabulary"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := writeModel(t, test.config, named, test.others...)
			files := 2
			if test.config == "" {
				if err := os.Remove(filepath.Join(dir, configFile)); err != nil {
					t.Fatal(err)
				}
				files = 1
			}
			u := openWith(t, dir, test.options)
			info := u.Info()
			if got := info.Processing.String(); got != test.processing || len(info.Files) != files || info.Architecture == "" {
				t.Errorf("%s\nwant %s, of %v", got, test.processing, info.Files)
			}
			checkRows(t, u, test.want)
		})
	}
}

func TestOptionsInGGUF(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.gguf")
	gguftest.Write(t, path, []gguftest.Pair{{Key: ggufArchKey, Value: "rwkv7"}},
		gguftest.Floats("head.weight", []int{testVocab, testModel}, testRows...), gguftest.Floats("ln.weight", []int{testModel}, testWeight...),
		gguftest.Floats("ln.bias", []int{testModel}, testBias...))
	u := openWith(t, path, Options{Unembedding: "head.weight", Norm: "ln"})
	if info := u.Info(); info.Architecture != "rwkv7" || info.Processing.NormBiasTensor != "ln.bias" || info.Processing.Tied {
		t.Errorf("%+v", info)
	}
	checkRows(t, u, layerNorm)
	checkRows(t, openWith(t, path, Options{Unembedding: "head.weight", Norm: "ln", Processing: ProcessNone}), treatment{})
}

// As stored is what the file holds, whatever its family.
func TestProcessingNone(t *testing.T) {
	for _, name := range []string{"gpt2", "llama", "gemma2", "olmo"} {
		dir := filepath.Join("testdata", name)
		u := openWith(t, dir, Options{Processing: ProcessNone})
		info := u.Info()
		c, err := openCheckpoint(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		stored, err := c.tensor(info.Processing.UnembeddingTensor)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float32, stored.Len())
		if err := stored.ReadFloats(0, want); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(readAll(t, u), want) || info.Processing.Mode != ProcessNone || info.Processing.NormFolded || info.Processing.CenteredOverDModel {
			t.Errorf("%s: %s", name, info.Processing)
		}
	}
}

func TestOptionsErrors(t *testing.T) {
	norm := safetensorstest.F32("n.weight", []int{2}, 1, 2)
	dir := directory(t, map[string]string{configFile: `{"model_type": "mamba"}`, weightsFile: weights(
		safetensorstest.F32("out.weight", []int{3, 2}, 1, 2, 3, 4, 5, 6), norm, safetensorstest.F32("turned.weight", []int{2, 3}, 1, 2, 3, 4, 5, 6))})
	tests := []struct {
		options Options
		want    string
	}{
		{Options{}, `found "mamba"`},
		{Options{Unembedding: "out.weight"}, `found "mamba"`},
		{Options{Processing: "all"}, `processing: expected one of transformerlens, fold-only, none, found "all"`},
		{Options{NormKind: "batch"}, "kind of norm: expected LayerNorm or RMSNorm"},
		{Options{NormOffset: number(math.Inf(1))}, "norm offset: expected a finite number"},
		{Options{SoftCap: number(-1)}, "soft-cap: expected a number from 0 on, found -1"},
		{Options{SoftCap: number(math.NaN())}, "soft-cap"},
		{Options{Unembedding: "out.weight", Norm: "n.weight"}, "give --norm-kind layer or --norm-kind rms"},
		{Options{Unembedding: "out.weight", Norm: NoNorm}, "give --norm-kind"},
		{Options{Unembedding: "none.weight", Norm: "n.weight", NormKind: RMSNorm}, "tensor none.weight: is missing: found n.weight, out.weight, turned.weight (it was given as the unembedding)"},
		{Options{Unembedding: "out.weight", Norm: "m", NormKind: RMSNorm}, "tensor m: is missing"},
		{Options{Unembedding: "turned.weight", Norm: "n.weight", NormKind: RMSNorm}, "tensor n.weight: expected shape [3], d_model of the unembedding, found [2]"},
		{Options{Unembedding: "n.weight", Norm: "n.weight", NormKind: RMSNorm}, "expected a matrix"},
	}
	for _, test := range tests {
		u, err := Open(dir, test.options)
		if err == nil {
			u.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%+v: %v\nwant %q", test.options, err, test.want)
		}
	}
}

// The vocabulary of an architecture that is not known is as large as its configuration says.
func TestVocabularySizeOfUnknownFamily(t *testing.T) {
	dir := directory(t, map[string]string{configFile: `{"model_type": "mamba", "vocab_size": 11}`, weightsFile: weights()})
	if n, err := VocabularySize(dir); n != 11 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}
