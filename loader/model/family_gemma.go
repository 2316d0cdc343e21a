package model

// Gemma 1 and 3, whose checkpoints store norm weights as w-1. Gemma's scaling of
// the embedding by √d_model is no part of the unembedding.
func init() {
	register(&family{
		modelTypes:    []string{"gemma", "gemma3", "gemma3_text"},
		architectures: []string{"gemma", "gemma3"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
		normOffset:    1,
	})
}
