package model

// names of tensors in Hugging Face checkpoints, without the prefixes that differ between
// checkpoints of one architecture (see resolve).
type names struct {
	head      string // the unembedding's own tensor; absent from tied models
	embedding string
	norm      string // the final norm's weight; empty when it has none
	normBias  string // the final norm's bias; empty when it has none

	// Of a block, %d being its index: what leads from the heads, and from the MLP's neurons, to
	// the residual stream.
	attentionOut string
	mlpOut       string
}

// Names that several families have, some with another norm or block.
var (
	llamaNames = names{
		"lm_head.weight", "embed_tokens.weight", "norm.weight", "", "layers.%d.self_attn.o_proj.weight", "layers.%d.mlp.down_proj.weight",
	}
	gpt2Names = names{
		"lm_head.weight", "wte.weight", "ln_f.weight", "ln_f.bias", "h.%d.attn.c_proj.weight", "h.%d.mlp.c_proj.weight",
	}
)

// families are all that are known. No name may be in two of them.
//
// "Not folded" says of TransformerLens 3.9; up to 3.5 it did not fold the final norm of mixtures
// of experts either. A bias of an unembedding, as GPT-J, CodeGen and Phi have, is no part of
// logit weights, nor is Gemma's scaling of the embedding by √d_model.
var families = []family{
	// Llama and the architectures that end as it does, mixtures of experts among them. In
	// GGUF, Mistral and Mixtral are of the architecture "llama", later Mistral models
	// "mistral3". Converters permute rows of Llama's queries and keys, not of W_U.
	{
		modelTypes: []string{
			"llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_vl",
			"phi3", "olmoe", "gpt_oss", "apertus", "arcee", "ernie4_5", "seed_oss", "smollm3", "hunyuan_v1_dense",
			"granite", "granitemoe", "glm4_moe", "llama4_text",
		},
		architectures: []string{
			"llama", "mistral3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "phi3", "olmoe", "gpt-oss",
			"apertus", "arcee", "ernie4_5", "granite", "granitemoe", "glm4moe",
		},
		names: llamaNames, normKind: RMSNorm,
	},
	{ // Gemma 1, whose checkpoints store norm weights as w-1
		modelTypes: []string{"gemma"}, architectures: []string{"gemma"},
		names: llamaNames, normKind: RMSNorm, normOffset: 1,
	},
	{ // as Gemma 1, with soft-capped logits and norms after each block's parts
		modelTypes: []string{"gemma2"}, architectures: []string{"gemma2"},
		names: llamaNames, normKind: RMSNorm, normOffset: 1, softCap: 30, postNorm: true,
	},
	{ // as Gemma 2, without soft-cap
		modelTypes: []string{"gemma3", "gemma3_text"}, architectures: []string{"gemma3"},
		names: llamaNames, normKind: RMSNorm, normOffset: 1, postNorm: true,
	},
	{ // norm weights as they are, norms after each block's parts; not folded
		modelTypes: []string{"gemma4", "gemma4_text"},
		names:      llamaNames, normKind: RMSNorm, normKept: true, postNorm: true,
	},
	{ // GLM and DeepSeek; not folded
		modelTypes: []string{"glm", "deepseek_v2", "deepseek_v3"}, architectures: []string{"deepseek2"},
		names: llamaNames, normKind: RMSNorm, normKept: true,
	},
	{ // norms after each block's parts besides
		modelTypes: []string{"glm4"}, architectures: []string{"glm4"},
		names: llamaNames, normKind: RMSNorm, normKept: true, postNorm: true,
	},
	{ // norms after each block's parts, not folded; GGUF calls both OLMos "olmo2"
		modelTypes: []string{"olmo2", "olmo3", "exaone4"}, architectures: []string{"olmo2", "exaone4"},
		names: llamaNames, normKind: RMSNorm, normKept: true, postNorm: true,
	},
	{ // Qwen3-Next and Qwen3.5: norm weights as w-1, not folded. Most blocks have linear
		// attention in place of attention, and then no hook_z.
		modelTypes: []string{"qwen3_next", "qwen3_5", "qwen3_5_text"}, architectures: []string{"qwen3next", "qwen35"},
		names: llamaNames, normKind: RMSNorm, normOffset: 1, normKept: true,
	},
	{ // OLMo 1, whose layer norms have neither weight nor bias
		modelTypes: []string{"olmo"}, architectures: []string{"olmo"},
		names: llamaNames.withNorm("", ""), normKind: LayerNorm,
	},
	{ // Llama's names with layer norms
		modelTypes: []string{"stablelm"},
		names:      llamaNames.withNorm("norm.weight", "norm.bias"), normKind: LayerNorm,
	},
	{ // layer norms, whose weights are stored as w-1; not folded
		modelTypes: []string{"nemotron"}, architectures: []string{"nemotron"},
		names: llamaNames.withNorm("norm.weight", "norm.bias"), normKind: LayerNorm, normOffset: 1, normKept: true,
	},
	{
		modelTypes: []string{"starcoder2"}, architectures: []string{"starcoder2"}, normKind: LayerNorm,
		names: llamaNames.withNorm("norm.weight", "norm.bias").withBlock("layers.%d.self_attn.o_proj.weight", "layers.%d.mlp.c_proj.weight"),
	},
	{ // Phi-1, Phi-1.5 and Phi-2
		modelTypes: []string{"phi"}, architectures: []string{"phi2"}, normKind: LayerNorm,
		names: llamaNames.withNorm("final_layernorm.weight", "final_layernorm.bias").
			withBlock("layers.%d.self_attn.dense.weight", "layers.%d.mlp.fc2.weight"),
	},
	{ // In opt-350m the unembedding follows a projection to half d_model and no final norm: it
		// is refused (see checkProjection).
		modelTypes: []string{"opt"}, normKind: LayerNorm,
		names: llamaNames.withNorm("final_layer_norm.weight", "final_layer_norm.bias").
			withBlock("layers.%d.self_attn.out_proj.weight", "layers.%d.fc2.weight"),
	},
	{
		modelTypes: []string{"xglm"}, normKind: LayerNorm,
		names: llamaNames.withNorm("layer_norm.weight", "layer_norm.bias").
			withBlock("layers.%d.self_attn.out_proj.weight", "layers.%d.fc2.weight"),
	},
	{ // GPT-2, whose Conv1D layers store their weights as they multiply them
		modelTypes: []string{"gpt2"}, architectures: []string{"gpt2"},
		names: gpt2Names, normKind: LayerNorm, conv1D: true,
	},
	{ // GPT-BigCode: SantaCoder and StarCoder, with linear layers
		modelTypes: []string{"gpt_bigcode"}, architectures: []string{"starcoder"},
		names: gpt2Names, normKind: LayerNorm,
	},
	{ // Qwen 1
		modelTypes: []string{"qwen"}, architectures: []string{"qwen"},
		names: gpt2Names.withNorm("ln_f.weight", ""), normKind: RMSNorm,
	},
	{ // GPT-J and CodeGen
		modelTypes: []string{"gptj", "codegen"}, architectures: []string{"gptj"}, normKind: LayerNorm,
		names: gpt2Names.withBlock("h.%d.attn.out_proj.weight", "h.%d.mlp.fc_out.weight"),
	},
	{
		modelTypes: []string{"gpt_neo"}, normKind: LayerNorm,
		names: gpt2Names.withBlock("h.%d.attn.attention.out_proj.weight", "h.%d.mlp.c_proj.weight"),
	},
	{ // MPT, whose layer norms have no bias
		modelTypes: []string{"mpt"}, architectures: []string{"mpt"}, normKind: LayerNorm,
		names: gpt2Names.withNorm("norm_f.weight", "").withBlock("blocks.%d.attn.out_proj.weight", "blocks.%d.ffn.down_proj.weight"),
	},
	{ // GPT-NeoX, and with it Pythia
		modelTypes: []string{"gpt_neox"}, architectures: []string{"gptneox"}, normKind: LayerNorm,
		names: names{
			"embed_out.weight", "embed_in.weight", "final_layer_norm.weight", "final_layer_norm.bias",
			"layers.%d.attention.dense.weight", "layers.%d.mlp.dense_4h_to_h.weight",
		},
	},
	{
		modelTypes: []string{"bloom", "falcon"}, architectures: []string{"bloom", "falcon"}, normKind: LayerNorm,
		names: names{
			"lm_head.weight", "word_embeddings.weight", "ln_f.weight", "ln_f.bias",
			"h.%d.self_attention.dense.weight", "h.%d.mlp.dense_4h_to_h.weight",
		},
	},
}

func (n names) withNorm(weight, bias string) names {
	n.norm, n.normBias = weight, bias
	return n
}

func (n names) withBlock(attentionOut, mlpOut string) names {
	n.attentionOut, n.mlpOut = attentionOut, mlpOut
	return n
}
