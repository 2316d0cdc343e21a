package model

// GPT-Neo, of which GGUF has no architecture.
func init() {
	register(&family{
		modelTypes:   []string{"gpt_neo"},
		head:         "lm_head.weight",
		embedding:    "wte.weight",
		norm:         "ln_f.weight",
		normKind:     LayerNorm,
		normBias:     "ln_f.bias",
		attentionOut: "h.%d.attn.attention.out_proj.weight",
		mlpOut:       "h.%d.mlp.c_proj.weight",
	})
}
