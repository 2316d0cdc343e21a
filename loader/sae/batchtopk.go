package sae

import (
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// batchTopK is the layout of bartbussmann/BatchTopK and what was made of it:
// checkpoints/NAME_STEP/sae.pt beside config.json, whatever the type of the SAE. Source:
// save_checkpoint in logs.py, and sae.py.
var batchTopK = checkpoint{
	name: "batchtopk",
	has: func(path string, file *torch.File) bool {
		return hasMatrices(file.At(), "W_dec") && isBatchTopKConfig(batchTopKConfig(path))
	},
	take: (*stored).takeBatchTopK,
}

func batchTopKConfig(path string) string { return filepath.Join(filepath.Dir(path), "config.json") }

// isBatchTopKConfig reports whether path is a configuration with the names that it has there.
func isBatchTopKConfig(path string) bool {
	if !isFile(path) {
		return false
	}
	config, err := readSettings(path, "")
	return err == nil && config.values["act_size"] != nil && config.values["dict_size"] != nil && config.values["sae_type"] != nil
}

// takeBatchTopK takes W_dec [d_sae, d_model]. Activations may have been normalised one by
// one; their means and lengths are given back to what is decoded, and so are no part of W_dec.
func (s *stored) takeBatchTopK(path string, file *torch.File) error {
	path = batchTopKConfig(path)
	config, err := readSettings(path, "it describes "+file.Path())
	if err != nil {
		return err
	}
	if s.info.Name == "sae" {
		s.info.Name = above(path, 1)[0]
	}
	s.info.Architecture, s.info.ModelName = config.text("sae_type"), config.text("model_name")
	if s.info.Architecture == "topk" || s.info.Architecture == "batchtopk" {
		s.info.L0 = config.number("top_k")
	}
	s.setHook(config.text("hook_point"))
	if config.flag("input_unit_norm") {
		s.info.Scale += "; input_unit_norm"
	}
	sizes := expected{features: config.size("dict_size"), dModel: config.size("act_size"), source: baseName(path)}
	if config.err != nil {
		return fault.At(opRead, path, config.err)
	}
	s.info.Files = append(s.info.Files, path)
	return s.takeDecoder(file.At(), "W_dec", asIs, sizes)
}
