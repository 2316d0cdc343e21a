package model

// OPT, except opt-350m, whose unembedding follows a projection to half d_model and
// no final norm: it is refused for the missing norm. GGUF has no architecture of it.
func init() {
	register(&family{
		modelTypes: []string{"opt"},
		head:       "lm_head.weight",
		embedding:  "embed_tokens.weight",
		norm:       "final_layer_norm",
		normKind:   LayerNorm,
		normBias:   true,
	})
}
