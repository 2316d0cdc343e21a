package model

// Gemma 1, whose checkpoints store norm weights as w-1. Gemma's scaling of the
// embedding by √d_model is no part of the unembedding.
func init() {
	register(&family{
		modelTypes:    []string{"gemma"},
		architectures: []string{"gemma"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normOffset:    1,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
	})
}
