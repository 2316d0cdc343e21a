package sae

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestGemmaScope2Golden(t *testing.T) {
	const path = "gemma-scope-2/resid_post/layer_9_width_16k_l0_medium"
	golden(t, "gemma-scope-2", path, func(dir string) Info {
		return Info{
			Path: dir, Name: "resid_post/layer_9_width_16k_l0_medium", Format: "gemma-scope-2", Architecture: "jumprelu",
			Hook: "blocks.9.hook_resid_post", Layer: 9, Space: ResidualStream, DType: "F32", Scale: "as-stored", ModelName: "google/gemma-3-270m",
			Files: []string{filepath.Join(dir, "config.json"), filepath.Join(dir, "params.safetensors")},
		}
	})
}

// directory makes a directory below a new one, with files of text.
func directory(t *testing.T, dir string, files map[string]string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.FromSlash(dir))
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(path, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// gemmaScope2 writes a directory below a new one; no config.json when config is empty.
func gemmaScope2(t *testing.T, dir, config string, weights map[string]written) string {
	t.Helper()
	files := map[string]string{"config.json": config}
	if config == "" {
		files = nil
	}
	path := directory(t, dir, files)
	writeTensors(t, filepath.Join(path, "params.safetensors"), weights)
	return path
}

func TestGemmaScope2Names(t *testing.T) {
	decoder := map[string]written{"w_dec": floats(numbered(6), 3, 2)}
	config := func(in, out string) string {
		return fmt.Sprintf(`{"architecture": "jump_relu", "model_name": "google/gemma-3-4b-it", "l0": 120, "hf_hook_point_in": %q, "hf_hook_point_out": %q}`, in, out)
	}
	const repository = "models--google--gemma-scope-2-1b-pt/snapshots/0af3/"
	tests := []struct {
		dir, config                      string
		hook, architecture, model, space string
	}{
		{"x/y", config("model.layers.7.output", "model.layers.7.output"), "blocks.7.hook_resid_post", "jumprelu", "google/gemma-3-4b-it", ResidualStream},
		{"x/y", config("model.language_model.layers.7.output", ""), "blocks.7.hook_resid_post", "jumprelu", "google/gemma-3-4b-it", ResidualStream},
		{"x/y", config("model.layers.0.self_attn.o_proj.input", ""), "blocks.0.attn.hook_z", "jumprelu", "google/gemma-3-4b-it", AttentionHeads},
		{"x/y", config("model.layers.7.post_feedforward_layernorm.output", ""), "blocks.7.hook_mlp_out", "jumprelu", "google/gemma-3-4b-it", ResidualStream},
		{"x/y", config("model.layers.7.pre_feedforward_layernorm.output", "model.layers.7.post_feedforward_layernorm.output"),
			"blocks.7.hook_mlp_out", "jumprelu_transcoder", "google/gemma-3-4b-it", ResidualStream},
		{repository + "resid_post_all/layer_12_width_16k_l0_small", "", "blocks.12.hook_resid_post", "jumprelu", "google/gemma-3-1b-pt", ResidualStream},
		{repository + "attn_out/layer_12_width_16k_l0_small", "", "blocks.12.attn.hook_z", "jumprelu", "google/gemma-3-1b-pt", AttentionHeads},
		{repository + "mlp_out_all/layer_12_width_16k_l0_small", "{}", "blocks.12.hook_mlp_out", "", "google/gemma-3-1b-pt", ResidualStream},
		{"gemma-scope-2-270m-pt/transcoder_all/layer_12_width_16k_l0_small", "", "blocks.12.hook_mlp_out", "jumprelu_transcoder", "google/gemma-3-270m", ResidualStream},
	}
	for _, test := range tests {
		s := open(t, gemmaScope2(t, test.dir, test.config, decoder))
		i := s.Info()
		if i.Hook != test.hook || i.Architecture != test.architecture || i.ModelName != test.model || i.Space != test.space ||
			i.Layer != HookLayer(test.hook) || (i.L0 == 120) != (len(test.config) > 2) || len(i.Files) != 1+min(len(test.config), 1) {
			t.Errorf("%s %s: %+v", test.dir, test.config, i)
		}
		sameBits(t, test.dir, readAll(t, s), numbered(6))
	}
	decoder["affine_skip_connection"] = floats(numbered(4), 2, 2)
	if i := open(t, gemmaScope2(t, "transcoder/layer_3_width_16k_l0_big_affine", "", decoder)).Info(); i.Architecture != "jumprelu_skip_transcoder" {
		t.Errorf("%+v", i)
	}
}

// Names that SAELens 6.54.12 lists, and some that it does not have.
func TestGemmaScope2Neuronpedia(t *testing.T) {
	for path, want := range map[string]string{
		"gemma-scope-2-4b-pt/resid_post/layer_17_width_1m_l0_medium":                             "gemma-3-4b/17-gemmascope-2-res-1m",
		"models--google--gemma-scope-2-1b-it/snapshots/a/resid_post/layer_7_width_65k_l0_medium": "gemma-3-1b-it/7-gemmascope-2-res-65k",
		"gemma-scope-2-27b-it/transcoder_all/layer_61_width_262k_l0_small_affine":                "gemma-3-27b-it/61-gemmascope-2-transcoder-262k",
		"gemma-scope-2-1b-it/resid_post/layer_7_width_1m_l0_medium":                              "",
		"gemma-scope-2-1b-pt/resid_post/layer_7_width_65k_l0_small":                              "",
		"gemma-scope-2-1b-pt/resid_post_all/layer_7_width_65k_l0_medium":                         "",
		"gemma-scope-2-12b-it/resid_post/layer_7_width_65k_l0_medium":                            "",
		"else/resid_post/layer_7_width_65k_l0_medium":                                            "",
	} {
		if got := gemmaScope2Neuronpedia(pathElements(path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestGemmaScope2Errors(t *testing.T) {
	decoder, nan := floats(numbered(6), 3, 2), float32(math.NaN())
	const named = "resid_post/layer_3_width_16k_l0_big"
	for _, test := range []struct {
		dir, config string
		weights     map[string]written
		want        string
	}{
		{"x/y", "", map[string]written{"w_dec": decoder}, `hook point: expected the output of a layer`},
		{named, `{"hf_hook_point_in": "model.layers.3.self_attn.q_proj.output"}`, map[string]written{"w_dec": decoder}, `found module "model.layers.3.self_attn.q_proj.output"`},
		{named, `[]`, map[string]written{"w_dec": decoder}, "is no JSON object"},
		{named, `{"l0": "small"}`, map[string]written{"w_dec": decoder}, "setting l0"},
		{named, "", map[string]written{"W_dec": decoder}, "tensor w_dec: is missing"},
		{named, "", map[string]written{"w_dec": decoder, "b_enc": floats(numbered(4), 4)}, "expected shape [4, any] as in b_enc, found [3 2]"},
		{named, "", map[string]written{"w_dec": decoder, "b_enc": floats(numbered(2), 2), "b_dec": floats(numbered(3), 3)}, "the tensor is transposed"},
		{named, "", map[string]written{"w_dec": floats(numbered(6), 3, 1, 2)}, "expected a matrix [d_sae, d_model], found F32 [3 1 2]"},
		{named, "", map[string]written{"w_dec": floats([]float32{1, 2, nan, 4, 5, 6}, 3, 2)}, "feature 1, position 0: expected a finite float32"},
	} {
		checkOpenOrRead(t, gemmaScope2(t, test.dir, test.config, test.weights), test.want)
	}
	checkOpenOrRead(t, directory(t, named, map[string]string{"params.safetensors": "short"}), "expected a safetensors file")
}

// Each layer that the features of a layer write to has an SAE; what is stored for
// the layers below is left out.
func TestGemmaScope2CLT(t *testing.T) {
	dir := directory(t, "gemma-scope-2-270m-pt/clt/width_262k_l0_big", map[string]string{"config.json": `{"model_name": "google/gemma-3-270m", "l0": 9}`})
	path := filepath.Join(dir, "params_layer_1.safetensors")
	writeTensors(t, path, map[string]written{
		"w_dec": floats(numbered(18), 3, 3, 2), "b_enc": floats(numbered(3), 3), "b_dec": floats(numbered(2), 2),
	})
	checkFound(t, dir, path+"#layer_1", path+"#layer_2")
	for layer, want := range map[int][]float32{1: {2, 3, 8, 9, 14, 15}, 2: {4, 5, 10, 11, 16, 17}} {
		s := open(t, fmt.Sprintf("%s#layer_%d", path, layer))
		i := s.Info()
		if i.Name != fmt.Sprintf("width_262k_l0_big/layer_1_to_%d", layer) || i.Layer != layer || i.Hook != fmt.Sprintf("blocks.%d.hook_mlp_out", layer) ||
			i.Architecture != "clt" || i.ModelName != "google/gemma-3-270m" || i.L0 != 9 || !slices.Equal(i.Files, []string{filepath.Join(dir, "config.json"), path}) {
			t.Errorf("%+v", i)
		}
		sameBits(t, i.Name, readAll(t, s), want)
	}
	checkOpenOrRead(t, path+"#layer_0", `one of layer_1, layer_2, found "layer_0"`)
	checkOpenOrRead(t, path, `one of layer_1, layer_2, found ""`)
}

// checkFound holds that below root there are these SAEs and no others.
func checkFound(t *testing.T, root string, want ...string) {
	t.Helper()
	if found, err := Find(root); err != nil || !slices.Equal(found, want) {
		t.Errorf("found %q, %v; expected %q", found, err, want)
	}
}

func TestGemmaScope2CLTErrors(t *testing.T) {
	nan := float32(math.NaN())
	for _, test := range []struct {
		weights map[string]written
		want    string
	}{
		{map[string]written{"w_enc": floats(numbered(6), 3, 2)}, "tensor w_dec: is missing"},
		{map[string]written{"w_dec": floats(numbered(6), 3, 2)}, "expected shape [d_sae, layers, d_model] with 1 to 1024 layers, found [3 2]"},
		{map[string]written{"w_dec": floats(numbered(6), 3, 1, 2)}, "expected a decoder for layer 1, found those for 1 layers"},
		{map[string]written{"w_dec": {"U8", []int{1, 2000, 1}, make([]byte, 2000)}}, "with 1 to 1024 layers, found [1 2000 1]"},
		{map[string]written{"w_dec": floats(numbered(12), 3, 2, 2), "b_enc": floats(numbered(2), 2)}, "expected shape [2, any] as in b_enc, found [3 2]"},
		{map[string]written{"w_dec": floats([]float32{0, 0, nan, 0}, 1, 2, 2)}, "feature 0, position 0: expected a finite float32"},
	} {
		path := filepath.Join(directory(t, "clt/width_16k", nil), "params_layer_1.safetensors")
		writeTensors(t, path, test.weights)
		s, err := Open(path + "#layer_1")
		if err == nil {
			err = s.ReadDecoder(0, make([]float32, 2))
			s.Close()
		}
		checkFault(t, err, path, test.want)
	}
}
