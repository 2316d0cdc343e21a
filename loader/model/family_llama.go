package model

// Llama and the architectures that end as it does, mixtures of experts among them:
// TransformerLens up to 3.5 did not fold the final norm of those, 3.9 does. In
// GGUF, Mistral and Mixtral are of the architecture "llama", later Mistral models
// "mistral3". Converters permute rows of Llama's queries and keys, not of W_U.
func init() {
	register(&family{
		modelTypes:    []string{"llama", "mistral", "mixtral", "qwen2", "qwen3", "phi3", "olmoe", "gpt_oss"},
		architectures: []string{"llama", "mistral3", "qwen2", "qwen3", "phi3", "olmoe", "gpt-oss"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
	})
}
