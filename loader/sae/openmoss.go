package sae

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/pyjson"
	"github.com/saedb/saedb/loader/tensor"
)

// A sparse dictionary of OpenMOSS's Llamascopium: config.json beside the first of
// these that is there. Llama Scope R1 Distill is in the same layout, with the
// tensors' older names. Source: llamascopium/models/*.py of OpenMOSS/Language-Model-SAEs.
const openMOSSConfigFile = "config.json"

// maxHookPoints bounds what a configuration makes: no model has so many layers, and
// a cross-layer transcoder has a decoder for each pair of them.
const maxHookPoints = 1024

var openMOSSWeightsFiles = []string{"sae_weights.safetensors", "checkpoints/pruned.safetensors", "checkpoints/final.safetensors"}

var openMOSSFormat = format{
	name:     "openmoss",
	detect:   func(path string) bool { return openMOSSWeights(path) != "" },
	parts:    openMOSSParts,
	openPart: openOpenMOSS,
}

// openMOSSWeights returns the path of the weights, "" when dir is of another format:
// SAELens too writes sae_weights.safetensors, beside its cfg.json.
func openMOSSWeights(dir string) string {
	if !isFile(filepath.Join(dir, openMOSSConfigFile)) || isFile(filepath.Join(dir, saelensConfigFile)) {
		return ""
	}
	for _, name := range openMOSSWeightsFiles {
		if path := filepath.Join(dir, name); isFile(path) {
			return path
		}
	}
	return ""
}

// openMOSSConfig is what a config.json says.
type openMOSSConfig struct {
	Type       string   `json:"sae_type"` // "sae" when absent
	DModel     int      `json:"d_model"`
	DSAE       int      `json:"d_sae"`
	Expansion  float64  `json:"expansion_factor"`
	In         string   `json:"hook_point_in"`
	Out        string   `json:"hook_point_out"`
	Points     []string `json:"hook_points"`     // of a crosscoder, one a head
	PointsOut  []string `json:"hook_points_out"` // of a cross-layer transcoder, one a layer
	Activation string   `json:"act_fn"`
	Normalised string   `json:"norm_activation"`

	path  string
	sizes expected
}

func readOpenMOSSConfig(dir string) (*openMOSSConfig, error) {
	path := filepath.Join(dir, openMOSSConfigFile)
	data, err := readConfig(path, "Llamascopium writes it beside the weights")
	if err != nil {
		return nil, err
	}
	c := &openMOSSConfig{Type: "sae", path: path}
	if err := pyjson.Unmarshal(data, c); err != nil {
		return nil, fault.At(opRead, path, err)
	}
	if c.DModel < 0 || c.DSAE < 0 || c.Expansion < 0 {
		return nil, &fault.Error{
			Op: opRead, Subject: path, Expected: "sizes above 0", Found: fmt.Sprintf("d_model %d, d_sae %d, expansion_factor %g", c.DModel, c.DSAE, c.Expansion),
		}
	}
	if n := max(len(c.Points), len(c.PointsOut)); n > maxHookPoints {
		return nil, &fault.Error{Op: opRead, Subject: path, Expected: fmt.Sprintf("at most %d hook points", maxHookPoints), Found: fmt.Sprint(n)}
	}
	if c.DSAE == 0 {
		c.DSAE = int(float64(c.DModel) * c.Expansion)
	}
	c.sizes = expected{features: c.DSAE, dModel: c.DModel, source: openMOSSConfigFile}
	return c, nil
}

// openMOSSParts names the SAEs of a dictionary: one without a name, the heads of a
// crosscoder by their hook points, and of a cross-layer transcoder the decoder of
// each layer's features for each layer that they write to.
func openMOSSParts(dir string) ([]string, error) {
	c, err := readOpenMOSSConfig(dir)
	if err != nil {
		return nil, err
	}
	switch c.Type {
	case "crosscoder":
		return c.Points, nil
	case "clt":
		var parts []string
		for to := range c.PointsOut {
			for from := range to + 1 {
				parts = append(parts, crossLayerPart(from, to))
			}
		}
		return parts, nil
	}
	return onlyOne, nil
}

