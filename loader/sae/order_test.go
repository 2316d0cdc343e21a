package sae

import (
	"strings"
	"testing"
)

// TestCheckMeets: what is read where, by the order of a block in the papers' models: attention,
// what it adds, the MLP, what it adds.
func TestCheckMeets(t *testing.T) {
	for _, c := range []struct{ write, read, architecture, want string }{
		{"blocks.3.hook_resid_pre", "blocks.3.hook_resid_pre", "gpt2", ""},
		{"blocks.3.hook_resid_pre", "blocks.3.hook_resid_post", "gpt2", ""},
		{"blocks.3.hook_resid_post", "blocks.4.hook_resid_pre", "gpt2", ""},
		{"blocks.4.hook_resid_pre", "blocks.3.hook_resid_post", "gpt2", ""}, // the same place
		{"blocks.3.hook_resid_post", "blocks.3.hook_resid_pre", "gpt2", "blocks.3.hook_resid_pre is read before blocks.3.hook_resid_post is written"},
		{"blocks.3.hook_mlp_out", "blocks.3.ln2.hook_normalized", "gpt2", "is read before"},
		{"blocks.3.hook_mlp_out", "blocks.4.ln2.hook_normalized", "gpt2", ""},
		{"blocks.3.hook_mlp_out", "blocks.3.hook_mlp_out", "gpt2", ""},
		{"blocks.3.hook_mlp_out", "model.layers.3.mlp", "gpt2", ""},
		{"blocks.2.hook_mlp_out", "blocks.3.hook_mlp_out", "gpt2", "holds what is added there alone"},
		{"blocks.2.hook_resid_pre", "blocks.3.hook_attn_out", "gpt2", "holds what is added there alone"},
		{"blocks.3.attn.hook_z", "blocks.3.hook_resid_mid", "gpt2", ""},
		{"blocks.3.attn.hook_z", "blocks.3.mlp.hook_in", "gpt2", ""},
		{"blocks.3.attn.hook_z", "blocks.3.mlp.hook_in", "gpt_neox", "of architecture gpt_neox, blocks.3.mlp.hook_in does not read what attention adds"},
		{"blocks.3.attn.hook_z", "blocks.4.mlp.hook_in", "gpt_neox", ""},
		{"blocks.3.hook_attn_out", "blocks.3.hook_resid_pre", "gpt2", "is read before"},
		{"model.layers.3.mlp.down_proj.input", "model.layers.3", "llama", ""},
		{"model.layers.3", "model.layers.3.input", "llama", "is read before"},
		{"model.layers.3", "model.layers.3.output[0]", "llama", ""},
		{"hook_embed", "blocks.0.hook_resid_pre", "gpt2", ""},
		{"blocks.11.hook_resid_post", "ln_final.hook_normalized", "gpt2", ""},
		{"blocks.3.hook_resid_pre", "layers.3.post_attention_layernorm", "llama", "it is not known where"},
		{"somewhere", "blocks.3.hook_resid_pre", "gpt2", "it is not known where in the order of the model somewhere is"},
		{"", "blocks.3.hook_resid_pre", "gpt2", "do not say at which hook point it is written"},
		{"blocks.3.hook_resid_pre", "", "gpt2", "do not say at which hook point it is read"},
	} {
		err := CheckMeets(c.write, c.read, c.architecture)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s to %s in %s: %v, expected %q", c.write, c.read, c.architecture, err, c.want)
		}
	}
}

// TestOrderKnown: every hook point of the residual stream that a load accepts has its place, but for those
// whose place differs between models.
func TestOrderKnown(t *testing.T) {
	unknown := []string{"post_attention_layernorm", "post_feedforward_layernorm", "ln1_post.", "ln2_post.", "layers.N.final_layer_norm"}
	for _, kind := range HookPoints() {
		for _, name := range kind.Names {
			differs := false
			for _, part := range unknown {
				differs = differs || strings.Contains(name, part)
			}
			at, known := pointOf(strings.Replace(name, ".N", ".7", 1))
			if known == differs {
				t.Errorf("%s: known %v", name, known)
			}
			if known && strings.Contains(name, ".N") && at.block != 7 {
				t.Errorf("%s: block %d", name, at.block)
			}
		}
	}
}
