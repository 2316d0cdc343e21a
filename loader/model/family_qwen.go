package model

// Qwen 1, whose transformer has the names of GPT-2's.
func init() {
	register(&family{
		modelTypes:    []string{"qwen"},
		architectures: []string{"qwen"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "ln_f.weight",
		normKind:      RMSNorm,
		attentionOut:  "h.%d.attn.c_proj.weight",
		mlpOut:        "h.%d.mlp.c_proj.weight",
	})
}
