package model

// GPT-2, GPT-Neo and GPT-J. GPT-J has a bias on its unembedding, which is no part
// of logit weights. GGUF has no architecture of GPT-Neo.
func init() {
	register(&family{
		modelTypes:    []string{"gpt2", "gpt_neo", "gptj"},
		architectures: []string{"gpt2", "gptj"},
		head:          "lm_head.weight",
		embedding:     "wte.weight",
		norm:          "ln_f",
		normKind:      LayerNorm,
		normBias:      true,
	})
}
