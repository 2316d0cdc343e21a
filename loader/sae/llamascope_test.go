package sae

import (
	"math"
	"path/filepath"
	"testing"
)

func TestLlamaScopeGolden(t *testing.T) {
	golden(t, "llama-scope", "llama-scope", func(dir string) Info {
		return Info{
			Path: dir, Name: "llama-scope", Format: "llama-scope", Architecture: "jumprelu",
			Hook: "blocks.15.hook_resid_post", Layer: 15, Space: ResidualStream, DType: "BF16",
			Scale:        "as-stored; trained on activations of mean length 20 divided by 2.88675",
			SAELensScale: 20 / math.Sqrt(48),
			Files:        []string{filepath.Join(dir, "hyperparams.json"), filepath.Join(dir, "checkpoints", "final.safetensors")},
		}
	})
}

// SAELens divides W_dec by √d_model/norm (fold_activation_norm_scaling_factor).
func TestLlamaScopeAtSAELensScale(t *testing.T) {
	path := filepath.Join(fixtures(t, "llama-scope"), "llama-scope")
	stored := readAll(t, open(t, path))
	scaled, err := Rescaled(open(t, path), SAELens)
	if err != nil {
		t.Fatal(err)
	}
	factor := math.Sqrt(48) / 20
	for i, v := range readAll(t, scaled) {
		if want := float64(stored[i]) / factor; math.Abs(float64(v)-want) > 1e-6*math.Abs(want) {
			t.Fatalf("value %d is %v, expected %v", i, v, want)
		}
	}
}
