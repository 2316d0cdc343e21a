package sae

import (
	"fmt"
	"math"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// The files of Llama Scope, as OpenMOSS published it first.
// Source: sae_lens/loading/pretrained_sae_loaders.py, llama_scope_sae_huggingface_loader.
const (
	llamaScopeConfigFile  = "hyperparams.json"
	llamaScopeWeightsFile = "checkpoints/final.safetensors"
)

var llamaScopeFormat = format{
	name: "llama-scope",
	detect: func(path string) bool {
		return isFile(filepath.Join(path, llamaScopeConfigFile)) && isFile(filepath.Join(path, llamaScopeWeightsFile))
	},
	open: openLlamaScope,
}

// openLlamaScope opens a directory of Llama Scope, whose decoder is stored as
// decoder.weight [d_model, d_sae].
//
// Such an SAE was trained on activations divided by norm/√d_model, norm being their
// mean length. As stored, its rows write in those units; SAELens folds the factor in
// and has rows longer by norm/√d_model.
func openLlamaScope(dir string) (SAE, error) {
	path := filepath.Join(dir, llamaScopeConfigFile)
	config, err := readSettings(path, "Llama Scope has it above "+llamaScopeWeightsFile)
	if err != nil {
		return nil, err
	}
	hook := config.text("hook_point_out")
	if hook == "" {
		hook = config.text("hook_point_in")
	}
	sizes := expected{features: config.size("d_sae"), dModel: config.size("d_model"), source: llamaScopeConfigFile}
	norms := config.object("dataset_average_activation_norm")
	norm := norms.number("in")
	threshold := config.number("jump_relu_threshold")
	architecture, normalised := llamaScopeArchitecture(config), config.text("norm_activation") == "dataset-wise"
	for _, read := range []*settings{config, norms} {
		if read.err != nil {
			return nil, fault.At(opRead, path, read.err)
		}
	}
	info := Info{
		Path: dir, Name: baseName(dir), Format: "llama-scope", Architecture: architecture, Hook: hook, Files: []string{path},
	}
	if in := config.text("hook_point_in"); in != hook {
		info.InputHook = in
	}
	return openSafetensors(filepath.Join(dir, llamaScopeWeightsFile), info, func(s *stored, file *tensor.File) error {
		if err := s.takeDecoder(file, "decoder.weight", transposed, sizes); err != nil {
			return err
		}
		if s.encoder != nil {
			s.encoder.threshold = threshold
		}
		if normalised {
			s.noteActivationNorm(norm)
		}
		return nil
	})
}

// llamaScopeArchitecture is the activation function, and "transcoder" where the
// decoder writes to another hook point than the encoder reads.
func llamaScopeArchitecture(config *settings) string {
	in, out := config.text("hook_point_in"), config.text("hook_point_out")
	switch activation := config.text("act_fn"); {
	case out != "" && in != out:
		return "transcoder"
	case activation != "":
		return activation
	default:
		return "jumprelu"
	}
}

// noteActivationNorm records the mean length of the activations that an SAE of
// OpenMOSS was trained on, 0 where the files do not say. SAELens folds its factor
// √d_model/norm into the decoder: W_dec / factor.
func (s *stored) noteActivationNorm(norm float64) {
	if !(norm > 0) || math.IsInf(norm, 0) {
		s.info.Scale += "; trained on activations of normalised length, which is not known"
		return
	}
	s.info.SAELensScale = norm / math.Sqrt(float64(s.info.DModel))
	s.info.Scale += fmt.Sprintf("; trained on activations of mean length %.6g divided by %.6g", norm, s.info.SAELensScale)
}
