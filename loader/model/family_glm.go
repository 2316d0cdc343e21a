package model

// GLM and DeepSeek, whose norms TransformerLens (3.9) does not fold. GLM 4 has norms
// after each block's parts besides.
func init() {
	glm := family{
		modelTypes:    []string{"glm", "deepseek_v2", "deepseek_v3"},
		architectures: []string{"deepseek2"},
		head:          "lm_head.weight",
		embedding:     "embed_tokens.weight",
		norm:          "norm.weight",
		normKind:      RMSNorm,
		normKept:      true,
		attentionOut:  "layers.%d.self_attn.o_proj.weight",
		mlpOut:        "layers.%d.mlp.down_proj.weight",
	}
	glm4 := glm
	glm4.modelTypes, glm4.architectures, glm4.postNorm = []string{"glm4"}, []string{"glm4"}, true
	register(&glm)
	register(&glm4)
}
