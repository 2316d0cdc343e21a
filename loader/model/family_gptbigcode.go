package model

// GPT-BigCode: SantaCoder and StarCoder. It has the names of GPT-2, but linear
// layers.
func init() {
	register(&family{
		modelTypes:    []string{"gpt_bigcode"},
		architectures: []string{"starcoder"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "ln_f.weight",
		normKind:      LayerNorm,
		normBias:      "ln_f.bias",
		attentionOut:  "h.%d.attn.c_proj.weight",
		mlpOut:        "h.%d.mlp.c_proj.weight",
	})
}
