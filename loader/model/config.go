package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/pyjson"
)

const (
	configFile = "config.json"
	// maxJSONBytes bounds config.json and the index, which take a few kB and a few
	// hundred kB.
	maxJSONBytes = 25_000_000
)

// config is what a config.json says about the unembedding. Sizes are 0 and
// pointers nil where it is silent, as it may be about its architecture's defaults.
type config struct {
	ModelType string `json:"model_type"`
	Hidden    int    `json:"hidden_size"`
	NEmbd     int    `json:"n_embd"`  // GPT-2, GPT-J
	NEmbed    int    `json:"n_embed"` // BLOOM
	DModel    int    `json:"d_model"` // MPT, XGLM
	// Numbers of blocks, by the architecture's name for it.
	Layers  int `json:"num_hidden_layers"`
	NLayer  int `json:"n_layer"`
	NLayers int `json:"n_layers"`   // MPT
	NumLays int `json:"num_layers"` // GPT-Neo, XGLM
	// Numbers of attention heads and of those with keys and values of their own, and the width
	// of a head, where it is not hidden_size over their number.
	Heads    count `json:"num_attention_heads"`
	NHead    count `json:"n_head"`
	NHeads   count `json:"n_heads"`             // MPT
	NumHeads count `json:"num_heads"`           // GPT-Neo
	AttHeads count `json:"attention_heads"`     // XGLM
	KVHeads  count `json:"num_key_value_heads"` // as often as heads where it is silent
	HeadDim  count `json:"head_dim"`
	// ProjectedTo is the width of the embedding of an OPT.
	ProjectedTo int   `json:"word_embed_proj_dim"`
	VocabSize   int   `json:"vocab_size"`
	Tied        *bool `json:"tie_word_embeddings"`
	// SoftCap is raw since null, no soft-cap, is not the same as silence.
	SoftCap json.RawMessage `json:"final_logit_softcapping"`
	// How the model is quantised, and the older name of it that compressed-tensors had.
	Quantisation json.RawMessage `json:"quantization_config"`
	Compression  json.RawMessage `json:"compression_config"`
	// Text and those below are the language model's part of a multimodal model's
	// configuration, by the name that its class gives it. Sources: get_text_config of
	// transformers, and the configurations of InternVL, DeepSeek-VL2 and Janus, NVILA,
	// and Qwen-Omni, whose part has a part of its own.
	Text     *config  `json:"text_config"`
	LLM      *subpart `json:"llm_config"`
	Language *subpart `json:"language_config"`
	Cfg      *subpart `json:"llm_cfg"`
	LM       *subpart `json:"lm_config"`
	Model    *subpart `json:"language_model_config"`
	Thinker  *subpart `json:"thinker_config"`
}

// count is a number of which other classes make something else, as a list of one a block: that
// is as if the configuration were silent.
type count int

func (n *count) UnmarshalJSON(data []byte) error {
	var number int
	if json.Unmarshal(data, &number) == nil {
		*n = count(number)
	}
	return nil
}

// subpart is a part of a configuration under a name that other classes give other things:
// what is no object, or none of a model, is none.
type subpart config

func (p *subpart) UnmarshalJSON(data []byte) error {
	var c config
	if json.Unmarshal(data, &c) == nil {
		*p = subpart(c)
	}
	return nil
}

// part is the language model's part of the configuration, nil where the whole is.
func (c *config) part() *config {
	if c.Text != nil {
		return c.Text
	}
	for _, p := range []*subpart{c.LLM, c.Language, c.Cfg, c.LM, c.Model, c.Thinker} {
		if part := (*config)(p); part != nil && (part.ModelType != "" || part.hiddenSize() != 0 || part.vocabSize() != 0) {
			return part
		}
	}
	return nil
}

// readConfig reads a config.json. One without model_type is an error unless lenient.
func readConfig(path string, lenient bool) (*config, error) {
	var c config
	if err := readJSON(path, &c); err != nil {
		return nil, err
	}
	if c.ModelType == "" && !lenient {
		return nil, withoutModelType(path)
	}
	return &c, nil
}

func withoutModelType(path string) error {
	return &fault.Error{
		Subject: path, Problem: "has no model_type", Hint: "is this the config.json of a transformers model?",
	}
}

// family is the family of the model, or of the language model in a multimodal one,
// and otherwise an error that says which families are known.
func (c *config) family(path string) (*family, error) {
	return lookUp(byModelType, c.knownType(), path, "model_type")
}

// knownType is the model_type, or that of the language model's part where the family of
// that alone is known.
func (c *config) knownType() string {
	if familyNamed(byModelType, c.ModelType) == nil {
		for part := c.part(); part != nil; part = part.part() {
			if familyNamed(byModelType, part.ModelType) != nil {
				return part.ModelType
			}
		}
	}
	return c.ModelType
}

