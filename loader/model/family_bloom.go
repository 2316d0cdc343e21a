package model

// BLOOM and Falcon.
func init() {
	register(&family{
		modelTypes:    []string{"bloom", "falcon"},
		architectures: []string{"bloom", "falcon"},
		head:          "lm_head.weight",
		embedding:     "word_embeddings.weight",
		norm:          "ln_f.weight",
		normKind:      LayerNorm,
		normBias:      "ln_f.bias",
		attentionOut:  "h.%d.self_attention.dense.weight",
		mlpOut:        "h.%d.mlp.dense_4h_to_h.weight",
	})
}
