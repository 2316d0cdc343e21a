package model

// Phi-1, Phi-1.5 and Phi-2. Their unembedding has a bias, which is no part of logit
// weights.
func init() {
	register(&family{
		modelTypes:    []string{"phi"},
		architectures: []string{"phi2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "final_layernorm.weight",
		normKind:      LayerNorm,
		normBias:      "final_layernorm.bias",
		attentionOut:  "layers.%d.self_attn.dense.weight",
		mlpOut:        "layers.%d.mlp.fc2.weight",
	})
}
