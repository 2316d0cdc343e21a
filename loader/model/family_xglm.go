package model

// XGLM.
func init() {
	register(&family{
		modelTypes:   []string{"xglm"},
		head:         "lm_head.weight",
		embedding:    "embed_tokens.weight",
		norm:         "layer_norm.weight",
		normKind:     LayerNorm,
		normBias:     "layer_norm.bias",
		attentionOut: "layers.%d.self_attn.out_proj.weight",
		mlpOut:       "layers.%d.fc2.weight",
	})
}
