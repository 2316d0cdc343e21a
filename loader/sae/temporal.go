package sae

import (
	"path/filepath"
	"regexp"

	"github.com/saedb/saedb/loader/tensor"
)

// The files of a temporal SAE, in a directory below that of its layer, "layer_12".
// Source: sae_lens/loading/pretrained_sae_loaders.py, temporal_sae_huggingface_loader.
const (
	temporalConfigFile  = "conf.yaml"
	temporalWeightsFile = "latest_ckpt.safetensors"
)

var temporalFormat = format{
	name:   "temporal",
	detect: func(path string) bool { return isFile(filepath.Join(path, temporalWeightsFile)) },
	open:   openTemporal,
}

var temporalLayer = regexp.MustCompile(`(?:^|/)layer_(\d+)(?:/|$)`)

// openTemporal opens a directory of a temporal SAE, whose decoder is D [d_sae,
// d_model]. The activations that it was trained on were multiplied by a constant of
// its configuration, which is not divided out; SAELens does neither.
func openTemporal(dir string) (SAE, error) {
	info := Info{
		Path: dir, Name: baseName(dir), Format: "temporal", Architecture: "temporal",
		Scale: scaleAsStored + "; normalize_activations=constant_scalar_rescale",
	}
	if absolute, err := filepath.Abs(dir); err == nil {
		if match := temporalLayer.FindStringSubmatch(filepath.ToSlash(absolute)); match != nil {
			info.Hook = "blocks." + match[1] + ".hook_resid_post"
		}
	}
	return openSafetensors(filepath.Join(dir, temporalWeightsFile), info, func(s *stored, file *tensor.File) error {
		if path := filepath.Join(dir, temporalConfigFile); isFile(path) {
			s.info.Files = append(s.info.Files, path)
		}
		return s.takeDecoder(file, "D", asIs, expected{})
	})
}
