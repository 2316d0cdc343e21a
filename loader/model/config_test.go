package model

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Oracle: tie_word_embeddings of AutoConfig.for_model(…) in transformers 5.24, and for
// qwen of configuration_qwen.py. A family that is new has to say which it is.
func TestTiedByDefault(t *testing.T) {
	want := map[bool][]string{
		true: {
			"bloom", "ernie4_5", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_text", "gpt2", "gpt_bigcode",
			"gpt_neo", "mpt", "opt", "smollm3", "starcoder2", "xglm",
		},
		false: {
			"apertus", "arcee", "codegen", "deepseek_v2", "deepseek_v3", "exaone4", "glm", "glm4", "glm4_moe", "gpt_neox", "gpt_oss", "gptj",
			"granite", "granitemoe", "hunyuan_v1_dense", "llama", "llama4_text", "mistral", "mixtral", "nemotron", "olmo", "olmo2", "olmo3",
			"olmoe", "phi", "phi3", "qwen", "qwen2", "qwen2_5_vl", "qwen2_moe", "qwen2_vl", "qwen3", "qwen3_5", "qwen3_5_text", "qwen3_moe",
			"qwen3_next", "qwen3_vl", "seed_oss", "stablelm",
		},
	}
	known := familyNames(byModelType)
	if all := slices.Sorted(slices.Values(slices.Concat(want[true], want[false]))); !slices.Equal(known, all) {
		t.Errorf("families of %v, tested are %v", known, all)
	}
	for tied, types := range want {
		for _, modelType := range types {
			for text, can := range map[string]bool{"": tied, `, "tie_word_embeddings": true`: true, `, "tie_word_embeddings": false`: false} {
				rules := familyNamed(byModelType, modelType)
				names := []string{rules.embedding}
				for _, name := range []string{rules.norm, rules.normBias} {
					if name != "" {
						names = append(names, name)
					}
				}
				config := fmt.Sprintf(`{"model_type": %q%s}`, modelType, text)
				got, err := NeededTensors([]byte(config), names, Options{})
				if can && (err != nil || got[0] != rules.embedding) || !can && (err == nil || !strings.Contains(err.Error(), "tie_word_embeddings")) {
					t.Errorf("%s: %v, %v", config, got, err)
				}
				// A head that is there counts, whatever is said.
				for _, head := range []string{rules.head, commonHead} {
					if got, err := NeededTensors([]byte(config), append(names, head), Options{}); err != nil || got[0] != head {
						t.Errorf("%s with %s: %v, %v", config, head, got, err)
					}
				}
				// So does an embedding that a person names.
				if got, err := NeededTensors([]byte(config), names, Options{Unembedding: rules.embedding}); err != nil || got[0] != rules.embedding {
					t.Errorf("%s, named: %v, %v", config, got, err)
				}
			}
		}
	}
}

// The sizes are those of the language model's part, wherever its class keeps it and
// whatever other parts and the whole say.
func TestLanguageModelsPart(t *testing.T) {
	const part = `{"model_type": "qwen2", "vocab_size": 7, "hidden_size": 32, "num_hidden_layers": 3}`
	const whole = `"model_type": "x", "vocab_size": 364, "hidden_size": 9, "num_hidden_layers": 8, "vision_config": {"hidden_size": 5}`
	for _, config := range []string{
		`{` + whole + `, "text_config": ` + part + `}`,
		`{` + whole + `, "llm_config": ` + part + `}`,
		`{` + whole + `, "language_config": ` + part + `, "lm_config": 1}`,
		`{` + whole + `, "llm_cfg": ` + part + `}`,
		`{` + whole + `, "lm_config": ` + part + `, "thinker_config": {}}`,
		`{` + whole + `, "language_model_config": ` + part + `}`,
		`{` + whole + `, "thinker_config": {"model_type": "y", "vocab_size": 99, "text_config": ` + part + `}, "talker_config": {"vocab_size": 3}}`,
		`{` + whole + `, "text_config": null, "llm_config": "qwen2", "language_config": ` + part + `}`,
		part,
	} {
		cfg, err := parseConfig([]byte(config), false)
		if err != nil || cfg.vocabSize() != 7 || cfg.hiddenSize() != 32 || cfg.layers() != 3 || cfg.knownType() != "qwen2" {
			t.Errorf("%s: %+v, %v", config, cfg, err)
		}
	}
	// Where the part is silent, the whole speaks; a name that other classes give
	// other things is no part.
	cfg, err := parseConfig([]byte(`{"model_type": "gemma3", "vocab_size": 7, "text_config": {"hidden_size": 32}, "lm_config": ["a"]}`), false)
	if err != nil || cfg.vocabSize() != 7 || cfg.hiddenSize() != 32 {
		t.Errorf("%+v, %v", cfg, err)
	}
}

// As a checkpoint of LLaVA-OneVision has it: the whole has another vocabulary than the
// language model, whose lm_head decides. Values are those of testRows.
func TestVocabularyOfPart(t *testing.T) {
	const config = `{"model_type": "llava_onevision", "tie_word_embeddings": false, "vocab_size": 364,
		"text_config": {"model_type": "qwen2", "vocab_size": %d, "hidden_size": 32}, "time_step_limit": [0.0, Infinity], "x": NaN, "y": -Infinity}`
	names := []string{"model.language_model.embed_tokens.weight", "model.language_model.norm.weight"}
	u := openModel(t, writeModel(t, fmt.Sprintf(config, testVocab), "lm_head.weight", names...))
	if got := u.Info(); got.DVocab != testVocab || got.Processing.UnembeddingTensor != "lm_head.weight" {
		t.Errorf("%+v", got)
	}
	checkRows(t, u, rmsNorm)
	// One that is named by hand has the shape that it has.
	wrong := writeModel(t, fmt.Sprintf(config, 364), "lm_head.weight", names...)
	checkOpenFails(t, wrong, "expected shape [364, 32] as in config.json, found [7, 32]")
	for _, o := range []Options{{Unembedding: "lm_head.weight"}, {Unembedding: "lm_head.weight", Norm: names[1], NormKind: RMSNorm}} {
		named, err := Open(wrong, o)
		if err != nil {
			t.Fatal(err)
		}
		defer named.Close()
		checkRows(t, named, rmsNorm)
	}
}
