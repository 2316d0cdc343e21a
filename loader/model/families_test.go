package model

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/gguf/gguftest"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

const (
	testVocab = 7
	testModel = 32 // a block of Q8_0
)

// wave is n values without pattern, between -1 and 1.
func wave(n int, phase float64) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Sin(phase + 1.7*float64(i) + 0.01*float64(i*i)))
	}
	return values
}

var (
	testRows   = wave(testVocab*testModel, 0.3)
	testWeight = wave(testModel, 2)
	testBias   = wave(testModel, 5)
	otherRows  = wave(testVocab*testModel, 9)
)

// writeModel writes a model of the tensors named: norms and biases are vectors,
// unembedding the matrix to be found, and other matrices hold other values.
func writeModel(t *testing.T, config, unembedding string, others ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, configFile), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	matrix := []int{testVocab, testModel}
	tensors := []safetensorstest.Tensor{safetensorstest.F32(unembedding, matrix, testRows...)}
	for _, name := range others {
		vector, ok := vectorFor(name)
		if ok {
			tensors = append(tensors, safetensorstest.F32(name, []int{testModel}, vector...))
		} else {
			tensors = append(tensors, safetensorstest.F32(name, matrix, otherRows...))
		}
	}
	safetensorstest.Write(t, filepath.Join(dir, weightsFile), tensors...)
	return dir
}

func vectorFor(name string) ([]float32, bool) {
	for pattern, vector := range map[string][]float32{"*norm*.bias": testBias, "*ln_f.bias": testBias, "*norm*.weight": testWeight, "*ln_f.weight": testWeight} {
		if ok, _ := filepath.Match(pattern, name); ok {
			return vector, true
		}
	}
	return nil, false
}

// treatment is the processing in a form that the test computes for itself.
type treatment struct {
	fold, centerRows, centerVocab bool
	offset                        float64
}

// expected processes testRows step by step, whole matrices at a time.
func (p treatment) expected() []float32 {
	y := make([]float64, len(testRows))
	for i, v := range testRows {
		y[i] = float64(v)
		if p.fold {
			y[i] *= float64(testWeight[i%testModel]) + p.offset
		}
	}
	center := func(count, length, next, step int) {
		for i := range count {
			mean := 0.0
			for j := range length {
				mean += y[i*next+j*step] / float64(length)
			}
			for j := range length {
				y[i*next+j*step] -= mean
			}
		}
	}
	if p.centerRows {
		center(testVocab, testModel, testModel, 1)
	}
	if p.centerVocab {
		center(testModel, testVocab, 1, testModel)
	}
	rounded := make([]float32, len(y))
	for i, v := range y {
		rounded[i] = float32(v)
	}
	return rounded
}

var (
	layerNorm = treatment{fold: true, centerRows: true, centerVocab: true}
	rmsNorm   = treatment{fold: true, centerVocab: true}
	gemmaNorm = treatment{fold: true, centerVocab: true, offset: 1}
	kept      = treatment{centerVocab: true}
)

func checkRows(t *testing.T, u *Unembedding, want treatment) {
	t.Helper()
	if worst := largestDifference(readAll(t, u), want.expected()); !(worst <= 1e-7) {
		t.Errorf("largest difference %g, with %s", worst, u.Info().Processing)
	}
}

