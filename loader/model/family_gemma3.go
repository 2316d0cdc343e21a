package model

// Gemma 3: as Gemma 1, with norms after each block's parts.
func init() {
	register(&family{
		modelTypes:    []string{"gemma3", "gemma3_text"},
		architectures: []string{"gemma3"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normOffset:    1,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
		postNorm:      true,
	})
}
