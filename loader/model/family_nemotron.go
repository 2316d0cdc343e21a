package model

// Nemotron, whose layer norms store their weights as w-1, and which TransformerLens
// (3.9) does not fold.
func init() {
	register(&family{
		modelTypes:    []string{"nemotron"},
		architectures: []string{"nemotron"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      LayerNorm,
		normBias:      "norm.bias",
		normOffset:    1,
		normKept:      true,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
	})
}
