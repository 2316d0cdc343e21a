package sae

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
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
	weights := filepath.Join(dir, saelensWeightsFile)
	file, err := safetensors.Open(weights)
	if err != nil {
		return nil, fault.At(opRead, weights, err)
	}
	s := &stored{info: config.info(), close: file.Close}
	s.info.Path = dir
	s.info.Name = baseName(dir)
	s.info.Files = []string{filepath.Join(dir, saelensConfigFile), weights}
	if path := filepath.Join(dir, saelensSparsityFile); isFile(path) {
		s.sparsity = func() ([]float32, error) { return readSAELensSparsity(path, s.info.DSAE) }
		s.info.Files = append(s.info.Files, path)
	}
	sizes := expected{features: config.dSAE, dModel: config.dOut, source: saelensConfigFile}
	if err = s.takeDecoder(safetensorsIn{file}, "W_dec", asIs, sizes); err == nil {
		err = s.takeScaling(config, file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// takeScaling reads the factors that finetuning put on each feature, up to
// SAELens 5 a part of the decoder: decode is (acts * factor) @ W_dec. They count
// only where the configuration says so, as in SAELens 5; a file that
// has factors but does not say so is read as stored, with a note in Scale.
func (s *stored) takeScaling(c *saelensConfig, weights *safetensors.File) error {
	name := "finetuning_scaling_factor"
	if !weights.Has(name) {
		name = "scaling_factor"
	}
	if !weights.Has(name) {
		return nil
	}
	factors, err := readVector(weights, name, s.info.DSAE)
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
	if err := checkFinite(weights.Path()+": tensor "+name, 0, factors, 1); err != nil {
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
func readSAELensSparsity(path string, features int) ([]float32, error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	defer file.Close()
	values, err := readVector(file, "sparsity", features)
	if err != nil {
		return nil, err
	}
	return values, toLogSparsity(path+": tensor sparsity", values)
}

// readVector reads a tensor of one value a feature.
func readVector(file *safetensors.File, name string, features int) ([]float32, error) {
	subject := file.Path() + ": tensor " + name
	if !file.Has(name) {
		return nil, &fault.Error{Op: opRead, Subject: subject, Problem: "is missing"}
	}
	tensor, err := file.Tensor(name)
	if err != nil {
		return nil, fault.At(opRead, subject, err)
	}
	if !slices.Equal(tensor.Shape, []int{features}) {
		return nil, &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("shape [%d], one value a feature", features),
			Found: fmt.Sprint(tensor.Shape),
		}
	}
	values := make([]float32, features)
	if err := tensor.ReadFloats(0, values); err != nil {
		return nil, fault.At(opRead, subject, err)
	}
	return values, nil
}
