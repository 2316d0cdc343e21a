package model

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
	"github.com/saedb/saedb/loader/tensor"
)

// embeddingNames are what the tensor is called in the families' checkpoints, of which every
// file has one, by the modules of transformers (get_input_embeddings), and in GGUF.
var embeddingNames = []string{
	"wte.weight", "embed_tokens.weight", "embed_in.weight", "word_embeddings.weight", "token_embd.weight",
}

// TestEmbeddings: the embedding of a model of every family is the tensor of that name in its
// files, bit for bit.
func TestEmbeddings(t *testing.T) {
	paths, err := filepath.Glob("testdata/*/config.json")
	if err != nil || len(paths) < 15 {
		t.Fatalf("%d models (%v)", len(paths), err)
	}
	more, _ := filepath.Glob(shared + "/model-families/*/config.json") // where they are
	for _, config := range append(paths, more...) {
		path := filepath.Dir(config)
		t.Run(filepath.Base(path), func(t *testing.T) {
			files, err := filepath.Glob(filepath.Join(path, "*.safetensors"))
			if err != nil || len(files) == 0 {
				t.Fatal("no weights in safetensors files")
			}
			var found []*tensor.Tensor
			for _, name := range files {
				file, err := safetensors.Open(name)
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				found = append(found, embeddingsIn(t, file)...)
			}
			sameEmbedding(t, path, found)
		})
	}
	ggufs, _ := filepath.Glob("../../examples/smollm2-135m/*.gguf")
	if len(ggufs) == 0 {
		t.Fatal("no GGUF file in the example")
	}
	file, err := gguf.Open(ggufs[0])
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sameEmbedding(t, ggufs[0], embeddingsIn(t, file.File))
}

func embeddingsIn(t *testing.T, file *tensor.File) (found []*tensor.Tensor) {
	t.Helper()
	for _, name := range file.Names() {
		if slices.ContainsFunc(embeddingNames, func(ending string) bool { return strings.HasSuffix("."+name, "."+ending) }) {
			one, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, one)
		}
	}
	return found
}

func sameEmbedding(t *testing.T, path string, found []*tensor.Tensor) {
	t.Helper()
	if len(found) != 1 {
		t.Fatalf("%s: %d tensors that could be its embedding", path, len(found))
	}
	e, err := OpenEmbedding(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	want := make([]float32, found[0].Shape[0]*found[0].Shape[1])
	if err := found[0].ReadFloats(0, want); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, e.Info().DVocab*e.Info().DModel)
	if err := e.ReadRows(0, got); err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(got, want, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
		t.Errorf("%s: tensor %s is not what the file has", path, e.Info().Tensor)
	}
	u := openModel(t, path)
	if e.Info().DVocab != u.Info().DVocab || e.Info().DModel != u.Info().DModel {
		t.Errorf("%s: embedding [%d, %d], unembedding [%d, %d]", path, e.Info().DVocab, e.Info().DModel, u.Info().DVocab, u.Info().DModel)
	}
	if tied := u.Info().Processing.UnembeddingTensor == e.Info().Tensor; tied != u.Info().Processing.Tied {
		t.Errorf("%s: unembedding %s, embedding %s, tied %v", path, u.Info().Processing.UnembeddingTensor, e.Info().Tensor, u.Info().Processing.Tied)
	}
}

// TestEmbeddingErrors: what is missing or not finite is an error that names it.
func TestEmbeddingErrors(t *testing.T) {
	const llama = `{"model_type": "llama"}`
	head := safetensorstest.F32("lm_head.weight", []int{3, 2}, 1, 2, 3, 4, 5, 6)
	norm := safetensorstest.F32("model.norm.weight", []int{2}, 1, 2)
	broken := safetensorstest.F32("model.embed_tokens.weight", []int{3, 2}, 1, 2, 3, 4, float32(math.NaN()), 6)
	for _, test := range []struct {
		name, config string
		tensors      []safetensorstest.Tensor
		options      Options
		want         string
	}{
		{"none", llama, []safetensorstest.Tensor{head, norm}, Options{}, "tensor embed_tokens.weight: is missing"},
		{"not finite", llama, []safetensorstest.Tensor{head, norm, broken}, Options{}, "tensor model.embed_tokens.weight: token 2, position 0: expected finite weights, found NaN"},
		{"named by a person", `{"model_type": "x"}`, []safetensorstest.Tensor{head, norm}, Options{Unembedding: "lm_head.weight", Norm: "model.norm.weight", NormKind: RMSNorm},
			"which tensor is its embedding is known of the architectures that saedb knows alone"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, configFile), []byte(test.config), 0o644); err != nil {
			t.Fatal(err)
		}
		safetensorstest.Write(t, filepath.Join(dir, weightsFile), test.tensors...)
		e, err := OpenEmbedding(dir, test.options)
		if err == nil {
			err = e.ReadRows(0, make([]float32, 6))
			e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, expected %q", test.name, err, test.want)
		}
	}
}

// TestNeededEmbedding: a download has the embedding where it is asked for, and not otherwise.
func TestNeededEmbedding(t *testing.T) {
	config := []byte(`{"model_type": "gpt_neox"}`)
	names := []string{"gpt_neox.embed_in.weight", "embed_out.weight", "gpt_neox.final_layer_norm.weight", "gpt_neox.final_layer_norm.bias"}
	for asked, want := range map[bool]bool{false: false, true: true} {
		needed, err := NeededTensors(config, names, Options{Embedding: asked})
		if err != nil || slices.Contains(needed, names[0]) != want {
			t.Errorf("embedding asked for %v: %v (%v)", asked, needed, err)
		}
	}
	tied := []string{"transformer.wte.weight", "transformer.ln_f.weight", "transformer.ln_f.bias"}
	needed, err := NeededTensors([]byte(`{"model_type": "gpt2"}`), tied, Options{Embedding: true})
	if slices.Sort(needed); err != nil || len(needed) != len(tied) {
		t.Errorf("tied: %v (%v)", needed, err)
	}
}
