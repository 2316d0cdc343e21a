package sae

import (
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// saelensConfig is what a cfg.json of SAELens says, of any version since 1.
type saelensConfig struct {
	architecture string
	dSAE         int // 0 when the file does not say
	dOut         int // columns of W_dec, 0 when the file does not say
	hook         string
	in           string // hook point that a transcoder reads
	modelName    string
	neuronpedia  string
	normalize    string // normalize_activations, "none" by default
	rescale      bool   // rescale_acts_by_decoder_norm
	finetuned    bool   // finetuning_scaling_factor
}

// info returns the part of an SAE's description that the configuration gives.
func (c *saelensConfig) info() Info {
	scale := scaleAsStored
	if c.normalize != "none" {
		scale += "; normalize_activations=" + c.normalize
	}
	if c.rescale {
		scale += "; rescale_acts_by_decoder_norm"
	}
	return Info{
		Format: "saelens", Architecture: c.architecture,
		Hook: c.hook, InputHook: c.in, Layer: HookLayer(c.hook), Space: HookSpace(c.hook),
		Scale: scale, ModelName: c.modelName, NeuronpediaID: c.neuronpedia,
	}
}

// readSAELensConfig reads a cfg.json.
func readSAELensConfig(path string) (*saelensConfig, error) {
	data, err := readConfig(path, "SAELens writes it beside "+saelensWeightsFile)
	if err != nil {
		return nil, err
	}
	config, err := parseSAELensConfig(data)
	return config, fault.At(opRead, path, err)
}

// parseSAELensConfig reads the layouts of all versions at once, because files do
// not reliably say theirs: version 6 has what concerns the language model in
// "metadata", 3 to 5 have all in one object, 1 and 2 name the hook "hook_point".
func parseSAELensConfig(data []byte) (*saelensConfig, error) {
	top, err := parseSettings(data)
	if err != nil {
		return nil, err
	}
	metadata := top.object("metadata")
	text := func(key string) string {
		if value := metadata.text(key); value != "" {
			return value
		}
		return top.text(key)
	}

	c := &saelensConfig{
		architecture: architecture(top),
		dSAE:         top.size("d_sae"),
		modelName:    text("model_name"),
		neuronpedia:  text("neuronpedia_id"),
		normalize:    normalization(top),
		rescale:      top.flag("rescale_acts_by_decoder_norm"),
		finetuned:    top.flag("finetuning_scaling_factor"),
	}
	hooks := []string{"hook_name", "hook_point", "hf_hook_name"}
	width := "d_in"
	if strings.Contains(c.architecture, "transcoder") {
		hooks = append([]string{"hook_name_out", "hf_hook_name_out"}, hooks...)
		width = "d_out"
	}
	c.dOut = top.size(width)
	if width == "d_out" {
		for _, key := range []string{"hook_name", "hf_hook_name"} {
			if c.in == "" {
				c.in = text(key)
			}
		}
	}
	for _, key := range hooks {
		if c.hook == "" {
			c.hook = text(key)
		}
	}
	for _, s := range []*settings{top, metadata} {
		if s.err != nil {
			return nil, s.err
		}
	}
	return c, nil
}

// architecture returns the architecture, in old files from the activation function.
func architecture(top *settings) string {
	if name := top.text("architecture"); name != "" && name != "standard" {
		return name
	}
	if top.text("activation_fn") == "topk" || top.text("activation_fn_str") == "topk" {
		return "topk"
	}
	return "standard"
}

// normalization returns normalize_activations, which SAELens 1 and 2 wrote as a bool.
func normalization(top *settings) string {
	switch raw := strings.TrimSpace(string(top.values["normalize_activations"])); raw {
	case "", "null", "false":
		return "none"
	case "true":
		return "expected_average_only_in"
	}
	return top.text("normalize_activations")
}