// crossLayerPart names the decoder by which features of one layer write to another.
func crossLayerPart(from, to int) string { return fmt.Sprintf("layer_%d_to_%d", from, to) }

func openOpenMOSS(dir, part string) (SAE, error) {
	c, err := readOpenMOSSConfig(dir)
	if err != nil {
		return nil, err
	}
	weights := openMOSSWeights(dir)
	if weights == "" {
		return nil, &fault.Error{Op: opRead, Subject: dir, Problem: "has no weights any more", Err: os.ErrNotExist}
	}
	info := Info{
		Path: withPart(dir, part), Name: withPart(baseName(dir), part), Format: "openmoss", Architecture: c.Type, Files: []string{c.path},
	}
	return openSafetensors(weights, info, func(s *stored, file *tensor.File) error { return s.takeOpenMOSS(c, file, part) })
}

// takeOpenMOSS takes the decoder that a type of dictionary has.
func (s *stored) takeOpenMOSS(c *openMOSSConfig, file *tensor.File, part string) error {
	s.setHook(c.Out)
	if c.In != c.Out {
		s.info.InputHook = c.In
	}
	switch c.Type {
	case "sae":
		s.info.Architecture = c.architecture()
		return s.takeOpenMOSSDecoder(c, file)
	case "lorsa": // low-rank sparse attention: a feature is a head with one row of W_O
		return s.takeDecoder(file, "W_O", asIs, expected{dModel: c.DModel, source: openMOSSConfigFile})
	case "crosscoder":
		head := slices.Index(c.Points, part)
		s.setHook(part)
		return s.takeSlice(file, "W_D", 0, head, len(c.Points), c.sizes)
	case "clt":
		var from, to int
		if _, err := fmt.Sscanf(part, "layer_%d_to_%d", &from, &to); err != nil {
			return &fault.Error{Op: opRead, Subject: s.info.Path, Expected: crossLayerPart(0, 0), Found: part}
		}
		s.setHook(c.PointsOut[to])
		return s.takeSlice(file, fmt.Sprintf("W_D.%d", to), 0, from, to+1, c.sizes)
	}
	return &fault.Error{
		Op: opRead, Subject: c.path + ": sae_type", Expected: "sae, crosscoder, clt or lorsa", Found: fmt.Sprintf("%q", c.Type),
		Hint: "its features do not write fixed directions to the residual stream, or saedb does not know them",
	}
}

func (c *openMOSSConfig) architecture() string {
	switch {
	case c.In != c.Out:
		return "transcoder"
	case c.Activation != "":
		return c.Activation
	default:
		return "jumprelu"
	}
}

// takeOpenMOSSDecoder takes W_D [d_sae, d_model] or, under the older names, the
// transposed decoder.weight.
func (s *stored) takeOpenMOSSDecoder(c *openMOSSConfig, file *tensor.File) error {
	if !file.Has("W_D") && file.Has("decoder.weight") {
		s.info.Format = "llama-scope-r1-distill"
		if err := s.takeDecoder(file, "decoder.weight", transposed, c.sizes); err != nil {
			return err
		}
		if c.Normalised == "dataset-wise" {
			norm, err := scalar(file, "dataset_average_activation_norm."+c.In)
			if err != nil {
				return err
			}
			s.noteActivationNorm(norm)
		}
		return nil
	}
	if c.Normalised == "dataset-wise" {
		s.info.Scale += "; trained on activations of normalised length"
	}
	return s.takeDecoder(file, "W_D", asIs, c.sizes)
}

// scalar reads a tensor of one value, 0 when there is none.
func scalar(file *tensor.File, name string) (float64, error) {
	if !file.Has(name) {
		return 0, nil
	}
	t, err := file.Tensor(name)
	if err != nil {
		return 0, err
	}
	if t.Len() != 1 {
		return 0, &fault.Error{Op: opRead, Subject: file.Subject(name), Expected: "one value", Found: fmt.Sprintf("shape %v", t.Shape)}
	}
	var value [1]float32
	err = t.ReadFloats(0, value[:])
	return float64(value[0]), err
}
