package sae

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// What the columns of a W_dec stand for. Only a decoder in the residual stream
// can be multiplied with the unembedding; others need the model's W_O or W_out between,
// and one in an unknown space is refused: equal widths prove nothing.
const (
	ResidualStream  = "residual stream"
	AttentionHeads  = "attention heads (hook_z)"
	AttentionValues = "attention values (hook_v)"
	MLPActivations  = "MLP activations"
	UnknownSpace    = "unknown"
)

var blockIndex = regexp.MustCompile(`\.(\d+)(?:\.|$)`)

// HookLayer returns the index of the block in a hook point's name, as in
// "blocks.30.hook_resid_post" or "model.layers.30", and -1 when it names none.
// The first number counts, as in sae_lens/util.py of SAELens.
func HookLayer(hook string) int {
	text := ""
	if match := blockIndex.FindStringSubmatch(hook); match != nil {
		text = match[1]
	} else if match := blockPath.FindStringSubmatch(withoutModel(hook)); match != nil {
		text = match[1] // "layers[3]", "layers_3"
	}
	layer, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return -1
	}
	return int(layer)
}

// HookPoint is a kind of hook points: those at which a direction means the same.
type HookPoint struct {
	What       string   // what is there, in words
	Space      string   // ResidualStream and the like
	Normalised bool     // a norm has scaled what is there, for each token by another number
	Names      []string // N is the index of a block; that of a module is its output's
}

// HookPoints are all hook points that are known, by the names that TransformerLens gives them
// and by the paths of the modules of Hugging Face's models, with .input for what a module
// reads. The best-known names of each kind come first.
// Sources: transformer_lens/components of TransformerLens 3.9, to_resid_direction in
// transformer_lens_wrapper.py of SAEDashboard, and the modules of transformers' models.
func HookPoints() []HookPoint { return hookPoints }

// What blocks add to the residual stream, in words.
const (
	addedByAttention = "what attention adds to it"
	addedByMLP       = "what an MLP adds to it"
)

var hookPoints = []HookPoint{
	{What: "the residual stream", Space: ResidualStream, Names: []string{
		"blocks.N.hook_resid_pre", "blocks.N.hook_resid_mid", "blocks.N.hook_resid_post", "layers.N",
		"blocks.N.hook_attn_in", "blocks.N.hook_mlp_in", "blocks.N.hook_in", "blocks.N.hook_out", "blocks.N.ln1.hook_in", "blocks.N.ln2.hook_in", "layers.N.input",
	}},
	{What: addedByAttention, Space: ResidualStream, Names: []string{
		"blocks.N.hook_attn_out", "layers.N.self_attn", "layers.N.attn", "layers.N.attention", "layers.N.self_attention", "layers.N.linear_attn", "layers.N.mixer",
		"blocks.N.attn.hook_out", "blocks.N.attn.hook_result", "layers.N.self_attn.o_proj", "layers.N.self_attn.out_proj", "layers.N.self_attn.dense",
		"layers.N.attn.c_proj", "layers.N.attn.out_proj", "layers.N.attn.attention", "layers.N.attn.attention.out_proj", "layers.N.attention.dense",
		"layers.N.self_attention.dense",
	}},
	{What: addedByMLP, Space: ResidualStream, Names: []string{
		"blocks.N.hook_mlp_out", "layers.N.mlp", "layers.N.feed_forward", "layers.N.ffn", "layers.N.block_sparse_moe", "blocks.N.mlp.hook_out",
		"layers.N.mlp.down_proj", "layers.N.mlp.c_proj", "layers.N.mlp.dense_4h_to_h", "layers.N.mlp.fc_out", "layers.N.mlp.fc2", "layers.N.fc2", "layers.N.ffn.down_proj",
	}},
	{What: "embeddings", Space: ResidualStream, Names: []string{
		"hook_embed", "hook_pos_embed", "embed.hook_out", "pos_embed.hook_out", "embed_tokens", "embed_in", "wte", "word_embeddings",
	}},
	{What: "the normalised residual stream", Space: ResidualStream, Normalised: true, Names: []string{
		"blocks.N.ln1.hook_normalized", "blocks.N.ln2.hook_normalized", "ln_final.hook_normalized", "blocks.N.ln1.hook_out", "blocks.N.ln2.hook_out",
		"blocks.N.ln1_post.hook_normalized", "blocks.N.ln2_post.hook_normalized", "blocks.N.attn.hook_in", "blocks.N.mlp.hook_in", "ln_final.hook_out", "unembed.hook_in",
		"layers.N.input_layernorm", "layers.N.post_attention_layernorm", "layers.N.pre_feedforward_layernorm", "layers.N.post_feedforward_layernorm",
		"layers.N.ln_1", "layers.N.ln_2", "layers.N.self_attn_layer_norm", "layers.N.final_layer_norm", "layers.N.norm_1", "layers.N.norm_2",
		"layers.N.self_attn.input", "layers.N.attn.input", "layers.N.attention.input", "layers.N.mlp.input", "norm", "ln_f", "final_layernorm", "final_layer_norm",
	}},
	{What: "outputs of attention heads", Space: AttentionHeads, Names: []string{
		"blocks.N.attn.hook_z", "layers.N.self_attn.o_proj.input", "blocks.N.attn.o.hook_in", "layers.N.self_attn.out_proj.input", "layers.N.self_attn.dense.input",
		"layers.N.attn.c_proj.input", "layers.N.attn.out_proj.input", "layers.N.attn.attention.out_proj.input", "layers.N.attention.dense.input",
		"layers.N.self_attention.dense.input",
	}},
	{What: "values of attention heads", Space: AttentionValues, Names: []string{
		"blocks.N.attn.hook_v", "layers.N.self_attn.v_proj", "blocks.N.attn.v.hook_out", "layers.N.attn.v_proj", "layers.N.attn.attention.v_proj",
	}},
	{What: "activations of an MLP", Space: MLPActivations, Names: []string{
		"blocks.N.mlp.hook_post", "blocks.N.mlp.hook_pre", "layers.N.mlp.down_proj.input", "blocks.N.mlp.out.hook_in", "blocks.N.mlp.in.hook_out",
		"layers.N.mlp.c_proj.input", "layers.N.mlp.dense_4h_to_h.input", "layers.N.mlp.fc_out.input", "layers.N.mlp.fc2.input", "layers.N.fc2.input",
		"layers.N.ffn.down_proj.input",
	}},
}