// The families that no file of testdata is of, and the names that their tensors
// have in published checkpoints.
func TestHuggingFaceFamilies(t *testing.T) {
	tests := []struct {
		modelType, more string // of config.json
		unembedding     string
		others          []string
		want            treatment
	}{
		{"gpt2", `, "n_embd": 32`, "transformer.wte.weight", []string{"transformer.ln_f.weight", "transformer.ln_f.bias", "transformer.wpe.weight"}, layerNorm},
		{"gpt_neo", `, "hidden_size": 32`, "transformer.wte.weight", []string{"transformer.ln_f.weight", "transformer.ln_f.bias"}, layerNorm},
		{"gptj", `, "n_embd": 32, "tie_word_embeddings": false`, "lm_head.weight", []string{"transformer.wte.weight", "transformer.ln_f.weight", "transformer.ln_f.bias"}, layerNorm},
		{"opt", `, "hidden_size": 32`, "model.decoder.embed_tokens.weight", []string{"model.decoder.final_layer_norm.weight", "model.decoder.final_layer_norm.bias", "model.decoder.embed_positions.weight"}, layerNorm},
		{"bloom", `, "n_embed": 32`, "word_embeddings.weight", []string{"ln_f.weight", "ln_f.bias", "word_embeddings_layernorm.weight"}, layerNorm},
		{"olmo", `, "hidden_size": 32`, "lm_head.weight", []string{"model.embed_tokens.weight"}, treatment{centerRows: true, centerVocab: true}},
		{"olmo3", ``, "lm_head.weight", []string{"model.embed_tokens.weight", "model.norm.weight"}, kept},
		{"mistral", ``, "lm_head.weight", []string{"model.embed_tokens.weight", "model.norm.weight", "model.layers.0.input_layernorm.weight"}, rmsNorm},
		{"qwen3", `, "tie_word_embeddings": true`, "model.embed_tokens.weight", []string{"model.norm.weight"}, rmsNorm},
		{"phi3", ``, "lm_head.weight", []string{"model.embed_tokens.weight", "model.norm.weight"}, rmsNorm},
		{"olmoe", ``, "lm_head.weight", []string{"model.norm.weight"}, rmsNorm},
		{"gpt_oss", ``, "lm_head.weight", []string{"model.norm.weight"}, rmsNorm},
		{"gemma", ``, "model.embed_tokens.weight", []string{"model.norm.weight"}, gemmaNorm},
		{"gemma3_text", `, "final_logit_softcapping": null`, "model.embed_tokens.weight", []string{"model.norm.weight"}, gemmaNorm},
		{"gemma3", `, "text_config": {"hidden_size": 32, "vocab_size": 7}`, "language_model.model.embed_tokens.weight", []string{"language_model.model.norm.weight", "vision_tower.vision_model.post_layernorm.weight"}, gemmaNorm},
		{"gemma3", `, "tie_word_embeddings": true, "text_config": {"tie_word_embeddings": false}`, "model.language_model.embed_tokens.weight", []string{"model.language_model.norm.weight"}, gemmaNorm},
		{"falcon", ``, "transformer.word_embeddings.weight", []string{"transformer.ln_f.weight", "transformer.ln_f.bias"}, layerNorm},
		{"gpt_bigcode", `, "n_embd": 32`, "transformer.wte.weight", []string{"transformer.ln_f.weight", "transformer.ln_f.bias"}, layerNorm},
		{"codegen", ``, "lm_head.weight", []string{"transformer.wte.weight", "transformer.ln_f.weight", "transformer.ln_f.bias"}, layerNorm},
		{"starcoder2", ``, "model.embed_tokens.weight", []string{"model.norm.weight", "model.norm.bias"}, layerNorm},
		{"xglm", `, "d_model": 32`, "model.embed_tokens.weight", []string{"model.layer_norm.weight", "model.layer_norm.bias"}, layerNorm},
		{"qwen", ``, "lm_head.weight", []string{"transformer.wte.weight", "transformer.ln_f.weight"}, rmsNorm},
		{"qwen2_moe", ``, "lm_head.weight", []string{"model.norm.weight"}, rmsNorm},
		{"qwen2_vl", `, "tie_word_embeddings": true`, "model.embed_tokens.weight", []string{"model.norm.weight", "visual.merger.ln_q.weight"}, rmsNorm},
		{"qwen3_vl", `, "text_config": {"hidden_size": 32}`, "lm_head.weight", []string{"model.language_model.embed_tokens.weight", "model.language_model.norm.weight"}, rmsNorm},
		{"mistral3", `, "text_config": {"model_type": "mistral", "hidden_size": 32}`, "language_model.lm_head.weight", []string{"language_model.model.norm.weight", "multi_modal_projector.norm.weight"}, rmsNorm},
		{"granite", `, "logits_scaling": 8`, "lm_head.weight", []string{"model.norm.weight"}, rmsNorm},
		{"gemma4_text", ``, "model.embed_tokens.weight", []string{"model.norm.weight"}, kept},
		{"deepseek_v3", ``, "lm_head.weight", []string{"model.norm.weight"}, kept},
		{"qwen3_next", ``, "lm_head.weight", []string{"model.norm.weight"}, treatment{centerVocab: true, offset: 1}},
		{"nemotron", ``, "lm_head.weight", []string{"model.norm.weight", "model.norm.bias"}, treatment{centerVocab: true, offset: 1}},
		{"gemma2", ``, "model.embed_tokens.weight", []string{"model.norm.weight"}, treatment{fold: true, offset: 1}},
		{"gemma2", `, "final_logit_softcapping": null`, "model.embed_tokens.weight", []string{"model.norm.weight"}, gemmaNorm},
	}
	for _, test := range tests {
		t.Run(test.modelType, func(t *testing.T) {
			config := fmt.Sprintf(`{"model_type": %q%s}`, test.modelType, test.more)
			u := openModel(t, writeModel(t, config, test.unembedding, test.others...))
			if got := u.Info(); got.Processing.UnembeddingTensor != test.unembedding || got.Architecture != test.modelType ||
				got.Processing.NormOffset != test.want.offset || got.Processing.NormFolded != test.want.fold {
				t.Errorf("%+v", got)
			}
			checkRows(t, u, test.want)
		})
	}
}

