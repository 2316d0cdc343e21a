package sae

import (
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// endToEnd is the layout of ApolloResearch's e2e_sae: the SAEs of all positions of a run in one
// state_dict, samples_N.pt, each under its hook point with "-" in place of ".", beside
// final_config.yaml. Sources: SAETransformer in e2e_sae/models/transformers.py, SAE in
// models/sparsifiers.py, save_module in utils.py.
var endToEnd = checkpoint{
	name:     "e2e-sae",
	has:      func(_ string, file *torch.File) bool { return len(endToEndPositions(file)) > 0 },
	parts:    endToEndParts,
	takePart: (*stored).takeEndToEnd,
}

const endToEndConfigFile = "final_config.yaml"

// endToEndPositions are the SAEs in a file, as their keys spell their hook points.
func endToEndPositions(file *torch.File) []string {
	var positions []string
	for _, key := range file.Keys() {
		position, is := strings.CutSuffix(key, ".decoder.weight")
		if is && !strings.Contains(position, ".") && hasMatrices(file.At(), key, position+".encoder.0.weight") {
			positions = append(positions, position)
		}
	}
	return positions
}

// endToEndParts names the SAEs of a file with several by their hook points.
func endToEndParts(_ string, file *torch.File) ([]string, error) {
	positions := endToEndPositions(file)
	if len(positions) == 1 {
		return onlyOne, nil
	}
	for i, position := range positions {
		positions[i] = endToEndHook(position)
	}
	return positions, nil
}

func endToEndHook(position string) string { return strings.ReplaceAll(position, "-", ".") }

// takeEndToEnd takes decoder.weight [d_model, d_sae] of a position. The library divides a
// feature's direction by its length each time that it decodes, so that the lengths in the
// file mean nothing.
func (s *stored) takeEndToEnd(path, part string, file *torch.File) error {
	positions := endToEndPositions(file)
	at := slices.IndexFunc(positions, func(position string) bool { return part == "" || endToEndHook(position) == part })
	if at < 0 {
		return &fault.Error{Op: opRead, Subject: path, Expected: "a part that is there", Found: part}
	}
	position := positions[at]
	s.setHook(endToEndHook(position))
	s.info.Scale += "; the library divides rows by their lengths"
	if config := filepath.Join(filepath.Dir(path), endToEndConfigFile); isFile(config) {
		data, err := readConfig(config, "")
		if err != nil {
			return err
		}
		var run struct {
			Model string `yaml:"tlens_model_name"`
		}
		if err := yaml.Unmarshal(data, &run); err != nil {
			return &fault.Error{Op: opRead, Subject: config, Expected: "YAML with tlens_model_name", Err: err}
		}
		s.info.ModelName = run.Model
		s.info.Files = append(s.info.Files, config)
	}
	tensors := file.At()
	sizes := biasSizes(tensors, []string{position + ".encoder.0.bias"}, []string{position + ".decoder.bias"})
	return s.takeDecoder(tensors, position+".decoder.weight", transposed, sizes)
}