// refusedHooks say of names that people give SAEs what is there and why no product with the
// unembedding stands for it: the first whose mark is in a name is what the error says.
var refusedHooks = []struct {
	What  string
	Marks []string
}{
	{"a vision or audio tower, which is no part of the language model", []string{"vision", "visual", "image", "audio"}},
	{"queries, keys and values together", []string{"query_key_value", "qkv", "c_attn"}},
	{"rotated queries or keys, which never enter the residual stream", []string{"hook_rot", "rotary"}},
	{"queries of attention, which never enter the residual stream", []string{"hook_q", "q_proj", "q_norm", ".q."}},
	{"keys of attention, which never enter the residual stream", []string{"hook_k", "k_proj", "k_norm", ".k."}},
	{"attention scores", []string{"hook_attn_scores", "hook_pattern"}},
	{"the scale of a norm", []string{"hook_scale"}},
	{"logits", []string{"lm_head", "unembed.hook_out"}},
}

var (
	// modelPath leads from a model to its language model's blocks.
	modelPath = regexp.MustCompile(`^(?:(?:model|transformer|gpt_neox|language_model|text_model|decoder|backbone|base_model|module|_orig_mod|thinker|llm)\.)+`)
	blockPath = regexp.MustCompile(`^(?:blocks?|layers?|h)[._\[](\d+)\]?(?:\.(.*))?$`)
	// A module's output and input as nnsight and forward hooks write them.
	moduleOutput = regexp.MustCompile(`(?:\.outputs?)?(?:\[0\]|\.0)?$`)
	moduleInput  = regexp.MustCompile(`(?:^|\.)inputs?(?:\[0\]|\.0)*$`)
)

// place is where a hook point is, without what differs between models and blocks.
type place struct {
	inBlock bool
	site    string // the rest of its name
}

// withoutModel cuts the path from a model to its language model; nnsight's begin with a point.
func withoutModel(hook string) string {
	return modelPath.ReplaceAllString(strings.TrimPrefix(hook, "."), "")
}

// placeOf cuts the path to the blocks, and the block's index, from a hook point's name.
func placeOf(hook string) place {
	hook = withoutModel(hook)
	if match := blockPath.FindStringSubmatch(hook); match != nil {
		return place{true, match[2]}
	}
	return place{false, hook}
}

