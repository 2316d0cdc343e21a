package sae

import (
	"path/filepath"
	"regexp"

	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

// openAI is OpenAI's autoencoders of GPT-2 small: LOCATION/autoencoders/LAYER.pt,
// where LOCATION is a place of the model and a version.
// Source: sparse_autoencoder/model.py and paths.py of openai/sparse_autoencoder.
var openAI = checkpoint{
	name: "openai",
	named: func(path string) bool {
		_, layer := openAIPlace(path)
		return layer != "" && filepath.Base(filepath.Dir(path)) == "autoencoders"
	},
	has: func(_ string, file *torch.File) bool {
		tensors := file.At()
		return hasMatrices(tensors, "encoder.weight") && hasVectors(tensors, "pre_bias", "latent_bias")
	},
	take: (*stored).takeOpenAI,
}

var (
	openAILayer    = regexp.MustCompile(`^(\d+)\.pt$`)
	openAILocation = regexp.MustCompile(`^(mlp_post_act|resid_delta_attn|resid_delta_mlp|resid_post_attn|resid_post_mlp)(?:_v\d\w*)?$`)
)

// openAIHooks are the hook points of the locations within a block.
var openAIHooks = map[string]string{
	"mlp_post_act":     "mlp.hook_post",
	"resid_delta_attn": "hook_attn_out",
	"resid_delta_mlp":  "hook_mlp_out",
	"resid_post_attn":  "hook_resid_mid",
	"resid_post_mlp":   "hook_resid_post",
}

// openAIPlace returns the directory's name that gives the location and the layer
// that the file's name gives, "" where they do not.
func openAIPlace(path string) (directory, layer string) {
	for _, name := range above(path, 2) {
		if openAILocation.MatchString(name) {
			directory = name
			break
		}
	}
	if match := openAILayer.FindStringSubmatch(baseName(path)); match != nil && directory != "" {
		layer = match[1]
	}
	return directory, layer
}

// takeOpenAI takes decoder.weight [d_model, d_sae]. An autoencoder with tied
// weights has the encoder's [d_sae, d_model] instead, as decoder.linear.weight.
func (s *stored) takeOpenAI(path string, file *torch.File) error {
	directory, layer := openAIPlace(path)
	if layer != "" {
		s.info.Name = directory + "/" + layer
		s.setHook("blocks." + layer + "." + openAIHooks[openAILocation.FindStringSubmatch(directory)[1]])
	}
	s.info.ModelName = "gpt2-small"
	if activation, _ := file.Value("activation"); activation == "TopK" {
		// OpenAI's own reader takes it for the mark of normalised inputs.
		s.info.Architecture = "topk"
		s.info.Scale += "; normalize_activations=layer_norm"
	}
	tensors := file.At()
	sizes := biasSizes(tensors, []string{"latent_bias"}, []string{"pre_bias"})
	var err error
	if tied := "decoder.linear.weight"; !tensors.Has("decoder.weight") && tensors.Has(tied) {
		err = s.takeDecoder(tensors, tied, asIs, sizes)
	} else {
		err = s.takeDecoder(tensors, "decoder.weight", transposed, sizes)
	}
	if err == nil && hasVectors(tensors, "latents_activation_frequency") {
		s.sparsity = func() ([]float32, error) { return s.openAISparsity(tensors) }
	}
	return err
}

// openAISparsity is log10 of latents_activation_frequency, the part of tokens on
// which a feature fired. It is all 1 where it was not measured, as a new
// autoencoder has it; OpenAI's code takes frequencies below 1e-8 for dead features.
func (s *stored) openAISparsity(file *tensor.File) ([]float32, error) {
	const name = "latents_activation_frequency"
	values, err := s.onePerFeature(file, name)
	if err != nil {
		return nil, err
	}
	constant := true
	for _, v := range values {
		constant = constant && v == values[0]
	}
	if constant && (values[0] == 1 || values[0] == 0) {
		return nil, nil
	}
	return values, toLogSparsity(file.Subject(name), values)
}
