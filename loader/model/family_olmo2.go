package model

// OLMo 2 and 3 and EXAONE 4, which put norms after each block's parts, so that
// TransformerLens (3.9) does not fold norms of theirs. GGUF calls both OLMos "olmo2".
func init() {
	register(&family{
		modelTypes:    []string{"olmo2", "olmo3", "exaone4"},
		architectures: []string{"olmo2", "exaone4"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normKept:      true,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
		postNorm:      true,
	})
}
