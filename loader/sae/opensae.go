package sae

import (
	"fmt"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

// The files of an SAE of THU-KEG's OpenSAE, as save_pretrained of transformers writes them:
// the weights in one file, or in several that an index lists. Sources: saes/open_sae and
// trainer/sae_trainer.py of THU-KEG/OpenSAE.
const openSAEConfigFile = "config.json"

var openSAEFormat = format{name: "opensae", detect: isOpenSAE, open: openOpenSAE}

// openSAECheckpoint is a checkpoint of its training: HOOK_POINT/iter_N.pt.
var openSAECheckpoint = checkpoint{
	name: "opensae",
	has: func(_ string, file *torch.File) bool {
		tensors := file.At()
		return hasMatrices(tensors, "encoder.weight", "W_dec") && hasVectors(tensors, "encoder.bias", "b_dec")
	},
	take: func(s *stored, path string, file *torch.File) error {
		if directory := above(path, 1); len(directory) == 1 && findHook(directory[0]) != nil {
			s.setHook(directory[0])
			s.info.Name = directory[0] + "/" + s.info.Name
		}
		s.info.Architecture = "topk"
		tensors := file.At()
		return s.takeDecoder(tensors, "W_dec", asIs, biasSizes(tensors, []string{"encoder.bias"}, []string{"b_dec"}))
	},
}

// isOpenSAE takes a directory by its configuration, which has names that no model's has.
func isOpenSAE(dir string) bool {
	if !isFile(filepath.Join(dir, safetensors.WeightsFile)) && !isFile(filepath.Join(dir, safetensors.IndexFile)) || !isFile(filepath.Join(dir, openSAEConfigFile)) {
		return false
	}
	config, err := readSettings(filepath.Join(dir, openSAEConfigFile), "")
	return err == nil && config.values["feature_size"] != nil && config.values["output_hookpoint"] != nil
}

// openOpenSAE opens a directory, whose decoder is W_dec [d_sae, d_model].
func openOpenSAE(dir string) (SAE, error) {
	path := filepath.Join(dir, openSAEConfigFile)
	config, err := readSettings(path, "OpenSAE writes it beside the weights")
	if err != nil {
		return nil, err
	}
	info := Info{
		Path: dir, Name: baseName(dir), Format: "opensae", Architecture: config.text("activation"), Scale: scaleAsStored,
		Hook: config.text("output_hookpoint"), ModelName: config.text("model_name"), Files: []string{path},
	}
	if config.text("input_hookpoint") != info.Hook {
		info.Architecture = "transcoder"
	} else if info.Architecture == "topk" {
		info.L0 = config.number("k")
	}
	if config.flag("input_normalize") || config.flag("normalize_shift_back") {
		info.Scale += "; input_normalize"
	}
	sizes := expected{features: config.size("feature_size"), dModel: config.size("hidden_size"), source: openSAEConfigFile}
	if config.err != nil {
		return nil, fault.At(opRead, path, config.err)
	}
	weights, err := info.openSAEWeights(dir)
	if err != nil {
		return nil, err
	}
	return openSafetensors(weights, info, func(s *stored, file *tensor.File) error { return s.takeDecoder(file, "W_dec", asIs, sizes) })
}

// openSAEWeights returns the file with the decoder: the only one, or that which the index names.
func (i *Info) openSAEWeights(dir string) (string, error) {
	if weights := filepath.Join(dir, safetensors.WeightsFile); isFile(weights) {
		return weights, nil
	}
	index := filepath.Join(dir, safetensors.IndexFile)
	all, err := readSettings(index, "")
	if err != nil {
		return "", err
	}
	within := all.object("weight_map")
	name := within.text("W_dec")
	for _, read := range []*settings{all, within} {
		if read.err != nil {
			return "", fault.At(opRead, index, read.err)
		}
	}
	if !filepath.IsLocal(name) {
		return "", &fault.Error{Op: opRead, Subject: index, Expected: "the name of the file with W_dec", Found: fmt.Sprintf("%q", name)}
	}
	i.Files = append(i.Files, index)
	return filepath.Join(dir, name), nil
}
