package sae

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/torch"
)

// oldestSAELens is what SAELens saved before version 1, and its predecessor sae_training,
// from which the first published SAEs of GPT-2 small are, and its transcoders: a dictionary of
// the trainer's configuration, an object of a class of its own, and of the state_dict. The
// logarithms of the features' frequencies may be in a file of their own.
// Sources: save_model in sae_training/sparse_autoencoder.py of SAELens's first months, and
// train_transcoder.py of jacobdunefsky/transcoder_circuits.
var oldestSAELens = checkpoint{
	name: "saelens-pickle",
	has: func(_ string, file *torch.File) bool {
		return file.At().Has("cfg") && hasMatrices(file.At("state_dict"), "W_dec")
	},
	take: (*stored).takeOldestSAELens,
}

// attributes reads what is set on an object, and keeps the first error, as settings does.
type attributes struct {
	file *torch.File
	keys []string // that lead to the object
	err  error
}

// read returns an attribute of the wanted type, and its zero value where there is none, or None.
func read[T any](a *attributes, name string) (value T) {
	found, ok := a.file.Attribute(name, a.keys...)
	if !ok || found == nil {
		return value
	}
	if value, ok = found.(T); !ok && a.err == nil {
		a.err = &fault.Error{Problem: strings.Join(a.keys, ".") + "." + name, Expected: fmt.Sprintf("a value of type %T", value), Found: fmt.Sprint(found)}
	}
	return value
}

// takeOldestSAELens takes W_dec [d_sae, d_model], times the factors of finetuning where there
// are any: in these versions they are a part of every decoder.
func (s *stored) takeOldestSAELens(path string, file *torch.File) error {
	cfg := &attributes{file: file, keys: []string{"cfg"}}
	hook, width := "hook_point", "d_in"
	if read[bool](cfg, "is_transcoder") {
		s.info.Architecture = "transcoder"
		hook, width = "out_hook_point", "d_out"
		s.info.InputHook = read[string](cfg, "hook_point")
	}
	s.setHook(read[string](cfg, hook))
	s.info.ModelName = read[string](cfg, "model_name")
	sizes := expected{features: int(read[int64](cfg, "d_sae")), dModel: int(read[int64](cfg, width)), source: "cfg"}
	if cfg.err != nil {
		return fault.At(opRead, path, cfg.err)
	}
	state := file.At("state_dict")
	if err := s.takeDecoder(state, "W_dec", asIs, sizes); err != nil {
		return err
	}
	if frequencies := strings.TrimSuffix(path, ".pt") + "_log_feature_sparsity.pt"; isFile(frequencies) {
		s.info.Files = append(s.info.Files, frequencies)
		s.sparsity = func() ([]float32, error) { return s.readLogFeatureSparsity(frequencies) }
	}
	if !state.Has("scaling_factor") {
		return nil
	}
	factors, err := s.onePerFeature(state, "scaling_factor")
	if err != nil || allNearOne(factors) {
		return err
	}
	s.scaling = factors
	s.info.Scale += "; scaling_factor applied"
	return checkFinite(file.Subject("scaling_factor"), 0, factors, 1)
}

// readLogFeatureSparsity reads a file that is one tensor [d_sae].
func (s *stored) readLogFeatureSparsity(path string) ([]float32, error) {
	file, err := torch.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	defer file.Close()
	values, err := s.onePerFeature(file.File, "")
	if err != nil {
		return nil, err
	}
	return values, toLogSparsity(path, values)
}
