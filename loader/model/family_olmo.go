package model

// OLMo 1, whose layer norms have neither weight nor bias.
func init() {
	register(&family{
		modelTypes:    []string{"olmo"},
		architectures: []string{"olmo"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		normKind:      LayerNorm,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
	})
}
