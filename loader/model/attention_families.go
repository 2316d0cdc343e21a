package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// attentionNames are how models of some families store the attention of a block, %d being its
// index. Which families have which unembedding, norm and W_O, families says.
type attentionNames struct {
	modelTypes    []string // values of model_type in config.json
	architectures []string // values of general.architecture in GGUF, whose names are the same for all

	q, k, v string
	// fused is one tensor in place of q, k and v: their rows after each other, or grouped, for
	// each key-value head the queries of its heads, its key and its value.
	fused   string
	grouped bool
	// norms are what the norm before it is called, the first that there is; noNorm: it reads
	// the residual stream as it is.
	norms  []string
	noNorm bool
	// of queries and keys, which models of some families have
	qNorm, kNorm string
}

// attentions are the families whose heads are known. The others have heads of another form:
// DeepSeek's latent attention, Qwen3-Next's and Qwen3.5's gated and linear attention, Gemma 4's
// keys that blocks share, CodeGen's order of rows.
// Sources: modeling_*.py of transformers 5.24; convert_hf_to_gguf.py of ggml-org/llama.cpp,
// which takes fused tensors that are grouped apart (GPT-NeoX, BLOOM, Falcon).
var attentions = []attentionNames{
	llamaAttention(
		[]string{
			"llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_vl",
			"olmo", "olmoe", "gpt_oss", "arcee", "ernie4_5", "seed_oss", "smollm3", "granite", "granitemoe", "glm4_moe",
			"llama4_text", "gemma", "gemma2", "gemma3", "gemma3_text", "glm", "glm4", "stablelm", "nemotron", "starcoder2", "phi",
		},
		[]string{
			"llama", "mistral3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "olmo", "olmoe", "gpt-oss", "arcee", "ernie4_5",
			"granite", "granitemoe", "glm4moe", "gemma", "gemma2", "gemma3", "glm4", "nemotron", "starcoder2", "phi2", "phi3",
			"gpt2", "gptj", "starcoder", "qwen", "mpt", "gptneox", "bloom", "falcon",
		},
	),
	llamaAttention([]string{"phi3"}, nil).withFused("layers.%d.self_attn.qkv_proj.weight", false),
	llamaAttention([]string{"hunyuan_v1_dense"}, nil).
		withHeadNorms("layers.%d.self_attn.query_layernorm.weight", "layers.%d.self_attn.key_layernorm.weight"),
	llamaAttention([]string{"apertus"}, nil).withNorm("layers.%d.attention_layernorm.weight"),
	llamaAttention([]string{"opt", "xglm"}, nil).withNorm("layers.%d.self_attn_layer_norm.weight"),
	llamaAttention([]string{"olmo2", "olmo3", "exaone4"}, []string{"olmo2", "exaone4"}).withoutNorm(),
	{modelTypes: []string{"gpt2"}, fused: "h.%d.attn.c_attn.weight", norms: []string{"h.%d.ln_1.weight"}},
	{modelTypes: []string{"qwen"}, fused: "h.%d.attn.c_attn.weight", norms: []string{"h.%d.ln_1.weight"}},
	{modelTypes: []string{"gpt_bigcode"}, fused: "h.%d.attn.c_attn.weight", grouped: true, norms: []string{"h.%d.ln_1.weight"}},
	separate("h.%d.attn.", "_proj.weight", "gptj").withNorm("h.%d.ln_1.weight"),
	separate("h.%d.attn.attention.", "_proj.weight", "gpt_neo").withNorm("h.%d.ln_1.weight"),
	{modelTypes: []string{"mpt"}, fused: "blocks.%d.attn.Wqkv.weight", norms: []string{"blocks.%d.norm_1.weight"}},
	{
		modelTypes: []string{"gpt_neox"}, fused: "layers.%d.attention.query_key_value.weight", grouped: true,
		norms: []string{"layers.%d.input_layernorm.weight"},
	},
	{ // Falcons with a norm each for attention and MLP call the former ln_attn
		modelTypes: []string{"bloom", "falcon"}, fused: "h.%d.self_attention.query_key_value.weight", grouped: true,
		norms: []string{"h.%d.ln_attn.weight", "h.%d.input_layernorm.weight"},
	},
}

// ggufAttention are the names in GGUF. attn_norm_2 is the attention's norm of Falcons with two.
var ggufAttention = attentionNames{
	q: "blk.%d.attn_q.weight", k: "blk.%d.attn_k.weight", v: "blk.%d.attn_v.weight", fused: "blk.%d.attn_qkv.weight",
	norms: []string{"blk.%d.attn_norm_2.weight", "blk.%d.attn_norm.weight"},
	qNorm: "blk.%d.attn_q_norm.weight", kNorm: "blk.%d.attn_k_norm.weight",
}

// separate are the names of three tensors that differ in one letter.
func separate(stem, end string, modelTypes ...string) attentionNames {
	return attentionNames{modelTypes: modelTypes, q: stem + "q" + end, k: stem + "k" + end, v: stem + "v" + end}
}

// llamaAttention are the names that Llama and most others have.
func llamaAttention(modelTypes, architectures []string) attentionNames {
	a := separate("layers.%d.self_attn.", "_proj.weight", modelTypes...).withNorm("layers.%d.input_layernorm.weight").
		withHeadNorms("layers.%d.self_attn.q_norm.weight", "layers.%d.self_attn.k_norm.weight")
	a.architectures = architectures
	return a
}

func (a attentionNames) withNorm(name string) attentionNames {
	a.norms = []string{name}
	return a
}

func (a attentionNames) withoutNorm() attentionNames {
	a.norms, a.noNorm = nil, true
	return a
}

func (a attentionNames) withHeadNorms(q, k string) attentionNames {
	a.qNorm, a.kNorm = q, k
	return a
}

func (a attentionNames) withFused(name string, grouped bool) attentionNames {
	a.q, a.k, a.v, a.fused, a.grouped = "", "", "", name, grouped
	return a
}

// attentionOf returns how a family stores its attention, by a name that key, in file, gives.
func attentionOf(by func(*attentionNames) []string, name, file, key string) (attentionNames, error) {
	var known []string
	for i := range attentions {
		all := by(&attentions[i])
		if slices.Contains(all, name) {
			return attentions[i], nil
		}
		known = append(known, all...)
	}
	slices.Sort(known)
	return attentionNames{}, &fault.Error{
		Subject: fmt.Sprintf("%s: %s", file, key), Problem: "how its heads are stored is not known",
		Expected: "one of " + strings.Join(known, ", "), Found: fmt.Sprintf("%q", name), Hint: "load the model without --attention",
	}
}

// inBlock are the names with a block's index in them.
func (a attentionNames) inBlock(layer int) attentionNames {
	for _, name := range []*string{&a.q, &a.k, &a.v, &a.fused, &a.qNorm, &a.kNorm} {
		if *name != "" {
			*name = fmt.Sprintf(*name, layer)
		}
	}
	a.norms = slices.Clone(a.norms)
	for i, name := range a.norms {
		a.norms[i] = fmt.Sprintf(name, layer)
	}
	return a
}
