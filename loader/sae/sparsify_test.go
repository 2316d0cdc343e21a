package sae

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSparsifyGolden(t *testing.T) {
	for name, want := range map[string]Info{
		"sparsify":     {Hook: "blocks.10.hook_resid_post", Layer: 10, DType: "F32"},
		"sparsify-mlp": {Hook: "blocks.23.hook_mlp_out", Layer: 23, DType: "BF16"},
	} {
		module := map[string]string{"sparsify": "layers.10", "sparsify-mlp": "layers.23.mlp"}[name]
		golden(t, name, name+"/"+module, func(dir string) Info {
			want.Path, want.Name, want.Format, want.Architecture = dir, module, "sparsify", "topk"
			want.Space, want.Scale = ResidualStream, "as-stored"
			want.Files = []string{filepath.Join(dir, "cfg.json"), filepath.Join(dir, "sae.safetensors")}
			return want
		})
	}
}

func TestSparsifyHook(t *testing.T) {
	for module, want := range map[string]string{
		"layers.3": "blocks.3.hook_resid_post", "layer_18": "blocks.18.hook_resid_post", "layers_7": "blocks.7.hook_resid_post",
		"layers.23.mlp": "blocks.23.hook_mlp_out", "gpt_neox.layers.4.attention": "blocks.4.hook_attn_out",
		"transformer.h.5": "blocks.5.hook_resid_post", "model.layers.0.self_attn": "blocks.0.hook_attn_out",
		"embed_tokens": "hook_embed", "gpt_neox.embed_in": "hook_embed",
		"model.layers.9.mlp.gate_proj": "model.layers.9.mlp.gate_proj", "run-3": "run-3",
	} {
		if got := sparsifyHook(module); got != want {
			t.Errorf("%s: %s, expected %s", module, got, want)
		}
	}
}

// The run's configuration, in the directory above, names the model; a transcoder says that it is one.
func TestSparsifySettings(t *testing.T) {
	run := t.TempDir()
	dir := filepath.Join(run, "layers.2.mlp")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(run, "config.json"), `{"model": "EleutherAI/pythia-160m", "dataset": "x"}`)
	write(filepath.Join(dir, "cfg.json"), `{"expansion_factor": 3, "num_latents": 0, "d_in": 2, "transcode": true, "skip_connection": true}`)
	writeTensors(t, filepath.Join(dir, "sae.safetensors"), map[string]written{"W_dec": floats(make([]float32, 12), 6, 2)})
	if i := open(t, dir).Info(); i.ModelName != "EleutherAI/pythia-160m" || i.Architecture != "skip_transcoder" || i.DSAE != 6 {
		t.Errorf("%+v", i)
	}
	for config, want := range map[string]string{
		`{"num_latents": 5, "d_in": 2}`:      "expected shape [5, 2] as in cfg.json, found [6 2]",
		`{"num_latents": 2, "d_in": 6}`:      "the tensor is transposed",
		`{"num_latents": -1, "d_in": 2}`:     "setting num_latents: expected a whole number, found -1",
		`{"num_latents": "many", "d_in": 2}`: "setting num_latents",
		`[]`:                                 "is no JSON object",
		`{"num_latents": 0, "d_in": 0, "expansion_factor": 1}`: "setting d_in: expected a whole number above 0, found 0",
	} {
		write(filepath.Join(dir, "cfg.json"), config)
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", config, err, want)
		}
	}
}
