package model

// Gemma 4, which stores norm weights as they are, has norms after each block's parts,
// and whose norms TransformerLens (3.9) does not fold.
func init() {
	register(&family{
		modelTypes:   []string{"gemma4", "gemma4_text"},
		head:         "lm_head.weight",
		embedding:    "embed_tokens.weight",
		norm:         "norm.weight",
		normKind:     RMSNorm,
		normKept:     true,
		attentionOut: "layers.%d.self_attn.o_proj.weight",
		mlpOut:       "layers.%d.mlp.down_proj.weight",
		postNorm:     true,
	})
}
