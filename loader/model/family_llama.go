package model

// Llama and the architectures that end as it does.
func init() {
	register(&family{
		modelTypes:    []string{"llama", "mistral", "qwen2", "qwen3", "phi3"},
		architectures: []string{"llama", "qwen2", "qwen3", "phi3"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
	})
}
