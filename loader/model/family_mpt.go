package model

// MPT, whose layer norms have no bias.
func init() {
	register(&family{
		modelTypes:    []string{"mpt"},
		architectures: []string{"mpt"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "norm_f.weight",
		normKind:      LayerNorm,
		attentionOut:  "blocks.%d.attn.out_proj.weight",
		mlpOut:        "blocks.%d.ffn.down_proj.weight",
	})
}
