package model

// Gemma 2: as Gemma 1, with soft-capped logits.
func init() {
	register(&family{
		modelTypes:    []string{"gemma2"},
		architectures: []string{"gemma2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
		normOffset:    1,
		softCap:       30,
	})
}
