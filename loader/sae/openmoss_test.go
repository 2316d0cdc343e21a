package sae

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// openMOSS writes a directory with a configuration and weights.
func openMOSS(t *testing.T, config string, weights map[string]written) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	writeTensors(t, filepath.Join(dir, "sae_weights.safetensors"), weights)
	return dir
}

// numbered are n values 0, 1, 2, ….
func numbered(n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	return values
}

func TestOpenMOSS(t *testing.T) {
	s := open(t, openMOSS(t, `{"sae_type": "sae", "d_model": 2, "expansion_factor": 1.5, "act_fn": "topk", "norm_activation": "dataset-wise",
		"hook_point_in": "blocks.4.hook_resid_post", "hook_point_out": "blocks.4.hook_resid_post"}`,
		map[string]written{"W_D": floats(numbered(6), 3, 2), "b_D": floats(numbered(2), 2)}))
	if i := s.Info(); i.Format != "openmoss" || i.Architecture != "topk" || i.Layer != 4 || i.DSAE != 3 ||
		i.Scale != "as-stored; trained on activations of normalised length" || i.SAELensScale != 0 {
		t.Errorf("%+v", i)
	}
	sameBits(t, "W_D", readAll(t, s), numbered(6))
	s = open(t, openMOSS(t, `{"sae_type": "lorsa", "d_model": 2, "hook_point_in": "blocks.4.ln1.hook_normalized", "hook_point_out": "blocks.4.hook_attn_out"}`,
		map[string]written{"W_O": floats(numbered(6), 3, 2)}))
	if i := s.Info(); i.Architecture != "lorsa" || i.Hook != "blocks.4.hook_attn_out" {
		t.Errorf("%+v", i)
	}
}

// Llama Scope R1 Distill is in the same layout, with a transposed decoder.
func TestLlamaScopeDistill(t *testing.T) {
	s := open(t, openMOSS(t, `{"d_model": 4, "expansion_factor": 0.5, "norm_activation": "dataset-wise",
		"hook_point_in": "blocks.7.hook_resid_post", "hook_point_out": "blocks.7.hook_resid_post"}`,
		map[string]written{
			"decoder.weight": floats(numbered(8), 4, 2), "log_jumprelu_threshold": floats(numbered(2), 2),
			"dataset_average_activation_norm.blocks.7.hook_resid_post": {"F32", []int{}, float32(10)},
		}))
	if i := s.Info(); i.Format != "llama-scope-r1-distill" || i.Architecture != "jumprelu" || i.Layer != 7 || i.SAELensScale != 5 {
		t.Errorf("%+v", i)
	}
	sameBits(t, "decoder", readAll(t, s), []float32{0, 2, 4, 6, 1, 3, 5, 7})
}

