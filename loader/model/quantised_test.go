package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors/safetensorstest"
)

// The oracle is the dequantisation of AutoGPTQ, AutoAWQ and transformers; see
// testdata/quantised.py. Beside each head is an embedding of other values.
func TestDequantised(t *testing.T) {
	for name, want := range map[string]struct{ tensor, dtype string }{
		"gptq":           {"lm_head.qweight", "GPTQ with 4 bits"},
		"gptq-no-index":  {"lm_head.qweight", "GPTQ with 4 bits"},
		"gptq-act-order": {"lm_head.qweight", "GPTQ with 4 bits"},
		"gptq-v2":        {"lm_head.qweight", "GPTQ with 4 bits"},
		"awq":            {"lm_head.qweight", "AWQ with 4 bits"},
		"fp8-row":        {"lm_head.weight", "F8_E4M3 with scales"},
		"fp8-tensor":     {"lm_head.weight", "F8_E4M3 with scales"},
		"fp8-e5m2":       {"lm_head.weight", "F8_E5M2 with scales"},
		"fp8-block":      {"lm_head.weight", "F8_E4M3 with scales"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", "quantised", name)
			u, err := Open(dir, Options{Processing: ProcessNone})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			info := u.Info()
			if info.Processing.UnembeddingTensor != want.tensor || info.DType != want.dtype || info.Processing.Tied ||
				!strings.Contains(info.Processing.String(), want.tensor+" dequantised as stored") {
				t.Errorf("%s, %+v", info.DType, info.Processing)
			}
			expected := readNPY(t, dir+".expected_w_u.npy", info.DVocab, info.DModel)
			if got := readAll(t, u); !slices.Equal(got, expected) {
				t.Errorf("largest difference %g", largestDifference(got, expected))
			}
			// In pieces, as loads read.
			for from := range info.DVocab - 3 {
				rows := make([]float32, 3*info.DModel)
				if err := u.ReadRows(from, rows); err != nil || !slices.Equal(rows, expected[from*info.DModel:(from+3)*info.DModel]) {
					t.Fatalf("rows from %d on differ: %v", from, err)
				}
			}
		})
	}
}