var hookPlaces = func() map[place]*HookPoint {
	places := map[place]*HookPoint{}
	for i := range hookPoints {
		for _, name := range hookPoints[i].Names {
			places[placeOf(strings.Replace(name, ".N", ".0", 1))] = &hookPoints[i]
		}
	}
	return places
}()

// findHook returns the kind of a hook point, nil for one that is not known.
func findHook(hook string) *HookPoint {
	_, found := findPlace(hook)
	return found
}

// findPlace is findHook, with the place by which it is found.
func findPlace(hook string) (place, *HookPoint) {
	at := placeOf(hook)
	if found := hookPlaces[at]; found != nil {
		return at, found
	}
	if moduleInput.MatchString(at.site) {
		at.site = strings.TrimPrefix(moduleInput.ReplaceAllString("."+at.site, ".input"), ".")
	} else {
		at.site = strings.TrimPrefix(moduleOutput.ReplaceAllString("."+at.site, ""), ".")
	}
	return at, hookPlaces[at]
}

// HookSpace returns the space of what is at a hook point, which a decoder writes to or an
// encoder reads. Without a name it is the residual stream, which Notes tells.
func HookSpace(hook string) string {
	if hook == "" {
		return ResidualStream
	}
	if found := findHook(hook); found != nil {
		return found.Space
	}
	return UnknownSpace
}

// CheckHook returns an error for a decoder whose hook point is not known, or known to be none
// from which there is a way to the logits: it says what the choices are.
func CheckHook(info Info) error {
	if info.Space != UnknownSpace {
		return nil
	}
	e := &fault.Error{
		Op: opRead, Subject: info.Path, Problem: fmt.Sprintf("hook point %q", info.Hook),
		Expected: "one from which a direction leads to the logits, such as " + strings.Join(hookChoices(), ", "),
		Found:    "one that is not known", Hint: "where it is one of these by another name, give that with --hook",
	}
	for _, refused := range refusedHooks {
		for _, mark := range refused.Marks {
			if strings.Contains(info.Hook, mark) {
				e.Found = refused.What
				return e
			}
		}
	}
	return e
}

// CheckInResidualStream returns an error for a decoder that is not in the residual stream: one
// that a load would map, and one that it would refuse.
func CheckInResidualStream(info Info) error {
	if info.Space == ResidualStream {
		return nil
	}
	if err := CheckHook(info); err != nil {
		return err
	}
	return &fault.Error{
		Op: opRead, Subject: info.Path, Expected: "directions in the residual stream", Found: fmt.Sprintf("%s, at hook point %s", info.Space, info.Hook),
		Hint: "load them from their file beside their model, which maps them, and read decoder_directions",
	}
}

// SetHook sets the hook point, and what follows from it.
func (i *Info) SetHook(hook string) {
	i.Hook, i.Layer, i.Space = hook, HookLayer(hook), HookSpace(hook)
}

// hookChoices are the best-known names of every kind of hook points: its first, and its first
// module.
func hookChoices() []string {
	var choices []string
	for _, h := range hookPoints {
		choices = append(choices, h.Names[0])
		if i := slices.IndexFunc(h.Names, func(name string) bool { return strings.HasPrefix(name, "layers.") }); i > 0 {
			choices = append(choices, h.Names[i])
		}
	}
	return choices
}

// Notes are what a person should know of an SAE before its figures are believed.
func Notes(info Info) []string {
	var notes []string
	if info.Note != "" {
		notes = append(notes, info.Note)
	}
	if info.Space != ResidualStream || info.Architecture == ArchitectureDirections {
		return notes
	}
	if info.Hook == "" {
		return append(notes, "the files name no hook point: the residual stream is assumed (--hook names another)")
	}
	if found := findHook(info.Hook); found != nil && found.Normalised {
		notes = append(notes, fmt.Sprintf("%s is the residual stream as a norm scales it, by another number for each token: logit weights leave the norm out", info.Hook))
	}
	return notes
}

// AtHook returns s with its decoder at another hook point than its files say, and s itself for
// none. It takes over s: closing it closes s.
func AtHook(s SAE, hook string) SAE {
	if hook == "" {
		return s
	}
	info := s.Info()
	info.SetHook(hook)
	info.Scale += "; hook point " + hook + " given by hand"
	return &described{s, info}
}
