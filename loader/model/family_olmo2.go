package model

// OLMo 2 and 3, which put norms after each block's parts, so that TransformerLens
// (3.9) does not fold norms of theirs. GGUF calls both "olmo2".
func init() {
	register(&family{
		modelTypes:    []string{"olmo2", "olmo3"},
		architectures: []string{"olmo2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm",
		normKind:      RMSNorm,
		normKept:      true,
	})
}