// A head in several shards is read from all of them, and all are named.
func TestDequantisedInShards(t *testing.T) {
	source := filepath.Join("testdata", "quantised", "gptq-act-order")
	c, err := openCheckpoint(source)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	dir := t.TempDir()
	index := map[string]map[string]string{"weight_map": {}}
	for i, name := range []string{"lm_head.qweight", "lm_head.qzeros", "lm_head.scales", "lm_head.g_idx", "model.norm.weight"} {
		tensor, err := c.tensor(name)
		if err != nil {
			t.Fatal(err)
		}
		stored := tensor
		bytes := make([]byte, stored.Len()*map[string]int{"I32": 4, "F16": 2, "F32": 4}[tensor.DType])
		if _, err := stored.Source.ReadAt(bytes, stored.Offset); err != nil {
			t.Fatal(err)
		}
		shard := fmt.Sprintf("model-%d.safetensors", i)
		safetensorstest.Write(t, filepath.Join(dir, shard), safetensorstest.Tensor{Name: name, DType: tensor.DType, Shape: tensor.Shape, Data: bytes})
		index["weight_map"][name] = shard
	}
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(source, configFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{indexFile: text, configFile: config} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	u := openModel(t, dir)
	if got := u.Info(); len(got.Files) != 7 || !slices.Equal(readAll(t, u), readAll(t, openModel(t, source))) {
		t.Errorf("read from %v", got.Files)
	}
	names, err := NeededTensors(config, slices.Collect(func(yield func(string) bool) {
		for name := range index["weight_map"] {
			if !yield(name) {
				return
			}
		}
	}), Options{})
	if want := []string{"lm_head.qweight", "lm_head.qzeros", "lm_head.scales", "lm_head.g_idx", "model.norm.weight"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("needs %v, %v, want %v", names, err, want)
	}
}

// Whatever a head is quantised with that is not read is named, from the names of its
// tensors alone, and whatever the configuration says of tying.
func TestQuantisedHeadsByName(t *testing.T) {
	for how, parts := range map[string][]string{
		"bitsandbytes, 4 bits":       {"weight", "weight.absmax", "weight.quant_map", "weight.quant_state.bitsandbytes__nf4"},
		"bitsandbytes, 4":            {"absmax", "quant_map"},
		"bitsandbytes, 8 bits":       {"weight", "SCB"},
		"compressed-tensors, packed": {"weight_packed", "weight_scale", "weight_shape"},
		"NVFP4 of ModelOpt":          {"weight", "weight_scale", "weight_scale_2"},
		"MXFP4":                      {"weight_blocks", "weight_scales"},
		"EXL2":                       {"q_weight", "q_scale", "q_scale_max", "q_groups", "q_invperm"},
		"EXL3":                       {"trellis", "suh", "svh"},
		"HQQ":                        {"W_q", "scale", "zero"},
		"AQLM":                       {"codes", "codebooks", "scales"},
		"QuIP#":                      {"Qidxs", "SU", "SV"},
		"VPTQ":                       {"indices", "centroids.weight"},
		"Marlin":                     {"B", "s"},
		"QQQ":                        {"B", "s_channel"},
		"MLX":                        {"weight", "scales", "biases"},
		"quanto":                     {"weight._data", "weight._scale"},
		"but without its qzeros":     {"qweight", "scales"},
		"in a form that is not known": {
			"codes_of_tomorrow",
		},
	} {
		for _, tied := range []string{"", `, "tie_word_embeddings": true`, `, "tie_word_embeddings": false`} {
			for _, prefix := range []string{"", "language_model."} {
				names := []string{"model.embed_tokens.weight", "model.norm.weight"}
				for _, part := range parts {
					names = append(names, prefix+"lm_head."+part)
				}
				_, err := NeededTensors([]byte(`{"model_type": "llama"`+tied+`}`), names, Options{})
				var e *fault.Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), "it is quantised (") || !strings.Contains(err.Error(), how) ||
					!strings.Contains(err.Error(), prefix+"lm_head."+parts[len(parts)-1]) || e.Hint != quantisedHint {
					t.Errorf("%s%s: %v", how, tied, err)
				}
			}
		}
	}
	names := []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head_blocks", "lm_head_scales"}
	if _, err := NeededTensors([]byte(`{"model_type": "gemma"}`), names, Options{}); err == nil || !strings.Contains(err.Error(), "(MXFP4)") {
		t.Error(err)
	}
	// What is no part of a head leaves a tied model tied.
	names = []string{"model.embed_tokens.weight", "model.norm.weight", "lm_head.bias", "lm_head_norm.weight", "vision_tower.lm_head.qweight"}
	if got, err := NeededTensors([]byte(`{"model_type": "gemma"}`), names, Options{}); err != nil || got[0] != "model.embed_tokens.weight" {
		t.Errorf("%v, %v", got, err)
	}
	// A tied model's embedding is its unembedding, and refused alike.
	names = []string{"model.embed_tokens.weight", "model.embed_tokens.weight.absmax", "model.norm.weight"}
	if _, err := NeededTensors([]byte(`{"model_type": "gemma"}`), names, Options{}); err == nil || !strings.Contains(err.Error(), "(bitsandbytes, 4 bits)") {
		t.Error(err)
	}
}

