package model

// BLOOM.
func init() {
	register(&family{
		modelTypes:    []string{"bloom"},
		architectures: []string{"bloom"},
		head:          "lm_head.weight",
		embedding:     "word_embeddings.weight",
		norm:          "ln_f",
		normKind:      LayerNorm,
		normBias:      true,
	})
}
