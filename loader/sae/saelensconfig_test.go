package sae

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseSAELensConfig(t *testing.T) {
	tests := []struct {
		name, file string
		want       saelensConfig
	}{
		{"nothing", `{}`, saelensConfig{architecture: "standard", normalize: "none"}},
		{"nulls", `{"architecture": null, "d_in": null, "metadata": null, "neuronpedia_id": null, "normalize_activations": null, "hook_name": null}`,
			saelensConfig{architecture: "standard", normalize: "none"}},
		{"version 6", `{"architecture": "topk", "d_in": 4, "d_sae": 8, "k": 2, "rescale_acts_by_decoder_norm": true, "normalize_activations": "none",
			"metadata": {"model_name": "m", "hook_name": "blocks.4.hook_resid_pre", "hook_name_out": "blocks.4.hook_mlp_out", "neuronpedia_id": "m/4"}}`,
			saelensConfig{architecture: "topk", dSAE: 8, dOut: 4, hook: "blocks.4.hook_resid_pre", modelName: "m", neuronpedia: "m/4", normalize: "none", rescale: true}},
		{"version 6, transcoder", `{"architecture": "skip_transcoder", "d_in": 4, "d_out": 6, "d_sae": 8,
			"metadata": {"hook_name": "blocks.4.ln2.hook_normalized", "hook_name_out": "blocks.5.hook_mlp_out"}}`,
			saelensConfig{architecture: "skip_transcoder", dSAE: 8, dOut: 6, hook: "blocks.5.hook_mlp_out", in: "blocks.4.ln2.hook_normalized", normalize: "none"}},
		{"transcoder without an output", `{"architecture": "transcoder", "d_in": 4, "metadata": {"hook_name": "blocks.4.hook_mlp_in"}}`,
			saelensConfig{architecture: "transcoder", hook: "blocks.4.hook_mlp_in", in: "blocks.4.hook_mlp_in", normalize: "none"}},
		{"Hugging Face's name of the hook", `{"metadata": {"hf_hook_name": "model.layers.7"}}`,
			saelensConfig{architecture: "standard", hook: "model.layers.7", normalize: "none"}},
		{"version 5", `{"d_in": 4, "d_sae": 8, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 3}, "hook_name": "blocks.1.attn.hook_z",
			"hook_layer": 1, "model_name": "m", "neuronpedia_id": "m/1", "finetuning_scaling_factor": true, "normalize_activations": "layer_norm"}`,
			saelensConfig{architecture: "topk", dSAE: 8, dOut: 4, hook: "blocks.1.attn.hook_z", modelName: "m", neuronpedia: "m/1", normalize: "layer_norm", finetuned: true}},
		{"version 1", `{"hook_point": "blocks.3.hook_resid_pre", "hook_point_layer": 3, "d_in": 4, "d_sae": 8, "normalize_activations": false}`,
			saelensConfig{architecture: "standard", dSAE: 8, dOut: 4, hook: "blocks.3.hook_resid_pre", normalize: "none"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := parseSAELensConfig([]byte(test.file))
			if err != nil {
				t.Fatal(err)
			}
			if *got != test.want {
				t.Errorf("got  %+v\nwant %+v", *got, test.want)
			}
		})
	}
}

func FuzzConfig(f *testing.F) {
	files, err := filepath.Glob("testdata/*/cfg.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no configurations to begin with", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"metadata": {"hook_name": []}, "d_in": -1, "normalize_activations": 3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseSAELensConfig(data)
		if err != nil {
			if c != nil {
				t.Error("a configuration beside an error")
			}
			return
		}
		info := c.info()
		if c.dSAE < 0 || c.dOut < 0 || info.Layer < -1 || info.Architecture == "" || !strings.HasPrefix(info.Scale, scaleAsStored) || info.Space == "" {
			t.Errorf("%+v of %s", info, data)
		}
	})
}