// checkProjection refuses a model that projects its last hidden states to another
// width before the unembedding, as opt-350m does: W_U is then not of the residual
// stream, and the projection is no part of what TransformerLens reads either.
func (c *config) checkProjection(path string) error {
	if c.ProjectedTo == 0 || c.ProjectedTo == c.hiddenSize() {
		return nil
	}
	return &fault.Error{
		Op: opRead, Subject: path, Problem: "project_out leads from the residual stream to the unembedding",
		Expected: fmt.Sprintf("word_embed_proj_dim %d as hidden_size", c.hiddenSize()), Found: fmt.Sprint(c.ProjectedTo),
		Hint: "models that project to another width before the unembedding, such as opt-350m, are not read",
	}
}

// readJSON decodes a JSON file of bounded length.
func readJSON(path string, into any) error {
	raw, err := files.Read(path, maxJSONBytes)
	if err == nil {
		err = pyjson.Unmarshal(raw, into)
	}
	return fault.At(opRead, path, err)
}

// ofPart is a number of the language model's own part, and of the whole where that is
// silent: multimodal models have numbers of other parts beside them. It is 0 where the
// configuration is silent.
func (c *config) ofPart(number func(*config) int) int {
	if part := c.part(); part != nil {
		if n := part.ofPart(number); n != 0 {
			return n
		}
	}
	return number(c)
}

// hiddenSize is d_model, or 0 where the configuration is silent.
func (c *config) hiddenSize() int {
	return c.ofPart(func(c *config) int { return cmp.Or(c.Hidden, c.NEmbd, c.NEmbed, c.DModel) })
}

// layers is the number of blocks, or 0 where the configuration is silent.
func (c *config) layers() int {
	return c.ofPart(func(c *config) int { return cmp.Or(c.Layers, c.NLayer, c.NLayers, c.NumLays) })
}

// heads is the number of attention heads, or 0 where the configuration is silent.
func (c *config) heads() int {
	return c.ofPart(func(c *config) int { return int(cmp.Or(c.Heads, c.NHead, c.NHeads, c.NumHeads, c.AttHeads)) })
}

// kvHeads is the number of heads with keys and values of their own, and headWidth the width of
// one; 0 where the configuration is silent.
func (c *config) kvHeads() int   { return c.ofPart(func(c *config) int { return int(c.KVHeads) }) }
func (c *config) headWidth() int { return c.ofPart(func(c *config) int { return int(c.HeadDim) }) }

// vocabSize is the number of columns of W_U, or 0 where the configuration is silent.
func (c *config) vocabSize() int { return c.ofPart(func(c *config) int { return c.VocabSize }) }

// tiedTypes are the model types whose configuration's class in transformers ties the
// unembedding to the embedding where nothing is said. Source: AutoConfig.for_model of
// transformers 5.24, tie_word_embeddings, as in the classes that 4.57 has; for qwen, which is not
// among them, configuration_qwen.py of Qwen 1.
var tiedTypes = []string{
	"bloom", "falcon", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_text", "gpt2", "gpt_bigcode", "gpt_neo",
	"ernie4_5", "smollm3", "mpt", "opt", "starcoder2", "xglm",
}

// ties is what the configuration says of the unembedding's being the embedding, nil where
// it is silent. A multimodal model is tied when either part says so.
func (c *config) ties() *bool {
	part := c.part()
	if part == nil {
		return c.Tied
	}
	said := part.ties()
	if said == nil || c.Tied == nil {
		return cmp.Or(said, c.Tied)
	}
	either := *said || *c.Tied
	return &either
}

// denial says why the embedding cannot stand in for an unembedding that is not there, and
// is empty where it can.
func (c *config) denial() string {
	says := ""
	switch said := c.ties(); {
	case said == nil && !slices.Contains(tiedTypes, c.knownType()):
		says = fmt.Sprintf("says nothing of tie_word_embeddings, and a %s is not tied by default", c.knownType())
	case said != nil && !*said:
		says = "has tie_word_embeddings false"
	default:
		return ""
	}
	return configFile + " " + says + ": was the model saved without its head? --unembedding names another tensor to take"
}

// softCap is the soft-cap of the logits, 0 for none; silent is the value of a
// configuration that does not mention it.
func (c *config) softCap(silent float64) (float64, error) {
	if part := c.part(); part != nil && part.mentionsSoftCap() {
		return part.softCap(silent)
	}
	if c.SoftCap == nil {
		return silent, nil
	}
	var limit float64 // null leaves it 0
	if err := json.Unmarshal(c.SoftCap, &limit); err != nil {
		return 0, &fault.Error{Expected: "a number as final_logit_softcapping", Found: fmt.Sprintf("%.20s", c.SoftCap)}
	}
	return limit, nil
}

func (c *config) mentionsSoftCap() bool {
	part := c.part()
	return c.SoftCap != nil || part != nil && part.mentionsSoftCap()
}
