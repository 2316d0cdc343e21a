package model

// GPT-NeoX, and with it Pythia.
func init() {
	register(&family{
		modelTypes:    []string{"gpt_neox"},
		architectures: []string{"gptneox"},
		head:          "embed_out.weight",
		embedding:     "embed_in.weight",
		norm:          "final_layer_norm.weight",
		normKind:      LayerNorm,
		normBias:      "final_layer_norm.bias",
		attentionOut:  "layers.%d.attention.dense.weight",
		mlpOut:        "layers.%d.mlp.dense_4h_to_h.weight",
	})
}
