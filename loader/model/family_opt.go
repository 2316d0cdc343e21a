package model

// OPT. In opt-350m the unembedding follows a projection to half d_model and no final
// norm: it is refused (see checkProjection). GGUF has no architecture of it.
func init() {
	register(&family{
		modelTypes:   []string{"opt"},
		head:         "lm_head.weight",
		embedding:    "embed_tokens.weight",
		norm:         "final_layer_norm.weight",
		normKind:     LayerNorm,
		normBias:     "final_layer_norm.bias",
		attentionOut: "layers.%d.self_attn.out_proj.weight",
		mlpOut:       "layers.%d.fc2.weight",
	})
}
