package model

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// directory makes a directory of files by name.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func weights(tensors ...safetensorstest.Tensor) string {
	return string(safetensorstest.Bytes(tensors...))
}

func TestHuggingFaceErrors(t *testing.T) {
	const llama = `{"model_type": "llama", "hidden_size": 2, "vocab_size": 3, "tie_word_embeddings": true}`
	matrix := safetensorstest.F32("model.embed_tokens.weight", []int{3, 2}, 1, 2, 3, 4, 5, 6)
	norm := safetensorstest.F32("model.norm.weight", []int{2}, 1, 2)
	whole := weights(matrix, norm)
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	with := func(config, file string) map[string]string {
		return map[string]string{configFile: config, weightsFile: file}
	}
	index := func(text string) map[string]string { return map[string]string{configFile: llama, indexFile: text} }
	tests := []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"not a model", nil, "a directory without model.safetensors and model.safetensors.index.json"},
		{"PyTorch weights", map[string]string{"pytorch_model.bin": ""}, "convert them to safetensors"},
		{"GGUF inside", map[string]string{"x.gguf": "", "y.bin": ""}, "give that file"},
		{"no config.json", map[string]string{weightsFile: whole}, "config.json: no such file"},
		{"config.json is not JSON", with(`{`, whole), "config.json"},
		{"no model_type", with(`{}`, whole), "has no model_type"},
		{"unknown family", with(`{"model_type": "cohere"}`, whole), `starcoder2, xglm, found "cohere": unknown architecture (for another architecture, name its tensors with --unembedding and --norm)`},
		{"projected to another width", with(`{"model_type": "opt", "hidden_size": 4, "word_embed_proj_dim": 2}`, whole), "expected word_embed_proj_dim 4 as hidden_size, found 2"},
		{"unknown text model", with(`{"model_type": "x", "text_config": {"model_type": "y"}}`, whole), `found "x"`},
		{"sizes are texts", with(`{"model_type": "llama", "hidden_size": "2"}`, whole), "config.json"},
		{"soft-cap is a text", with(`{"model_type": "llama", "final_logit_softcapping": "x"}`, whole), "final_logit_softcapping"},
		{"other hidden size", with(`{"model_type": "llama", "hidden_size": 4, "tie_word_embeddings": true}`, whole), "expected shape [any, 4] as in config.json, found [3, 2]"},
		{"other vocabulary", with(`{"model_type": "llama", "vocab_size": 4, "tie_word_embeddings": true}`, whole), "expected shape [4, any] as in config.json, found [3, 2]"},
		{"weights cut", with(llama, whole[:len(whole)-1]), "was it downloaded whole?"},
		{"weights empty", with(llama, ""), "found 0 bytes"},
		{"no unembedding", with(llama, weights(norm)), "tensor embed_tokens.weight: is missing: found model.norm.weight"},
		{"no norm", with(llama, weights(matrix)), "tensor norm.weight: is missing: found model.embed_tokens.weight"},
		{"no norm bias", with(`{"model_type": "gpt_neo"}`, weights(
			safetensorstest.F32("wte.weight", []int{3, 2}, 1, 2, 3, 4, 5, 6), safetensorstest.F32("ln_f.weight", []int{2}, 1, 2))), "tensor ln_f.bias: is missing"},
		{"no head", with(`{"model_type": "llama", "tie_word_embeddings": false}`, whole), "tensor lm_head.weight: is missing"},
		{"two of a name", with(llama, weights(matrix, norm, safetensorstest.F32("transformer.norm.weight", []int{2}, 1, 2))), "expected one tensor norm.weight"},
		{"wrong norm length", with(llama, weights(matrix, safetensorstest.F32("model.norm.weight", []int{3}, 1, 2, 3))), "expected shape [2], d_model of the unembedding, found [3]"},
		{"wrong norm rank", with(llama, weights(matrix, safetensorstest.F32("model.norm.weight", []int{1, 2}, 1, 2))), "found [1 2]"},
		{"unembedding is a vector", with(llama, weights(safetensorstest.F32("model.embed_tokens.weight", []int{2}, 1, 2), norm)), "expected a matrix"},
		{"unembedding of integers", with(llama, weights(safetensorstest.Tensor{Name: "lm_head.weight", DType: "U8", Shape: []int{3, 2}, Data: make([]byte, 6)}, norm)), "found U8"},
		{"NaN", with(llama, weights(safetensorstest.F32("lm_head.weight", []int{3, 2}, 1, 2, 3, nan, 5, inf), norm)), "tensor lm_head.weight: row 1, column 1: expected finite weights, found NaN"},
		{"infinity", with(llama, weights(safetensorstest.F32("lm_head.weight", []int{3, 2}, 1, 2, 3, 4, inf, 6), norm)), "row 2, column 0: expected finite weights, found -Inf"},
		{"NaN in the norm", with(llama, weights(matrix, safetensorstest.F32("model.norm.weight", []int{2}, 1, nan))), "tensor model.norm.weight: position 1: expected finite weights, found NaN"},
		{"index is not JSON", index(`{`), indexFile},
		{"index without map", index(`{}`), "has no weight_map"},
		{"index leads outside", index(`{"weight_map": {"a": "../a.safetensors"}}`), "expected a file of the same directory"},
		{"shard is missing", index(`{"weight_map": {"lm_head.weight": "a.safetensors", "norm.weight": "a.safetensors"}}`), "a.safetensors: no such file"},
		{"shard without its tensor", map[string]string{
			configFile: llama, indexFile: `{"weight_map": {"lm_head.weight": "a.safetensors", "norm.weight": "a.safetensors"}}`, "a.safetensors": whole,
		}, "tensor lm_head.weight: is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { checkOpenFails(t, directory(t, test.files), test.want) })
	}
}

