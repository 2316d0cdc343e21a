package model

// GPT-NeoX, and with it Pythia.
func init() {
	register(&family{
		modelTypes:    []string{"gpt_neox"},
		architectures: []string{"gptneox"},
		head:          "embed_out.weight",
		embedding:     "embed_in.weight",
		norm:          "final_layer_norm",
		normKind:      LayerNorm,
		normBias:      true,
	})
}