// Every architecture that is registered. No offset is added to a norm's weight:
// of these, conversion/ of ggml-org/llama.cpp adds 1 to gemma, gemma2 and gemma3, as
// normOffset says of their checkpoints, to nemotron, qwen3next and qwen35, whose norm
// is not folded, and nothing to the others.
func TestGGUFFamilies(t *testing.T) {
	tests := []struct {
		architecture string
		more         []gguftest.Pair
		tensors      []string
		want         treatment
	}{
		{"gpt2", nil, []string{ggufEmbedding, ggufNorm, ggufNormBias}, layerNorm},
		{"gptneox", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"gptj", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"bloom", nil, []string{ggufEmbedding, ggufNorm, ggufNormBias}, layerNorm},
		{"bloom", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"phi2", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"llama", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"llama", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"mistral3", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"qwen2", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"qwen3", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"phi3", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"olmoe", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"gpt-oss", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"falcon", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"mpt", nil, []string{ggufEmbedding, ggufNorm}, layerNorm},
		{"granite", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"glm4", nil, []string{ggufHead, ggufNorm}, kept},
		{"starcoder", nil, []string{ggufHead, ggufNorm, ggufNormBias}, layerNorm},
		{"starcoder2", nil, []string{ggufEmbedding, ggufNorm, ggufNormBias}, layerNorm},
		{"qwen", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"qwen2moe", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"qwen3moe", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"apertus", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"arcee", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"ernie4_5", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"granitemoe", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"glm4moe", nil, []string{ggufHead, ggufNorm}, rmsNorm},
		{"exaone4", nil, []string{ggufHead, ggufNorm}, kept},
		{"deepseek2", nil, []string{ggufHead, ggufNorm}, kept},
		{"qwen3next", nil, []string{ggufHead, ggufNorm}, kept},
		{"qwen35", nil, []string{ggufEmbedding, ggufNorm}, kept},
		{"nemotron", nil, []string{ggufHead, ggufNorm, ggufNormBias}, kept},
		{"olmo", nil, []string{ggufHead}, treatment{centerRows: true, centerVocab: true}},
		{"olmo2", nil, []string{ggufHead, ggufNorm}, kept},
		{"gemma", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"gemma3", nil, []string{ggufEmbedding, ggufNorm}, rmsNorm},
		{"gemma2", nil, []string{ggufEmbedding, ggufNorm}, treatment{fold: true}},
		{"gemma2", []gguftest.Pair{{Key: "gemma2.final_logit_softcapping", Value: float32(50)}}, []string{ggufEmbedding, ggufNorm}, treatment{fold: true}},
	}
	tested := map[string]bool{}
	for _, test := range tests {
		tested[test.architecture] = true
		t.Run(test.architecture, func(t *testing.T) {
			path := writeGGUF(t, test.architecture, test.more, test.tensors...)
			u := openModel(t, path)
			info := u.Info()
			if info.Format != FormatGGUF || info.Architecture != test.architecture || len(info.Files) != 1 || info.Files[0] != path ||
				info.Processing.Tied != (test.tensors[0] == ggufEmbedding) || info.Processing.NormOffset != 0 {
				t.Errorf("%+v", info)
			}
			checkRows(t, u, test.want)
		})
	}
	for _, architecture := range familyNames(byArchitecture) {
		if !tested[architecture] {
			t.Errorf("%s is not tested: look up what its converter does to the final norm's weight", architecture)
		}
	}
}

// A name in two rows of the table would be found in the first alone.
func TestFamiliesHaveNamesOfTheirOwn(t *testing.T) {
	for _, names := range [][]string{familyNames(byModelType), familyNames(byArchitecture)} {
		for i, name := range names[1:] {
			if name == names[i] {
				t.Errorf("%s is the name of two families", name)
			}
		}
	}
}

