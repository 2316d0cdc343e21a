package model

// Gemma 2: as Gemma 1, with soft-capped logits and norms after each block's parts.
func init() {
	register(&family{
		modelTypes:    []string{"gemma2"},
		architectures: []string{"gemma2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normOffset:    1,
		softCap:       30,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
		postNorm:      true,
	})
}
