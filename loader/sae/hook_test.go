package sae

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

func TestHook(t *testing.T) {
	tests := []struct {
		hook  string
		layer int
		space string
	}{
		{"blocks.30.hook_resid_post", 30, ResidualStream},
		{"blocks.0.hook_resid_pre", 0, ResidualStream},
		{"blocks.11.hook_resid_mid", 11, ResidualStream},
		{"blocks.5.hook_mlp_out", 5, ResidualStream},
		{"blocks.5.hook_attn_out", 5, ResidualStream},
		{"blocks.5.ln2.hook_normalized", 5, ResidualStream},
		{"blocks.5.hook_mlp_in", 5, ResidualStream},
		{"hook_embed", -1, ResidualStream},
		{"", -1, ResidualStream},
		{"blocks.99999999999999999999.hook_resid_pre", -1, ResidualStream},

		{"model.layers.7", 7, ResidualStream},
		{"model.language_model.layers.30", 30, ResidualStream},
		{"transformer.h.3", 3, ResidualStream},
		{"transformer.h.3.attn", 3, ResidualStream},
		{"gpt_neox.layers.4.mlp", 4, ResidualStream},
		{"model.decoder.layers.4.self_attn", 4, ResidualStream},
		{"layers.1", 1, ResidualStream},
		{"model.layers[12].output[0]", 12, ResidualStream},
		{"model.layers.12.output.0", 12, ResidualStream},
		{"model.layers.12.self_attn.output[0]", 12, ResidualStream},
		{".model.layers.3", 3, ResidualStream},
		{"thinker.model.layers[3]", 3, ResidualStream},
		{"model.layers.12.input", 12, ResidualStream},
		{"model.embed_tokens", -1, ResidualStream},
		{"model.norm", -1, ResidualStream},

		{"blocks.7.attn.hook_z", 7, AttentionHeads},
		{"model.layers.7.self_attn.o_proj.input", 7, AttentionHeads},
		{"model.layers.7.self_attn.o_proj.inputs[0][0]", 7, AttentionHeads},
		{"model.layers.7.self_attn.o_proj", 7, ResidualStream},
		{"blocks.7.attn.hook_v", 7, AttentionValues},
		{"model.layers.1.self_attn.v_proj", 1, AttentionValues},
		{"blocks.7.mlp.hook_post", 7, MLPActivations},
		{"blocks.7.mlp.hook_pre", 7, MLPActivations},
		{"transformer.h.7.mlp.c_proj.input", 7, MLPActivations},

		{"blocks.0.attn.hook_rot_q", 0, UnknownSpace},
		{"blocks.0.attn.hook_rot_k", 0, UnknownSpace},
		{"blocks.1.attn.hook_q", 1, UnknownSpace},
		{"blocks.1.attn.hook_k", 1, UnknownSpace},
		{"blocks.1.attn.hook_attn_scores", 1, UnknownSpace},
		{"blocks.1.attn.hook_pattern", 1, UnknownSpace},
		{"blocks.1.ln1.hook_scale", 1, UnknownSpace},
		{"blocks.1.mlp.hook_pre_linear", 1, UnknownSpace},
		{"model.layers.1.self_attn.q_proj", 1, UnknownSpace},
		{"model.layers.1.self_attn.v_proj.input.q_proj", 1, UnknownSpace},
		{"transformer.h.1.attn.c_attn", 1, UnknownSpace},
		{"gpt_neox.layers.1.attention.query_key_value", 1, UnknownSpace},
		{"vision_model.encoder.layers.1", 1, UnknownSpace},
		{"model.vision_tower.encoder.layers.1.mlp", 1, UnknownSpace},
		{"visual.blocks.1.hook_resid_post", 1, UnknownSpace},
		{"encoder.layers.1", 1, UnknownSpace},
		{"lm_head", -1, UnknownSpace},
		{"v2.blocks.x3.hook_resid_pre", -1, UnknownSpace},
		{"blocks.N.hook_resid_pre", -1, UnknownSpace},
		{"hook_resid_pre", -1, UnknownSpace},
		{"self_attn", -1, UnknownSpace},
		{"something", -1, UnknownSpace},
		{".", -1, UnknownSpace},
	}
	for _, test := range tests {
		if layer, space := HookLayer(test.hook), HookSpace(test.hook); layer != test.layer || space != test.space {
			t.Errorf("%q: layer %d, %s; want %d, %s", test.hook, layer, space, test.layer, test.space)
		}
	}
}