// A model in GGUF gives what its directory gives: names, ties and Gemma's offset,
// which is in a directory still to be added and in GGUF was.
func TestGGUFAsDirectory(t *testing.T) {
	for modelType, architecture := range map[string]string{
		"gpt2": "gpt2", "gptj": "gptj", "gpt_neox": "gptneox", "bloom": "bloom", "phi": "phi2", "phi3": "phi3",
		"llama": "llama", "mistral": "llama", "mixtral": "llama", "qwen2": "qwen2", "qwen3": "qwen3",
		"olmo": "olmo", "olmo2": "olmo2", "olmo3": "olmo2", "olmoe": "olmoe", "gpt_oss": "gpt-oss",
		"gemma": "gemma", "gemma2": "gemma2", "gemma3_text": "gemma3",
		"falcon": "falcon", "mpt": "mpt", "gpt_bigcode": "starcoder", "starcoder2": "starcoder2", "qwen": "qwen",
		"qwen2_moe": "qwen2moe", "qwen3_moe": "qwen3moe", "apertus": "apertus", "arcee": "arcee", "ernie4_5": "ernie4_5",
		"granite": "granite", "granitemoe": "granitemoe", "glm4": "glm4", "glm4_moe": "glm4moe", "exaone4": "exaone4",
	} {
		t.Run(modelType, func(t *testing.T) {
			rules := familyNamed(byModelType, modelType)
			if rules != familyNamed(byArchitecture, architecture) {
				t.Fatalf("%s is of another family", architecture)
			}
			names, stored := []string{rules.head}, []gguftest.Tensor{gguftest.Floats(ggufHead, []int{testVocab, testModel}, testRows...)}
			if rules.norm != "" {
				names = append(names, rules.norm)
				weight := slices.Clone(testWeight)
				for i := range weight {
					weight[i] += float32(rules.normOffset)
				}
				stored = append(stored, gguftest.Floats(ggufNorm, []int{testModel}, weight...))
			}
			if rules.normBias != "" {
				names = append(names, rules.normBias)
				stored = append(stored, gguftest.Floats(ggufNormBias, []int{testModel}, testBias...))
			}
			path := filepath.Join(t.TempDir(), "model.gguf")
			gguftest.Write(t, path, []gguftest.Pair{{Key: ggufArchKey, Value: architecture}}, stored...)
			config := fmt.Sprintf(`{"model_type": %q, "tie_word_embeddings": false}`, modelType)
			directory := readAll(t, openModel(t, writeModel(t, config, names[0], names[1:]...)))
			// The sum of a weight and 1 was rounded to float32 when converted.
			if worst := largestDifference(readAll(t, openModel(t, path)), directory); !(worst <= 2e-7) {
				t.Errorf("largest difference %g", worst)
			}
		})
	}
}

// An unembedding in blocks gives what its values as F32 give.
func TestGGUFInBlocks(t *testing.T) {
	const rows, columns, blockBytes, q6_K = 3, 512, 210, 14
	data := make([]byte, rows*columns/256*blockBytes)
	for i := range data {
		data[i] = byte(i*i>>3 + 7*i)
	}
	for end := blockBytes; end <= len(data); end += blockBytes {
		copy(data[end-2:], []byte{0x34, 0x11}) // the scale, 0.000636
	}
	path := filepath.Join(t.TempDir(), "blocks.gguf")
	weights := gguftest.Floats(ggufNorm, []int{columns}, wave(columns, 2)...)
	metadata := []gguftest.Pair{{Key: ggufArchKey, Value: "llama"}}
	gguftest.Write(t, path, metadata, gguftest.Tensor{Name: ggufHead, Type: q6_K, Shape: []int{rows, columns}, Data: data}, weights)
	file, err := gguf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	head, err := file.Tensor(ggufHead)
	if err != nil {
		t.Fatal(err)
	}
	values := make([]float32, head.Len())
	if err := head.ReadFloats(0, values); err != nil {
		t.Fatal(err)
	}
	asFloats := filepath.Join(t.TempDir(), "floats.gguf")
	gguftest.Write(t, asFloats, metadata, gguftest.Floats(ggufHead, []int{rows, columns}, values...), weights)
	inBlocks := openModel(t, path)
	got, want := readAll(t, inBlocks), readAll(t, openModel(t, asFloats))
	if inBlocks.Info().DType != "Q6_K" || slices.Max(got) < 0.01 || !slices.Equal(got, want) {
		t.Errorf("%+v, largest %g, largest difference %g", inBlocks.Info(), slices.Max(got), largestDifference(got, want))
	}
}

// writeGGUF writes a GGUF file with the tensors named, the first being the matrix
// to be found.
func writeGGUF(t *testing.T, architecture string, more []gguftest.Pair, names ...string) string {
	t.Helper()
	metadata := append([]gguftest.Pair{
		{Key: ggufArchKey, Value: architecture},
		{Key: architecture + ggufDModelKey, Value: uint32(testModel)},
		{Key: architecture + ggufVocabKey, Value: uint32(testVocab)},
	}, more...)
	var tensors []gguftest.Tensor
	for i, name := range names {
		if i == 0 {
			tensors = append(tensors, gguftest.Floats(name, []int{testVocab, testModel}, testRows...))
		} else {
			vector, _ := vectorFor(name)
			tensors = append(tensors, gguftest.Floats(name, []int{testModel}, vector...))
		}
	}
	path := filepath.Join(t.TempDir(), "model.gguf")
	gguftest.Write(t, path, metadata, tensors...)
	return path
}