// Forms that are read, with tensors or a configuration that do not fit them.
func TestQuantisedErrors(t *testing.T) {
	integers := func(name string, shape ...int) safetensorstest.Tensor {
		return safetensorstest.Tensor{Name: name, DType: "I32", Shape: shape, Data: make([]byte, 4*product(shape))}
	}
	ones := func(name string, shape ...int) safetensorstest.Tensor {
		values := make([]float32, product(shape))
		for i := range values {
			values[i] = 1
		}
		return safetensorstest.F32(name, shape, values...)
	}
	bytes := func(name, dtype string, shape ...int) safetensorstest.Tensor {
		return safetensorstest.Tensor{Name: name, DType: dtype, Shape: shape, Data: bytes.Repeat([]byte{0x30}, product(shape))}
	}
	type tensors = []safetensorstest.Tensor
	gptq := func(more ...safetensorstest.Tensor) tensors {
		return append(tensors{integers("lm_head.qweight", 2, 16), integers("lm_head.qzeros", 2, 2), ones("lm_head.scales", 2, 16)}, more...)
	}
	index := func(groups ...byte) safetensorstest.Tensor {
		t := integers("lm_head.g_idx", len(groups))
		for i, g := range groups {
			t.Data[4*i] = g
		}
		return t
	}
	eight := []byte{0, 0, 0, 0, 0, 0, 0, 0}
	full := safetensorstest.Tensor{Name: "lm_head.qzeros", DType: "I32", Shape: []int{2, 2}, Data: append(make([]byte, 15), 0x70)}
	full.Data[15] = 0xf0 // the last code of the last word
	fp8 := bytes("lm_head.weight", "F8_E4M3", 4, 6)
	tests := []struct {
		name, quantization string
		head               tensors
		want               string
	}{
		{"no quantization_config", `{}`, gptq(), "expected quant_method gptq or awq in config.json"},
		{"other method", `{"quant_method": "auto-round"}`, gptq(), `found "auto-round"`},
		{"eight bits said", `{"quant_method": "gptq", "bits": 8}`, gptq(), "expected 4 bits, found 8 bits in config.json"},
		{"eight bits stored", `{"quant_method": "gptq"}`, tensors{integers("lm_head.qweight", 4, 16), integers("lm_head.qzeros", 2, 4), ones("lm_head.scales", 2, 16)}, "expected words of 8 codes of 4 bits for each of the scales, found qweight of I32 [4, 16], qzeros of I32 [2, 4], scales of shape [2, 16]"},
		{"vocabulary of no whole words", `{"quant_method": "gptq", "bits": 4}`, tensors{integers("lm_head.qweight", 2, 15), integers("lm_head.qzeros", 1, 2), ones("lm_head.scales", 1, 15)}, "expected a vocabulary that is a multiple of 8, as words of 4 bits make it, found 15"},
		{"awq stored as gptq", `{"quant_method": "awq"}`, gptq(), "(AWQ): expected words of 8 codes"},
		{"awq gemv", `{"quant_method": "awq", "version": "gemv"}`, gptq(), "expected version gemm in config.json, found gemv"},
		{"marlin", `{"quant_method": "gptq", "checkpoint_format": "marlin"}`, gptq(), "expected checkpoint_format gptq or gptq_v2 in config.json, found marlin"},
		{"marlin, as vLLM says it", `{"quant_method": "gptq", "is_marlin_format": true}`, gptq(), "found marlin"},
		{"no group size", `{"quant_method": "gptq"}`, gptq(), "expected group_size in config.json that makes 2 groups of 16 columns, found 0"},
		{"another group size", `{"quant_method": "gptq", "group_size": 4}`, gptq(), "makes 2 groups of 16 columns, found 4"},
		{"group beyond", `{"quant_method": "gptq"}`, gptq(index(append(slices.Clone(eight), 1, 1, 1, 1, 1, 1, 1, 2)...)), "expected g_idx below 2, found 2"},
		{"groups without columns", `{"quant_method": "gptq"}`, gptq(index(append(slices.Clone(eight), eight...)...)), "expected columns of all 2 groups in g_idx"},
		{"too few groups", `{"quant_method": "gptq"}`, gptq(index(eight...)), "expected g_idx with an I32 for each of 16 columns"},
		{"words of floats", `{"quant_method": "gptq"}`, tensors{ones("lm_head.qweight", 2, 16), integers("lm_head.qzeros", 2, 2), ones("lm_head.scales", 2, 16)}, "expected matrices of I32 words"},
		{"zero point that wraps", `{"quant_method": "gptq", "group_size": 8}`, tensors{integers("lm_head.qweight", 2, 16), full, ones("lm_head.scales", 2, 16)}, "the zero point of row 15, group 1: expected a stored one below 15, found 15, which libraries take for different zero points"},
		{"fp8 without scale", `{"quant_method": "fp8"}`, tensors{fp8}, "(F8_E4M3): expected its scale, weight_scale or weight_scale_inv, found none"},
		{"fp8 in blocks of no known size", `{"quant_method": "fp8"}`, tensors{fp8, ones("lm_head.weight_scale_inv", 2, 3)}, "or weight_block_size in config.json, found a scale of shape [2, 3]"},
		{"fp8 in other blocks", `{"quant_method": "fp8", "weight_block_size": [2, 3]}`, tensors{fp8, ones("lm_head.weight_scale_inv", 2, 3)}, "expected a scale of shape [2, 2], for blocks of 2 rows and 3 columns, found [2, 3]"},
		{"fp8 with zero points", `{"quant_method": "compressed-tensors"}`, tensors{fp8, ones("lm_head.weight_scale", 4, 1), ones("lm_head.weight_zero_point", 4, 1)}, "expected a scale without zero points, found lm_head.weight_zero_point"},
		{"fp8 with scales of integers", `{"quant_method": "fp8"}`, tensors{fp8, integers("lm_head.weight_scale", 4, 1)}, "found I32"},
		{"fp8 of AMD", `{"quant_method": "fp8"}`, tensors{bytes("lm_head.weight", "F8_E4M3FNUZ", 4, 6), ones("lm_head.weight_scale", 4, 1)}, "expected codes of type F8_E4M3 or F8_E5M2, found F8_E4M3FNUZ"},
		{"int8", `{"quant_method": "compressed-tensors"}`, tensors{bytes("lm_head.weight", "I8", 4, 6), ones("lm_head.weight_scale", 4, 1)}, "(codes of type I8 with scales)"},
		{"int8 alone", `{}`, tensors{bytes("lm_head.weight", "I8", 4, 6)}, "found I8 (it is quantised, or no matrix of floats"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rest := tensors{ones("model.embed_tokens.weight", 16, 16), ones("model.norm.weight", 16)}
			checkOpenFails(t, directory(t, map[string]string{
				configFile:  `{"model_type": "llama", "tie_word_embeddings": true, "quantization_config": ` + test.quantization + `}`,
				weightsFile: weights(append(rest, test.head...)...),
			}), test.want)
		})
	}
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// A scale beside a head of floats is no part of it, as before: such a head is as stored.
func TestScaleBesideFloats(t *testing.T) {
	u := openModel(t, directory(t, map[string]string{
		configFile: `{"model_type": "llama"}`,
		weightsFile: weights(
			safetensorstest.F32("lm_head.weight", []int{2, 2}, 1, 2, 3, 4), safetensorstest.F32("lm_head.weight_scale", []int{2, 1}, 5, 6),
			safetensorstest.F32("model.norm.weight", []int{2}, 1, 1)),
	}))
	if got := readAll(t, u); !slices.Equal(got, []float32{-1, -1, 1, 1}) || u.Info().DType != "F32" || u.Info().Processing.Dequantised {
		t.Errorf("%v, %+v", got, u.Info())
	}
}

