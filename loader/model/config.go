package model

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
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
	// ProjectedTo is the width of the embedding of an OPT.
	ProjectedTo int   `json:"word_embed_proj_dim"`
	VocabSize   int   `json:"vocab_size"`
	Tied        *bool `json:"tie_word_embeddings"`
	// SoftCap is raw since null, no soft-cap, is not the same as silence.
	SoftCap json.RawMessage `json:"final_logit_softcapping"`
	// Text is the language model's part of a multimodal model's configuration.
	Text *config `json:"text_config"`
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
	f, err := lookUp(familyOfModelType, c.ModelType, path, "model_type")
	if f == nil && c.Text != nil {
		if f := familyOfModelType[c.Text.ModelType]; f != nil {
			return f, nil
		}
	}
	return f, err
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
	file, size, err := tensor.OpenFile(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if size > maxJSONBytes {
		return &fault.Error{Subject: path, Expected: fmt.Sprintf("at most %d bytes", maxJSONBytes), Found: fmt.Sprint(size)}
	}
	raw, err := io.ReadAll(io.LimitReader(file, maxJSONBytes))
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	return fault.At(opRead, path, err)
}

// hiddenSize is d_model, or 0 where the configuration is silent.
func (c *config) hiddenSize() int {
	for _, n := range []int{c.Hidden, c.NEmbd, c.NEmbed, c.DModel} {
		if n != 0 {
			return n
		}
	}
	if c.Text != nil {
		return c.Text.hiddenSize()
	}
	return 0
}

// layers is the number of blocks, or 0 where the configuration is silent.
func (c *config) layers() int {
	for _, n := range []int{c.Layers, c.NLayer, c.NLayers, c.NumLays} {
		if n != 0 {
			return n
		}
	}
	if c.Text != nil {
		return c.Text.layers()
	}
	return 0
}

// vocabSize is the number of columns of W_U, or 0 where the configuration is silent.
func (c *config) vocabSize() int {
	if c.VocabSize == 0 && c.Text != nil {
		return c.Text.vocabSize()
	}
	return c.VocabSize
}

// untied reports whether the configuration says that the unembedding is a tensor
// of its own. A multimodal model is tied when either part says so.
func (c *config) untied() bool {
	untied := c.Tied != nil && !*c.Tied
	if c.Text == nil || c.Text.Tied == nil {
		return untied
	}
	return c.Text.untied() && (c.Tied == nil || untied)
}

// softCap is the soft-cap of the logits, 0 for none; silent is the value of a
// configuration that does not mention it.
func (c *config) softCap(silent float64) (float64, error) {
	if c.SoftCap == nil {
		if c.Text != nil {
			return c.Text.softCap(silent)
		}
		return silent, nil
	}
	var limit float64 // null leaves it 0
	if err := json.Unmarshal(c.SoftCap, &limit); err != nil {
		return 0, &fault.Error{Expected: "a number as final_logit_softcapping", Found: fmt.Sprintf("%.20s", c.SoftCap)}
	}
	return limit, nil
}
