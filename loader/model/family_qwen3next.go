package model

// Qwen3-Next and Qwen3.5, which store norm weights as w-1, and whose norms
// TransformerLens (3.9) does not fold. Most blocks have linear attention in place of
// attention, and then no hook_z.
func init() {
	register(&family{
		modelTypes:    []string{"qwen3_next", "qwen3_5", "qwen3_5_text"},
		architectures: []string{"qwen3next", "qwen35"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normOffset:    1,
		normKept:      true,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
	})
}
