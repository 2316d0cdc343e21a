package model

// GPT-2, whose Conv1D layers store their weights as they multiply them.
func init() {
	register(&family{
		modelTypes:    []string{"gpt2"},
		architectures: []string{"gpt2"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "ln_f.weight",
		normKind:      LayerNorm,
		normBias:      "ln_f.bias",
		attentionOut:  "h.%d.attn.c_proj.weight",
		mlpOut:        "h.%d.mlp.c_proj.weight",
		conv1D:        true,
	})
}
