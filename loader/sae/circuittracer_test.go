package sae

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"
)

const circuitTracerYAML = `model_name: "Qwen/Qwen3-4B"
model_kind: transcoder_set
feature_input_hook: mlp.hook_in
feature_output_hook: mlp.hook_out # of the block
transcoders: [hf://mwhanna/qwen3-4b-transcoders/layer_0.safetensors]
`

func TestCircuitTracer(t *testing.T) {
	weights := map[string]written{
		"W_enc": floats(numbered(6), 3, 2), "W_dec": floats(numbered(6), 3, 2), "b_enc": floats(numbered(3), 3), "b_dec": floats(numbered(2), 2),
	}
	tests := []struct {
		dir, config, text  string
		hook, model, id    string
		architecture, skip string
	}{
		{"models--mwhanna--qwen3-4b-transcoders/snapshots/0af3", "config.yaml", circuitTracerYAML,
			"blocks.12.mlp.hook_out", "Qwen/Qwen3-4B", "qwen3-4b/12-transcoder-hp", "transcoder", ""},
		{"qwen3-14b-transcoders-lowl0", "wandb-config.yaml", "d_model: {value: 2}", "blocks.12.hook_mlp_out", "Qwen/Qwen3-14B", "qwen3-14b/12-transcoder-hp-lowl0", "transcoder", ""},
		{"qwen3-4b-transcoders-lowl0", "wanb-config.yaml", "", "blocks.12.hook_mlp_out", "Qwen/Qwen3-4B", "", "transcoder", ""},
		{"x", "config.yaml", "", "blocks.12.hook_mlp_out", "", "", "skip_transcoder", "W_skip"},
	}
	for _, test := range tests {
		path := filepath.Join(directory(t, test.dir, map[string]string{test.config: test.text}), "layer_12.safetensors")
		delete(weights, "W_skip")
		if test.skip != "" {
			weights[test.skip] = floats(numbered(4), 2, 2)
		}
		writeTensors(t, path, weights)
		checkFound(t, filepath.Dir(path), path)
		s := open(t, path)
		i := s.Info()
		files := 1
		if test.config == "config.yaml" {
			files = 2
		}
		if i.Name != "layer_12" || i.Format != "circuit-tracer" || i.Hook != test.hook || i.Layer != 12 || i.Space != ResidualStream || i.ModelName != test.model ||
			i.NeuronpediaID != test.id || i.Architecture != test.architecture || i.Scale != "as-stored" || len(i.Files) != files {
			t.Errorf("%s: %+v", test.dir, i)
		}
		sameBits(t, test.dir, readAll(t, s), numbered(6))
	}
	alone := directory(t, "x", nil)
	writeTensors(t, filepath.Join(alone, "layer_12.safetensors"), weights)
	_, err := Find(alone)
	checkFault(t, err, alone, "an SAE of one of the formats circuit-tracer, ")
}

func TestCircuitTracerErrors(t *testing.T) {
	decoder, nan := floats(numbered(6), 3, 2), float32(math.NaN())
	for _, test := range []struct {
		config  string
		weights map[string]written
		want    string
	}{
		{"model_name: [", map[string]written{"W_dec": decoder}, "expected YAML with model_name and feature_output_hook"},
		{"model_name: {a: 1}", map[string]written{"W_dec": decoder}, "expected YAML with model_name and feature_output_hook"},
		{"", map[string]written{"W_enc": decoder}, "tensor W_dec: is missing"},
		{"", map[string]written{"W_dec": decoder, "b_enc": floats(numbered(2), 2), "b_dec": floats(numbered(3), 3)}, "the tensor is transposed"},
		{"", map[string]written{"W_dec": decoder, "b_dec": floats(numbered(3), 3)}, "expected shape [any, 3] as in b_dec"},
		{"", map[string]written{"W_dec": floats([]float32{1, 2, 3, 4, 5, nan}, 3, 2)}, "feature 2, position 1: expected a finite float32"},
	} {
		dir := directory(t, "x", map[string]string{"config.yaml": test.config})
		path := filepath.Join(dir, "layer_0.safetensors")
		writeTensors(t, path, test.weights)
		s, err := Open(path)
		if err == nil {
			t.Cleanup(func() { s.Close() })
			err = s.ReadDecoder(0, make([]float32, 6))
		}
		checkFault(t, err, dir, test.want)
	}
}

