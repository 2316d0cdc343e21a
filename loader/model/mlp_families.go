package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// mlpNames are how models of some families store the input weights of an MLP, %d being the index
// of its block.
type mlpNames struct {
	modelTypes    []string // values of model_type in config.json
	architectures []string // values of general.architecture in GGUF, whose names are the same for all

	in, gate string // gate is empty where MLPs are plain
	fused    string // one tensor in place of both, the rows of the gate first
	// norms are what the norm before it is called, the first that there is: models whose attention
	// and MLP are parallel may share one. noNorm: it reads the residual stream as it is.
	norms  []string
	noNorm bool
	// sharesNorm: in GGUF it is that before attention, under its name.
	sharesNorm bool
}

// mlps are the families whose MLPs are known. Of the others, mixtures of experts have the neurons
// of a block in several matrices.
// Sources: modeling_*.py of transformers; convert_hf_to_gguf.py of ggml-org/llama.cpp.
var mlps = []mlpNames{
	gatedMLP("layers.%d.post_attention_layernorm.weight").of(
		[]string{
			"llama", "mistral", "qwen2", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_vl", "olmo", "ernie4_5", "seed_oss", "smollm3",
			"hunyuan_v1_dense", "granite", "gemma",
		},
		[]string{"llama", "mistral3", "qwen2", "qwen3", "olmo", "ernie4_5", "granite", "gemma", "gemma2", "gemma3", "qwen"},
	),
	gatedMLP("layers.%d.pre_feedforward_layernorm.weight").of([]string{"gemma2", "gemma3", "gemma3_text"}, nil),
	gatedMLP("layers.%d.post_attention_layernorm.weight", "layers.%d.input_layernorm.weight").of([]string{"stablelm"}, nil),
	{
		modelTypes: []string{"olmo2", "olmo3", "exaone4"}, architectures: []string{"olmo2", "exaone4"},
		in: "layers.%d.mlp.up_proj.weight", gate: "layers.%d.mlp.gate_proj.weight", noNorm: true,
	},
	{
		modelTypes: []string{"phi3", "glm", "glm4"}, architectures: []string{"phi3"},
		fused: "layers.%d.mlp.gate_up_proj.weight", norms: []string{"layers.%d.post_attention_layernorm.weight"},
	},
	{ // Qwen 1, whose w2 has the activation
		modelTypes: []string{"qwen"}, in: "h.%d.mlp.w1.weight", gate: "h.%d.mlp.w2.weight", norms: []string{"h.%d.ln_2.weight"},
	},
	plainMLP("layers.%d.mlp.up_proj.weight", "layers.%d.post_attention_layernorm.weight").of(
		[]string{"arcee", "nemotron"}, []string{"arcee", "nemotron", "apertus", "starcoder2", "gpt2", "starcoder", "mpt", "gptneox", "bloom"},
	),
	plainMLP("layers.%d.mlp.up_proj.weight", "layers.%d.feedforward_layernorm.weight").of([]string{"apertus"}, nil),
	plainMLP("layers.%d.mlp.c_fc.weight", "layers.%d.post_attention_layernorm.weight").of([]string{"starcoder2"}, nil),
	plainMLP("layers.%d.mlp.fc1.weight", "layers.%d.input_layernorm.weight").of([]string{"phi"}, []string{"phi2"}).sharing(),
	plainMLP("layers.%d.fc1.weight", "layers.%d.final_layer_norm.weight").of([]string{"opt", "xglm"}, nil),
	plainMLP("h.%d.mlp.c_fc.weight", "h.%d.ln_2.weight").of([]string{"gpt2", "gpt_bigcode", "gpt_neo"}, nil),
	plainMLP("h.%d.mlp.fc_in.weight", "h.%d.ln_1.weight").of([]string{"gptj", "codegen"}, []string{"gptj"}).sharing(),
	plainMLP("blocks.%d.ffn.up_proj.weight", "blocks.%d.norm_2.weight").of([]string{"mpt"}, nil),
	plainMLP("layers.%d.mlp.dense_h_to_4h.weight", "layers.%d.post_attention_layernorm.weight").of([]string{"gpt_neox"}, nil),
	plainMLP("h.%d.mlp.dense_h_to_4h.weight", "h.%d.post_attention_layernorm.weight").of([]string{"bloom"}, nil),
}

// Names in GGUF.
const (
	ggufMLPIn        = "blk.%d.ffn_up.weight"
	ggufMLPGate      = "blk.%d.ffn_gate.weight"
	ggufMLPNorm      = "blk.%d.ffn_norm.weight"
	ggufNormOfBlocks = "blk.%d.attn_norm.weight"
)

func gatedMLP(norms ...string) mlpNames {
	return mlpNames{in: "layers.%d.mlp.up_proj.weight", gate: "layers.%d.mlp.gate_proj.weight", norms: norms}
}

func plainMLP(in string, norms ...string) mlpNames { return mlpNames{in: in, norms: norms} }

func (n mlpNames) of(modelTypes, architectures []string) mlpNames {
	n.modelTypes, n.architectures = modelTypes, architectures
	return n
}

func (n mlpNames) sharing() mlpNames {
	n.sharesNorm = true
	return n
}

// inGGUF are the names of a family in GGUF: a fused tensor is called as W_in is.
func (n mlpNames) inGGUF() mlpNames {
	g := mlpNames{noNorm: n.noNorm}
	switch {
	case n.sharesNorm:
		g.norms = []string{ggufNormOfBlocks}
	case !n.noNorm: // a file that lacks it has no norm that would do in its place
		g.norms = []string{ggufMLPNorm}
	}
	switch {
	case n.fused != "":
		g.fused = ggufMLPIn
	case n.gate != "":
		g.in, g.gate = ggufMLPIn, ggufMLPGate
	default:
		g.in = ggufMLPIn
	}
	return g
}

// mlpOf returns how a family stores its MLPs, by a name that key, in file, gives.
func mlpOf(by func(*mlpNames) []string, name, file, key string) (mlpNames, error) {
	var known []string
	for i := range mlps {
		all := by(&mlps[i])
		if slices.Contains(all, name) {
			return mlps[i], nil
		}
		known = append(known, all...)
	}
	slices.Sort(known)
	return mlpNames{}, &fault.Error{
		Subject: fmt.Sprintf("%s: %s", file, key), Problem: "how its MLPs are stored is not known",
		Expected: "one of " + strings.Join(known, ", "), Found: fmt.Sprintf("%q", name), Hint: "load the model without --mlp",
	}
}

// inBlock are the names with a block's index in them.
func (n mlpNames) inBlock(layer int) mlpNames {
	for _, name := range []*string{&n.in, &n.gate, &n.fused} {
		if *name != "" {
			*name = fmt.Sprintf(*name, layer)
		}
	}
	n.norms = slices.Clone(n.norms)
	for i, name := range n.norms {
		n.norms[i] = fmt.Sprintf(name, layer)
	}
	return n
}
