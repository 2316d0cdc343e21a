package sae

import "testing"

func TestLensLayer(t *testing.T) {
	for hook, want := range map[string]int{
		"blocks.8.hook_resid_pre": 7, "blocks.0.hook_resid_pre": -1, "blocks.8.hook_resid_post": 8, "blocks.8.hook_mlp_out": 8,
		"blocks.8.hook_in": 7, "blocks.8.hook_out": 8, "model.layers.3": 3, "model.layers.3.input": 2, "transformer.h.5": 5,
		"model.layers.3.mlp": 3, "blocks.4.mlp.hook_post": 4, "layers[3].output[0]": 3,
	} {
		if got, err := LensLayer(hook); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", hook, got, err, want)
		}
	}
	for _, hook := range []string{
		"", "blocks.8.hook_resid_mid", "blocks.8.hook_attn_out", "blocks.8.attn.hook_z", "blocks.8.hook_attn_in", "blocks.8.hook_mlp_in",
		"blocks.8.ln1.hook_normalized", "hook_embed", "ln_final.hook_normalized", "blocks.8.attn.hook_v", "somewhere",
	} {
		if got, err := LensLayer(hook); err == nil {
			t.Errorf("%s: %d, and it is refused", hook, got)
		}
	}
}
