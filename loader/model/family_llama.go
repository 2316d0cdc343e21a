package model

// Llama and the architectures that end as it does, mixtures of experts among them:
// TransformerLens up to 3.5 did not fold the final norm of those, 3.9 does. In
// GGUF, Mistral and Mixtral are of the architecture "llama".
func init() {
	register(&family{
		modelTypes:    []string{"llama", "mistral", "mixtral", "qwen2", "qwen3", "phi3", "olmoe", "gpt_oss"},
		architectures: []string{"llama", "qwen2", "qwen3", "phi3", "olmoe", "gpt-oss"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
	})
}
