package model

// StableLM: Llama's names with layer norms.
func init() {
	register(&family{
		modelTypes:   []string{"stablelm"},
		head:         "lm_head.weight",
		embedding:    "embed_tokens.weight",
		norm:         "norm.weight",
		normKind:     LayerNorm,
		normBias:     "norm.bias",
		attentionOut: "layers.%d.self_attn.o_proj.weight",
		mlpOut:       "layers.%d.mlp.down_proj.weight",
	})
}
