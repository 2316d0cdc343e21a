package sae

import (
	"math"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

// The files of an SAE as SAELens writes it. Source: sae_lens/constants.py.
const (
	saelensConfigFile   = "cfg.json"
	saelensWeightsFile  = "sae_weights.safetensors"
	saelensSparsityFile = "sparsity.safetensors"
)

var saelensFormat = format{
	name:   "saelens",
	detect: func(path string) bool { return isFile(filepath.Join(path, saelensWeightsFile)) },
	open:   openSAELens,
}

// openSAELens opens a directory in the layout of SAELens 1 to 6.
func openSAELens(dir string) (SAE, error) {
	config, err := readSAELensConfig(filepath.Join(dir, saelensConfigFile))
	if err != nil {
		return nil, err
	}
	info := config.info()
	info.Path, info.Name, info.Files = dir, baseName(dir), []string{filepath.Join(dir, saelensConfigFile)}
	return openSafetensors(filepath.Join(dir, saelensWeightsFile), info, func(s *stored, file *tensor.File) error {
		if path := filepath.Join(dir, saelensSparsityFile); isFile(path) {
			s.sparsity = func() ([]float32, error) { return s.readSAELensSparsity(path) }
			s.info.Files = append(s.info.Files, path)
		}
		return s.takeSAELens(config, saelensConfigFile, file)
	})
}

// FormatMemory is the format of an SAE that was handed over in memory.
const FormatMemory = "memory"

// FromTensors makes an SAE of what is in memory: the configuration that SAELens
// writes as cfg.json, of any version, and the tensors W_dec [d_sae, d_model] and,
// where they are known, sparsity [d_sae] and the factors of finetuning, in the form of
// a safetensors file, which it takes over where there is no error.
func FromTensors(name string, configuration []byte, file *tensor.File) (SAE, error) {
	config, err := parseSAELensConfig(configuration)
	if err != nil {
		return nil, fault.At(opRead, "configuration of "+name, err)
	}
	s := &stored{info: config.info(), close: file.Close}
	s.info.Path, s.info.Name, s.info.Format = file.Path(), name, FormatMemory
	if file.Has("sparsity") {
		s.sparsity = func() ([]float32, error) { return s.logSparsity(file) }
	}
	return s, s.takeSAELens(config, "the configuration", file)
}

// takeSAELens takes W_dec [d_sae, d_model] and the factors of finetuning.
func (s *stored) takeSAELens(c *saelensConfig, source string, file *tensor.File) error {
	if err := s.takeDecoder(file, "W_dec", asIs, expected{features: c.dSAE, dModel: c.dOut, source: source}); err != nil {
		return err
	}
	return s.takeScaling(c, file)
}

// takeScaling reads the factors that finetuning put on each feature, up to
// SAELens 5 a part of the decoder: decode is (acts * factor) @ W_dec. They count
// only where the configuration says so, as in SAELens 5; a file that
// has factors but does not say so is read as stored, with a note in Scale.
func (s *stored) takeScaling(c *saelensConfig, weights *tensor.File) error {
	name := "finetuning_scaling_factor"
	if !weights.Has(name) {
		name = "scaling_factor"
	}
	if !weights.Has(name) {
		return nil
	}
	factors, err := s.onePerFeature(weights, name)
	if err != nil {
		return err
	}
	if allNearOne(factors) {
		return nil
	}
	if !c.finetuned {
		s.info.Scale += "; " + name + " not applied"
		return nil
	}
	if err := checkFinite(weights.Subject(name), 0, factors, 1); err != nil {
		return err
	}
	s.scaling = factors
	s.info.Scale += "; " + name + " applied"
	return nil
}

// allNearOne is torch.allclose(factors, 1) with its default tolerances.
func allNearOne(factors []float32) bool {
	for _, f := range factors {
		if !(math.Abs(float64(f)-1) <= 1e-8+1e-5) {
			return false
		}
	}
	return true
}

// readSAELensSparsity reads the file beside the weights.
func (s *stored) readSAELensSparsity(path string) ([]float32, error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	defer file.Close()
	return s.logSparsity(file)
}

func (s *stored) logSparsity(file *tensor.File) ([]float32, error) {
	values, err := s.onePerFeature(file, "sparsity")
	if err != nil {
		return nil, err
	}
	return values, toLogSparsity(file.Subject("sparsity"), values)
}