// What is refused is named, with the choices.
func TestCheckHook(t *testing.T) {
	tests := []struct{ hook, found string }{
		{"blocks.1.attn.hook_q", "found queries of attention"},
		{"model.layers.1.self_attn.q_proj", "found queries of attention"},
		{"blocks.1.attn.hook_k", "found keys of attention"},
		{"blocks.0.attn.hook_rot_k", "found rotated queries or keys"},
		{"blocks.0.attn.hook_attn_scores", "found attention scores"},
		{"gpt_neox.layers.1.attention.query_key_value", "found queries, keys and values together"},
		{"vision_model.encoder.layers.1", "found a vision or audio tower"},
		{"blocks.0.ln1.hook_scale", "found the scale of a norm"},
		{"lm_head", "found logits"},
		{"blocks.3.hook_unheard_of", "found one that is not known"},
	}
	for _, test := range tests {
		info := Info{Path: "somewhere"}
		info.SetHook(test.hook)
		for _, want := range []string{"somewhere", fmt.Sprintf("hook point %q", test.hook), test.found, "blocks.N.hook_resid_pre", "layers.N.self_attn", "--hook"} {
			if err := CheckHook(info); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q", test.hook, err, want)
			}
		}
		if CheckInResidualStream(info) == nil {
			t.Errorf("%s: taken for the residual stream", test.hook)
		}
	}
	for _, known := range []string{"", "blocks.1.attn.hook_z", "blocks.1.hook_resid_pre"} {
		info := Info{}
		info.SetHook(known)
		if err := CheckHook(info); err != nil {
			t.Error(err)
		}
		if err := CheckInResidualStream(info); (err == nil) != (info.Space == ResidualStream) {
			t.Errorf("%q: %v", known, err)
		}
	}
}

// A hook point that the table has twice would be whichever comes last.
func TestHookPointsOnce(t *testing.T) {
	seen := map[place]string{}
	for _, h := range HookPoints() {
		for _, name := range h.Names {
			at := placeOf(strings.Replace(name, ".N", ".0", 1))
			if other, twice := seen[at]; twice {
				t.Errorf("%s and %s are the same", name, other)
			}
			seen[at] = name
			if found := HookSpace(strings.Replace(name, ".N", ".3", 1)); found != h.Space {
				t.Errorf("%s: %s, want %s", name, found, h.Space)
			}
		}
	}
}

// docs/formats.md has the table as it is here.
func TestHookPointsDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/formats.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(docs), "\n")
	for _, h := range HookPoints() {
		row := fmt.Sprintf("| %s | %s | `%s` |", h.What, way(h), strings.Join(h.Names, "`, `"))
		if !slices.Contains(lines, row) {
			t.Errorf("docs/formats.md lacks\n%s", row)
		}
	}
	for _, refused := range refusedHooks {
		if !strings.Contains(string(docs), "- "+refused.What) {
			t.Errorf("docs/formats.md lacks\n- %s", refused.What)
		}
	}
}

// way is what a decoder is multiplied with before the unembedding.
func way(h HookPoint) string {
	switch {
	case h.Normalised:
		return "as it is, with a note"
	case h.Space == ResidualStream:
		return "as it is"
	case h.Space == MLPActivations:
		return "times `W_out`"
	default:
		return "times `W_O`"
	}
}

func TestNotes(t *testing.T) {
	tests := []struct {
		info Info
		want string
	}{
		{Info{Hook: "blocks.1.hook_resid_pre"}, ""},
		{Info{Hook: "blocks.1.ln2.hook_normalized"}, "as a norm scales it"},
		{Info{}, "name no hook point: the residual stream is assumed"},
		{Info{Architecture: ArchitectureDirections}, ""},
		{Info{Hook: "blocks.1.attn.hook_z", Note: "of one model"}, "of one model"},
	}
	for _, test := range tests {
		test.info.SetHook(test.info.Hook)
		got := strings.Join(Notes(test.info), "; ")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%+v: %q, want %q", test.info, got, test.want)
		}
	}
}

func TestAtHook(t *testing.T) {
	s := open(t, "testdata/saelens-v5-flat")
	if AtHook(s, "") != s {
		t.Error("no hook point, and another SAE")
	}
	info := AtHook(s, "model.layers.9.mlp").Info()
	if info.Hook != "model.layers.9.mlp" || info.Layer != 9 || info.Space != ResidualStream || info.Scale != s.Info().Scale+"; hook point model.layers.9.mlp given by hand" {
		t.Errorf("%+v", info)
	}
}
