package model

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestNeededTensors(t *testing.T) {
	for name, want := range map[string][]string{
		"gpt-neox": {"embed_out.weight", "gpt_neox.final_layer_norm.weight", "gpt_neox.final_layer_norm.bias"},
		"qwen2":    {"model.embed_tokens.weight", "model.norm.weight"},
		"gemma3":   {"language_model.model.embed_tokens.weight", "language_model.model.norm.weight"},
		"olmo":     {"lm_head.weight"},
	} {
		dir := filepath.Join("testdata", name)
		config, err := os.ReadFile(filepath.Join(dir, configFile))
		if err != nil {
			t.Fatal(err)
		}
		names := tensorNames(t, dir)
		got, err := NeededTensors(config, names, Options{})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want)
		}
		block, err := NeededBlockTensor(config, names, AttentionOut, 0)
		if err != nil || block != openBlock(t, dir, AttentionOut, 0).Info().Tensor {
			t.Errorf("%s: %q, %v", name, block, err)
		}
	}
}

func tensorNames(t *testing.T, dir string) []string {
	t.Helper()
	c, err := openCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	var names []string
	for name := range c.holder {
		names = append(names, name)
	}
	return names
}

func TestNeededTensorsErrors(t *testing.T) {
	names := []string{"a.weight", "n.weight"}
	tests := []struct {
		config, want string
		options      Options
	}{
		{``, "config.json", Options{}},
		{`{}`, "has no model_type", Options{}},
		{`{"model_type": "mamba"}`, `found "mamba"`, Options{}},
		{`{"model_type": "llama"}`, "tensor lm_head.weight: is missing: found a.weight, n.weight: nothing else stands in for the unembedding (config.json says nothing of tie_word_embeddings", Options{}},
		{`{"model_type": "llama", "tie_word_embeddings": true}`, "tensor embed_tokens.weight: is missing: found a.weight, n.weight", Options{}},
		{``, "tensor b.weight: is missing", Options{Unembedding: "b.weight", Norm: "n.weight", NormKind: RMSNorm}},
		{``, "kind of the final norm is not known", Options{Unembedding: "a.weight", Norm: "n.weight"}},
	}
	for _, test := range tests {
		if got, err := NeededTensors([]byte(test.config), names, test.options); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %+v: %v, %v, want %q", test.config, test.options, got, err, test.want)
		}
	}
	got, err := NeededTensors(nil, names, Options{Unembedding: "a.weight", Norm: "n", NormKind: RMSNorm})
	if err != nil || !slices.Equal(got, names) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := NeededBlockTensor([]byte(`{"model_type": "llama", "num_hidden_layers": 2}`), names, MLPOut, 2); err == nil || !strings.Contains(err.Error(), "from 0 to 1") {
		t.Error(err)
	}
}
