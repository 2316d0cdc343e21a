package sae

import (
	"path/filepath"
	"regexp"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
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
	weights := filepath.Join(dir, temporalWeightsFile)
	file, err := safetensors.Open(weights)
	if err != nil {
		return nil, fault.At(opRead, weights, err)
	}
	s := &stored{close: file.Close, info: Info{
		Path: dir, Name: baseName(dir), Format: "temporal", Architecture: "temporal", Layer: -1, Space: ResidualStream,
		Scale: scaleAsStored + "; normalize_activations=constant_scalar_rescale", Files: []string{weights},
	}}
	if path := filepath.Join(dir, temporalConfigFile); isFile(path) {
		s.info.Files = append(s.info.Files, path)
	}
	if absolute, err := filepath.Abs(dir); err == nil {
		if match := temporalLayer.FindStringSubmatch(filepath.ToSlash(absolute)); match != nil {
			s.info.Hook = "blocks." + match[1] + ".hook_resid_post"
			s.info.Layer = HookLayer(s.info.Hook)
		}
	}
	if err := s.takeDecoder(safetensorsIn{file}, "D", asIs, expected{}); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}