// Each decoder of a cross-layer transcoder, and each head of a crosscoder, is an SAE.
func TestOpenMOSSParts(t *testing.T) {
	crossLayer := openMOSS(t, `{"sae_type": "clt", "d_model": 2, "d_sae": 3, "hook_points_in": ["a", "b"],
		"hook_points_out": ["blocks.0.hook_mlp_out", "blocks.1.hook_mlp_out"]}`,
		map[string]written{"W_D.0": floats(numbered(6), 1, 3, 2), "W_D.1": floats(numbered(12), 2, 3, 2)})
	crosscoder := openMOSS(t, `{"sae_type": "crosscoder", "d_model": 2, "d_sae": 3, "hook_points": ["blocks.3.hook_resid_post", "blocks.5.hook_resid_post"]}`,
		map[string]written{"W_D": floats(numbered(12), 2, 3, 2)})
	tests := []struct {
		dir, part, hook string
		layer, first    int
	}{
		{crossLayer, "layer_0_to_0", "blocks.0.hook_mlp_out", 0, 0},
		{crossLayer, "layer_0_to_1", "blocks.1.hook_mlp_out", 1, 0},
		{crossLayer, "layer_1_to_1", "blocks.1.hook_mlp_out", 1, 6},
		{crosscoder, "blocks.3.hook_resid_post", "blocks.3.hook_resid_post", 3, 0},
		{crosscoder, "blocks.5.hook_resid_post", "blocks.5.hook_resid_post", 5, 6},
	}
	paths := map[string][]string{}
	for _, test := range tests {
		path := test.dir + "#" + test.part
		paths[test.dir] = append(paths[test.dir], path)
		s := open(t, path)
		if i := s.Info(); i.Path != path || i.Name != filepath.Base(path) || i.Hook != test.hook || i.Layer != test.layer || i.DSAE != 3 || i.DModel != 2 {
			t.Errorf("%+v", i)
		}
		sameBits(t, test.part, readAll(t, s), numbered(12)[test.first:test.first+6])
	}
	for dir, want := range paths {
		for _, root := range []string{dir, filepath.Dir(dir)} {
			found, err := Find(root)
			if err != nil || !slices.Equal(slices.DeleteFunc(found, func(p string) bool { return !strings.HasPrefix(p, dir) }), want) {
				t.Errorf("found %q, %v; expected %q", found, err, want)
			}
		}
		if found, err := Find(want[0]); err != nil || !slices.Equal(found, want[:1]) {
			t.Errorf("found %q, %v", found, err)
		}
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "the name of a part behind #, one of ") {
			t.Errorf("without a part: %v", err)
		}
		if _, err := Open(dir + "#layer_7"); err == nil || !strings.Contains(err.Error(), `found "layer_7"`) {
			t.Errorf("with another part: %v", err)
		}
	}
}

func TestOpenMOSSErrors(t *testing.T) {
	good := map[string]written{"W_D": floats(numbered(6), 3, 2)}
	bad := map[string]written{"W_D": floats([]float32{1, 2, 3, float32(math.Inf(1)), 5, 6}, 3, 2)}
	points := `"blocks.0.hook_mlp_out"` + strings.Repeat(`, "x"`, 2000)
	for _, test := range []struct {
		config  string
		weights map[string]written
		want    string
	}{
		{`{"sae_type": "molt", "d_model": 2}`, good, `sae_type: expected sae, crosscoder, clt or lorsa, found "molt"`},
		{`{"d_model": 3, "d_sae": 2}`, good, "the tensor is transposed"},
		{`{"d_model": -2}`, good, "expected sizes above 0"},
		{`{"d_model": "two"}`, good, "cannot unmarshal"},
		{`{"sae_type": "crosscoder", "hook_points": ["a", "b"]}#a`, good, "expected shape [2, d_sae, d_model], found [3 2]"},
		{`{"sae_type": "clt", "hook_points_out": [` + points + `]}`, good, "expected at most 1024 hook points, found 2001"},
		{`{}`, map[string]written{"W_E": floats(numbered(6), 3, 2)}, "tensor W_D: is missing"},
		{`{}`, bad, "tensor W_D: feature 1, position 1: expected a finite float32, found +Inf"},
	} {
		config, part, _ := strings.Cut(test.config, "#")
		s, err := Open(withPart(openMOSS(t, config, test.weights), part))
		if err == nil {
			t.Cleanup(func() { s.Close() })
			err = s.ReadDecoder(0, make([]float32, 6))
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s: %v does not say %q", fmt.Sprint(test.config), err, test.want)
		}
	}
}

func TestTemporal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "layer_12", "temporal")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	writeTensors(t, filepath.Join(dir, "latest_ckpt.safetensors"), map[string]written{"D": floats(numbered(6), 3, 2)})
	s := open(t, dir)
	if i := s.Info(); i.Format != "temporal" || i.Hook != "blocks.12.hook_resid_post" || i.Layer != 12 || i.DSAE != 3 {
		t.Errorf("%+v", i)
	}
	sameBits(t, "D", readAll(t, s), numbered(6))
}
