package model

// Llama and the architectures that end as it does, mixtures of experts among them:
// TransformerLens up to 3.5 did not fold the final norm of those, 3.9 does. In
// GGUF, Mistral and Mixtral are of the architecture "llama", later Mistral models
// "mistral3". Converters permute rows of Llama's queries and keys, not of W_U.
func init() {
	register(&family{
		modelTypes: []string{
			"llama", "mistral", "mixtral", "qwen2", "qwen2_moe", "qwen2_vl", "qwen2_5_vl", "qwen3", "qwen3_moe", "qwen3_vl",
			"phi3", "olmoe", "gpt_oss", "apertus", "arcee", "ernie4_5", "seed_oss", "smollm3", "hunyuan_v1_dense",
			"granite", "granitemoe", "glm4_moe", "llama4_text",
		},
		architectures: []string{
			"llama", "mistral3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "phi3", "olmoe", "gpt-oss",
			"apertus", "arcee", "ernie4_5", "granite", "granitemoe", "glm4moe",
		},
		head:         "lm_head.weight",
		embedding:    "embed_tokens.weight",
		norm:         "norm.weight",
		normKind:     RMSNorm,
		attentionOut: "layers.%d.self_attn.o_proj.weight",
		mlpOut:       "layers.%d.mlp.down_proj.weight",
	})
}
