package model

// Mixtures of experts, whose final norm TransformerLens does not fold. In GGUF,
// Mixtral is of the architecture "llama" and told by its number of experts.
func init() {
	register(&family{
		modelTypes:    []string{"mixtral", "olmoe", "gpt_oss"},
		architectures: []string{"olmoe", "gpt-oss"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
		normKept:      true,
	})
}
