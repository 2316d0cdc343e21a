package model

// StarCoder 2.
func init() {
	register(&family{
		modelTypes:    []string{"starcoder2"},
		architectures: []string{"starcoder2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      LayerNorm,
		normBias:      "norm.bias",
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.c_proj.weight",
	})
}
