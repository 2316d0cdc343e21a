package sae

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

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
	marks:  "a directory with " + saelensWeightsFile,
	detect: func(path string) bool { return isFile(filepath.Join(path, saelensWeightsFile)) },
	open:   openSAELens,
}

// saelens is an SAE in SAELens's own format.
type saelens struct {
	info     Info
	weights  *safetensors.File
	decoder  *safetensors.Tensor
	subject  string    // the decoder, in errors
	scaling  []float32 // factor of each feature's row [d_sae], nil when all are 1
	sparsity string    // path of the sparsity file, empty when there is none
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
	s := &saelens{weights: file, subject: weights + ": tensor W_dec"}
	s.info = config.info()
	s.info.Path = dir
	s.info.Name = baseName(dir)
	s.info.Files = []string{filepath.Join(dir, saelensConfigFile), weights}
	if path := filepath.Join(dir, saelensSparsityFile); isFile(path) {
		s.sparsity = path
		s.info.Files = append(s.info.Files, path)
	}
	if err = s.findDecoder(config); err == nil {
		err = s.findScaling(config, weights)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

// baseName is the last element of a path, also of "." and the like.
func baseName(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return filepath.Base(path)
}

func (s *saelens) Info() Info {
	info := s.info
	info.Files = slices.Clone(info.Files)
	return info
}

func (s *saelens) Close() error { return s.weights.Close() }

// findDecoder looks up W_dec and holds its shape and type against the configuration.
func (s *saelens) findDecoder(c *saelensConfig) error {
	if !s.weights.Has("W_dec") {
		return &fault.Error{Op: opRead, Subject: s.subject, Problem: "is missing", Hint: "is this file written by SAELens?"}
	}
	decoder, err := s.weights.Tensor("W_dec")
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	shape := decoder.Shape
	found := fmt.Sprintf("%s %v", decoder.DType, shape)
	if !slices.Contains([]string{"F32", "F16", "BF16", "F64"}, decoder.DType) {
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: "F32, F16, BF16 or F64", Found: found}
	}
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: "a matrix [d_sae, d_model]", Found: found}
	}
	if c.dSAE != 0 && c.dSAE != shape[0] || c.dOut != 0 && c.dOut != shape[1] {
		e := &fault.Error{
			Op: opRead, Subject: s.subject, Found: fmt.Sprint(shape),
			Expected: fmt.Sprintf("shape [%s, %s] as in %s", sizeOrAny(c.dSAE), sizeOrAny(c.dOut), saelensConfigFile),
		}
		if c.dSAE == shape[1] && c.dOut == shape[0] {
			e.Hint = "the tensor is transposed"
		}
		return e
	}
	s.decoder = decoder
	s.info.DSAE, s.info.DModel, s.info.DType = shape[0], shape[1], decoder.DType
	return nil
}

func sizeOrAny(size int) string {
	if size == 0 {
		return "any"
	}
	return fmt.Sprint(size)
}

// findScaling reads the factors that finetuning put on each feature, up to
// SAELens 5 a part of the decoder: decode is (acts * factor) @ W_dec. They count
// only where the configuration says so, as in SAELens 5; a file that
// has factors but does not say so is read as stored, with a note in Scale.
func (s *saelens) findScaling(c *saelensConfig, weights string) error {
	name := "finetuning_scaling_factor"
	if !s.weights.Has(name) {
		name = "scaling_factor"
	}
	if !s.weights.Has(name) {
		return nil
	}
	factors, err := readVector(s.weights, name, weights, s.info.DSAE)
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
	if err := checkFinite(weights+": tensor "+name, 0, factors, 1); err != nil {
		return err
	}
	s.scaling = factors
	s.info.Scale = strings.Replace(s.info.Scale, scaleAsStored, name+" applied", 1)
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

// readVector reads a tensor of one value a feature.
func readVector(file *safetensors.File, name, path string, features int) ([]float32, error) {
	subject := path + ": tensor " + name
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

func (s *saelens) ReadDecoder(from int, dst []float32) error {
	d := s.info.DModel
	rows, err := checkRows(s.subject, from, dst, s.info.DSAE, d)
	if err != nil {
		return err
	}
	if err := s.decoder.ReadFloats(from*d, dst); err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if s.scaling != nil {
		for row := range rows {
			factor := s.scaling[from+row]
			for i := row * d; i < (row+1)*d; i++ {
				dst[i] *= factor
			}
		}
	}
	return checkFinite(s.subject, from, dst, d)
}

func (s *saelens) LogSparsity() ([]float32, error) {
	if s.sparsity == "" {
		return nil, nil
	}
	file, err := safetensors.Open(s.sparsity)
	if err != nil {
		return nil, fault.At(opRead, s.sparsity, err)
	}
	defer file.Close()
	values, err := readVector(file, "sparsity", s.sparsity, s.info.DSAE)
	if err != nil {
		return nil, err
	}
	return values, toLogSparsity(s.sparsity+": tensor sparsity", values)
}