func checkOpenFails(t *testing.T, path, want string) {
	t.Helper()
	u, err := Open(path, Options{})
	if err == nil {
		u.Close()
		t.Fatal("no error")
	}
	var e *fault.Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || !strings.Contains(e.Subject, path) {
		t.Errorf("%v\nwant %q", err, want)
	}
}

// Another file may be the one at fault, and is then the subject.
func TestFileWithoutConfiguration(t *testing.T) {
	dir := directory(t, map[string]string{"x.safetensors": weights()})
	_, err := Open(filepath.Join(dir, "x.safetensors"), Options{})
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join(dir, configFile)) {
		t.Error(err)
	}
}

func TestOtherPaths(t *testing.T) {
	dir := directory(t, map[string]string{"tokenizer.json": "{}"})
	checkOpenFails(t, filepath.Join(dir, "none"), "no such file")
	checkOpenFails(t, filepath.Join(dir, "none.gguf"), "no such file")
	checkOpenFails(t, filepath.Join(dir, "tokenizer.json"), "found a file that is neither *.safetensors nor *.gguf")
}

func TestGGUFErrors(t *testing.T) {
	iq2 := gguftest.Tensor{Name: ggufHead, Type: gguftest.IQ2_XXS, Shape: []int{1, 256}, Data: make([]byte, 66)}
	rows := gguftest.Floats(ggufEmbedding, []int{3, 2}, 1, 2, 3, 4, 5, 6)
	norm := gguftest.Floats(ggufNorm, []int{2}, 1, 2)
	architecture := func(name string, more ...gguftest.Pair) []gguftest.Pair {
		return append([]gguftest.Pair{{Key: ggufArchKey, Value: name}}, more...)
	}
	tests := []struct {
		name     string
		metadata []gguftest.Pair
		tensors  []gguftest.Tensor
		want     string
	}{
		{"vocabulary alone", architecture("llama"), nil, "expected tensor output.weight or token_embd.weight, found neither"},
		{"one part", architecture("llama", gguftest.Pair{Key: ggufSplitKey, Value: uint16(3)}), nil, "one of 3 parts"},
		{"no architecture", nil, []gguftest.Tensor{rows, norm}, `found ""`},
		{"unknown architecture", architecture("rwkv7"), []gguftest.Tensor{rows, norm}, `starcoder2, found "rwkv7"`},
		{"type not read", architecture("llama"), []gguftest.Tensor{iq2, gguftest.Floats(ggufNorm, []int{256}, wave(256, 1)...)}, "TQ1_0, TQ2_0, found IQ2_XXS"},
		{"no norm", architecture("llama"), []gguftest.Tensor{rows}, "tensor output_norm.weight: is missing: found token_embd.weight"},
		{"no norm bias", architecture("gpt2"), []gguftest.Tensor{rows, norm}, "tensor output_norm.bias: is missing"},
		{"wrong norm length", architecture("llama"), []gguftest.Tensor{rows, gguftest.Floats(ggufNorm, []int{3}, 1, 2, 3)}, "expected shape [2]"},
		{"other d_model", architecture("llama", gguftest.Pair{Key: "llama.embedding_length", Value: uint32(4)}), []gguftest.Tensor{rows, norm}, "expected shape [any, 4] as in the metadata"},
		{"not finite", architecture("llama"), []gguftest.Tensor{gguftest.Floats(ggufEmbedding, []int{1, 2}, 1, float32(math.Inf(1))), norm}, "tensor token_embd.weight: row 0, column 1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "model.gguf")
			gguftest.Write(t, path, test.metadata, test.tensors...)
			checkOpenFails(t, path, test.want)
		})
	}
}