// Each layer that the features of a layer write to has an SAE.
func TestCircuitTracerCLT(t *testing.T) {
	dir := directory(t, "models--mntss--clt-gemma-2-2b-2.5M/snapshots/0af3", map[string]string{
		"config.yaml": "model_name: google/gemma-2-2b\nmodel_kind: cross_layer_transcoder\nfeature_input_hook: hook_resid_mid\nfeature_output_hook: hook_mlp_out\n",
	})
	var want []string
	for from := range 2 {
		decoders, encoder := fmt.Sprintf("W_dec_%d", from), fmt.Sprintf("W_enc_%d.safetensors", from)
		writeTensors(t, filepath.Join(dir, decoders+".safetensors"), map[string]written{decoders: floats(numbered(6*(2-from)), 3, 2-from, 2)})
		writeTensors(t, filepath.Join(dir, encoder), map[string]written{
			fmt.Sprintf("W_enc_%d", from): floats(numbered(6), 3, 2),
			fmt.Sprintf("b_enc_%d", from): floats(numbered(3), 3), fmt.Sprintf("b_dec_%d", from): floats(numbered(2), 2),
		})
		for to := from; to < 2; to++ {
			want = append(want, fmt.Sprintf("%s.safetensors#layer_%d", filepath.Join(dir, decoders), to))
		}
	}
	checkFound(t, dir, want...)
	for i, test := range []struct {
		name string
		rows []float32
	}{
		{"layer_0_to_0", []float32{0, 1, 4, 5, 8, 9}},
		{"layer_0_to_1", []float32{2, 3, 6, 7, 10, 11}},
		{"layer_1_to_1", []float32{0, 1, 2, 3, 4, 5}},
	} {
		s := open(t, want[i])
		var from, to int
		if _, err := fmt.Sscanf(test.name, "layer_%d_to_%d", &from, &to); err != nil {
			t.Fatal(err)
		}
		info := s.Info()
		if info.Path != want[i] || info.Name != test.name || info.Format != "circuit-tracer-clt" || info.Architecture != "clt" || info.Layer != to ||
			info.Hook != fmt.Sprintf("blocks.%d.hook_mlp_out", to) || info.Space != ResidualStream || info.ModelName != "google/gemma-2-2b" ||
			info.NeuronpediaID != fmt.Sprintf("gemma-2-2b/%d-clt-hp", from) || len(info.Files) != 3 {
			t.Errorf("%+v", info)
		}
		sameBits(t, test.name, readAll(t, s), test.rows)
	}
}

func TestCircuitTracerCLTErrors(t *testing.T) {
	decoder, nan := floats(numbered(12), 3, 2, 2), float32(math.NaN())
	for _, test := range []struct {
		config           string
		weights, encoder map[string]written
		want             string
	}{
		{"", map[string]written{"W_dec_0": decoder}, nil, "tensor W_dec_3: is missing"},
		{"", map[string]written{"W_dec_3": floats(numbered(6), 3, 2)}, nil, "expected shape [d_sae, layers, d_model] with 1 to 1024 layers, found [3 2]"},
		{"", map[string]written{"W_dec_3": decoder}, map[string]written{"b_enc_3": floats(numbered(4), 4)}, "expected shape [4, any] as in b_enc_3, found [3 2]"},
		{"", map[string]written{"W_dec_3": {"I32", []int{1, 1, 1}, make([]int32, 1)}}, nil, "expected F32, F16, BF16 or F64, found I32 [1 1]"},
		{"a: *b", map[string]written{"W_dec_3": decoder}, nil, "expected YAML"},
		{"", map[string]written{"W_dec_3": floats([]float32{0, nan, 0, 0}, 1, 2, 2)}, nil, "feature 0, position 1: expected a finite float32"},
	} {
		dir := directory(t, "x", map[string]string{"config.yaml": test.config})
		path := filepath.Join(dir, "W_dec_3.safetensors")
		writeTensors(t, path, test.weights)
		if test.encoder != nil {
			writeTensors(t, filepath.Join(dir, "W_enc_3.safetensors"), test.encoder)
		}
		s, err := Open(path + "#layer_3")
		if err == nil {
			err = s.ReadDecoder(0, make([]float32, 2))
			s.Close()
		}
		checkFault(t, err, dir, test.want)
	}
}
