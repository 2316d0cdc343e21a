package model

// GPT-J and CodeGen, which have a bias on their unembedding: it is no part of logit
// weights.
func init() {
	register(&family{
		modelTypes:    []string{"gptj", "codegen"},
		architectures: []string{"gptj"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "ln_f.weight",
		normKind:      LayerNorm,
		normBias:      "ln_f.bias",
		attentionOut:  "h.%d.attn.out_proj.weight",
		mlpOut:        "h.%d.mlp.fc_out.weight",
	})
}