func TestVocabularySize(t *testing.T) {
	tokenizer := directory(t, map[string]string{"tokenizer.json": "{}"})
	vocabularyAlone := filepath.Join(t.TempDir(), "vocabulary.gguf")
	gguftest.Write(t, vocabularyAlone, []gguftest.Pair{{Key: ggufArchKey, Value: "llama"}})
	for path, want := range map[string]int{
		"testdata/qwen2": 512, "testdata/mixtral": 500, tokenizer: 0, filepath.Join(tokenizer, "tokenizer.json"): 0, vocabularyAlone: 0,
		writeGGUF(t, "llama", nil, ggufHead, ggufNorm): testVocab,
	} {
		if got, err := VocabularySize(path); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", path, got, err, want)
		}
	}
	if _, err := VocabularySize(filepath.Join(tokenizer, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

func TestReadRowsErrors(t *testing.T) {
	u := openModel(t, "testdata/gpt2")
	for _, bad := range []struct{ from, n int }{{-1, 32}, {500, 32}, {499, 64}, {0, 31}} {
		if err := u.ReadRows(bad.from, make([]float32, bad.n)); err == nil {
			t.Errorf("%d values from row %d: no error", bad.n, bad.from)
		}
	}
	// Finite weights whose product with the norm's is not.
	dir := directory(t, map[string]string{configFile: `{"model_type": "llama"}`, weightsFile: weights(
		safetensorstest.F32("lm_head.weight", []int{2, 1}, 3e38, 1), safetensorstest.F32("norm.weight", []int{1}, 10))})
	err := openModel(t, dir).ReadRows(0, make([]float32, 1))
	if err == nil || !strings.Contains(err.Error(), "row 0, column 0: expected a float32 after processing") {
		t.Error(err)
	}
}

// Neither the number of goroutines nor that of the rows read at once changes a bit.
func TestResultIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []float32
	for _, processors := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(processors)
		u := openModel(t, "testdata/phi")
		all := readAll(t, u)
		if first == nil {
			first = all
		}
		d := u.Info().DModel
		one := make([]float32, d)
		if err := u.ReadRows(123, one); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(all, first) || !slices.Equal(one, first[123*d:124*d]) {
			t.Errorf("another result with %d processors", processors)
		}
	}
}

// More rows than are read at a time, so that spans are summed in several reads.
func TestMeanOfManyRows(t *testing.T) {
	const rows, cols = 200, 2 * readFloats / 3
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(i/cols) + 0.5*float32(i%2)
	}
	p := &processor{stored: memory{x, cols}, weight: slices.Repeat([]float64{1}, cols)}
	mean, err := p.meanRow()
	if err != nil {
		t.Fatal(err)
	}
	for j, got := range mean {
		if want := (rows-1)/2.0 + 0.5*float64(j%2); got != want {
			t.Fatalf("mean of column %d is %v, want %v", j, got, want)
		}
	}
}

// memory is a matrix with cols columns that is in memory.
type memory struct {
	values []float32
	cols   int
}

func (m memory) Rows() int { return len(m.values) / m.cols }
func (m memory) Cols() int { return m.cols }
func (m memory) ReadRows(from int, dst []float32) error {
	if n := copy(dst, m.values[from*m.cols:]); n < len(dst) {
		return fmt.Errorf("row %d and %d values are beyond the matrix", from, len(dst))
	}
	return nil
}

func TestConcurrentReads(t *testing.T) {
	u := openModel(t, "testdata/llama")
	want := readAll(t, u)
	d := u.Info().DModel
	var readers sync.WaitGroup
	for first := range 8 {
		readers.Go(func() {
			row := make([]float32, d)
			for token := first; token < u.Info().DVocab; token += 8 {
				if err := u.ReadRows(token, row); err != nil || !slices.Equal(row, want[token*d:(token+1)*d]) {
					t.Errorf("token %d: %v", token, err)
					return
				}
			}
		})
	}
	readers.Wait()
}