// Matrices of blocks are not dequantised, and say what they are.
func TestQuantisedBlock(t *testing.T) {
	layers := func(tensors ...safetensorstest.Tensor) string {
		return directory(t, map[string]string{configFile: `{"model_type": "llama", "num_hidden_layers": 1}`, weightsFile: weights(tensors...)})
	}
	one := func(name, dtype string, bytes int) safetensorstest.Tensor {
		return safetensorstest.Tensor{Name: "model.layers.0.mlp.down_proj." + name, DType: dtype, Shape: []int{1, 1}, Data: make([]byte, bytes)}
	}
	for _, dir := range []string{
		layers(one("qweight", "I32", 4), one("qzeros", "I32", 4), one("scales", "F16", 2)),
		layers(one("weight_packed", "I32", 4)), layers(one("weight", "F8_E4M3", 1), one("weight_scale", "F32", 4)),
	} {
		_, err := OpenBlock(dir, MLPOut, 0)
		if err == nil || !strings.Contains(err.Error(), "is quantised: expected values of floats") {
			t.Error(err)
		}
	}
}

// The vocabulary of a model whose head is not read is the configuration's, so that its
// tokenizer can be.
func TestVocabularySizeWithoutHead(t *testing.T) {
	embedding := safetensorstest.F32("model.embed_tokens.weight", []int{3, 2}, 1, 2, 3, 4, 5, 6)
	for _, head := range []safetensorstest.Tensor{
		safetensorstest.F32("lm_head.q_weight", []int{1}, 1), safetensorstest.F32("other", []int{1}, 1),
		{Name: "lm_head.weight", DType: "F8_E4M3", Shape: []int{3, 2}, Data: make([]byte, 6)},
	} {
		dir := directory(t, map[string]string{configFile: `{"model_type": "llama", "vocab_size": 3}`, weightsFile: weights(embedding, safetensorstest.F32("model.norm.weight", []int{2}, 1, 1), head)})
		if n, err := VocabularySize(dir); n != 3 || err != nil {
			t.Errorf("%s: %d, %v", head.Name, n, err)
		}
	}
}
