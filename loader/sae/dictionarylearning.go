package sae

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

// The files of a dictionary as saprmarks/dictionary_learning writes it, in a
// directory named after the trainer, below that of the submodule. Checkpoints of a
// run are single files, ae_STEP.pt, in that directory or below it.
// Source: dictionary_learning/dictionary.py, training.py and trainers/.
const (
	dictionaryLearning           = "dictionary-learning"
	dictionaryLearningConfigFile = "config.json"
	dictionaryLearningWeights    = "ae.pt"
)

var dictionaryLearningFormat = format{
	name:   dictionaryLearning,
	detect: detectDictionaryLearning,
	open:   openDictionaryLearning,
}

// dictionaryLearningFile is a single file of the same tensors.
var dictionaryLearningFile = checkpoint{
	name: dictionaryLearning,
	has: func(path string, file *torch.File) bool {
		return hasDictionary(dictionaryState(file), dictionaryConfigOf(path) != "" || dictionaryDirectory(path) != nil)
	},
	take: func(s *stored, path string, file *torch.File) error {
		return s.takeDictionary(path, dictionaryConfigOf(path), file)
	},
}

// detectDictionaryLearning takes a directory by the configuration of its trainer,
// or looks into the file where there is none.
func detectDictionaryLearning(path string) bool {
	weights := filepath.Join(path, dictionaryLearningWeights)
	if !isFile(weights) {
		return false
	}
	if isDictionaryConfig(filepath.Join(path, dictionaryLearningConfigFile)) {
		return true
	}
	file, err := torch.Open(weights)
	if err != nil {
		return false
	}
	defer file.Close()
	return hasDictionary(dictionaryState(file), dictionaryDirectory(path) != nil)
}

func openDictionaryLearning(dir string) (SAE, error) {
	weights := filepath.Join(dir, dictionaryLearningWeights)
	file, err := torch.Open(weights)
	if err != nil {
		return nil, fault.At(opRead, weights, err)
	}
	config := filepath.Join(dir, dictionaryLearningConfigFile)
	if !isFile(config) {
		config = ""
	}
	take := func(s *stored, dir string, file *torch.File) error { return s.takeDictionary(dir, config, file) }
	return takeCheckpoint(dictionaryLearning, take, dir, "", file)
}

// dictionaryState returns the tensors of the dictionary. A run that was
// interrupted leaves them under "ae", beside its step and optimizer.
func dictionaryState(file *torch.File) *tensor.File {
	if len(file.Keys("ae")) > 0 {
		return file.At("ae")
	}
	return file.At()
}

// hasDictionary reports whether the tensors are those of a dictionary of one of
// the library's classes. Some are only two linear layers or matrices, which takes
// more to know than the tensors: a configuration, or a directory's name.
func hasDictionary(tensors *tensor.File, configured bool) bool {
	if hasMatrices(tensors, "encoder.weight", "decoder.weight") {
		return configured || slices.ContainsFunc([]string{"bias", "b_dec", "decoder_bias"}, func(name string) bool { return hasVectors(tensors, name) })
	}
	return hasMatrices(tensors, "W_enc", "W_dec") && hasVectors(tensors, "b_enc", "b_dec") && (configured || tensors.Has("threshold"))
}

// isDictionaryConfig reports whether path is the configuration of a trainer.
func isDictionaryConfig(path string) bool {
	if !isFile(path) {
		return false
	}
	config, err := readSettings(path, "")
	return err == nil && config.values["trainer"] != nil
}

// dictionaryConfigOf returns the configuration of a single file, "" when there is
// none: checkpoints lie beside it, or in a directory beside it.
func dictionaryConfigOf(path string) string {
	for _, dir := range []string{filepath.Dir(path), filepath.Join(filepath.Dir(path), "..")} {
		if config := filepath.Join(dir, dictionaryLearningConfigFile); isDictionaryConfig(config) {
			return config
		}
	}
	return ""
}

// takeDictionary takes the decoder of path: decoder.weight [d_model, d_sae], or
// W_dec [d_sae, d_model]. The configuration may be "".
func (s *stored) takeDictionary(path, config string, file *torch.File) error {
	trainer := &settings{}
	if config != "" {
		all, err := readSettings(config, "")
		if err != nil {
			return err
		}
		trainer = all.object("trainer")
		s.info.Files = append(s.info.Files, config)
		if all.err != nil {
			return fault.At(opRead, config, all.err)
		}
	}
	tensors := dictionaryState(file)
	s.info.Name = s.dictionaryName(path)
	s.info.Architecture = dictionaryArchitecture(trainer.text("dict_class"), tensors)
	s.info.ModelName = trainer.text("lm_name")
	s.takeDictionaryHook(trainer, path)
	sizes := biasSizes(tensors, []string{"encoder.bias", "b_enc", "gate_bias"}, []string{"b_dec", "bias", "decoder_bias", "decoder.bias"})
	if features, dModel := trainer.count("dict_size"), trainer.count("activation_dim"); features > 0 && dModel > 0 {
		sizes = expected{features: features, dModel: dModel, source: dictionaryLearningConfigFile}
	}
	if trainer.err != nil {
		return fault.At(opRead, config, trainer.err)
	}
	if tensors.Has("W_dec") {
		return s.takeDecoder(tensors, "W_dec", asIs, sizes)
	}
	return s.takeDecoder(tensors, "decoder.weight", transposed, sizes)
}

// dictionaryClasses are the architectures by the names of their classes.
var dictionaryClasses = map[string]string{
	"AutoEncoder":            "standard",
	"AutoEncoderNew":         "standard",
	"GatedAutoEncoder":       "gated",
	"JumpReluAutoEncoder":    "jumprelu",
	"AutoEncoderTopK":        "topk",
	"BatchTopKSAE":           "batchtopk",
	"MatryoshkaBatchTopKSAE": "matryoshka_batchtopk",
}

// dictionaryArchitecture names the architecture of a class, and without one what
// the tensors tell.
func dictionaryArchitecture(class string, tensors *tensor.File) string {
	switch name := dictionaryClasses[class]; {
	case name != "":
		return name
	case class != "":
		return class
	case tensors.Has("group_sizes"):
		return "matryoshka_batchtopk"
	case tensors.Has("r_mag"):
		return "gated"
	case tensors.Has("k"):
		return "topk"
	case tensors.Has("threshold"):
		return "jumprelu"
	default:
		return "standard"
	}
}

var dictionarySubmodule = regexp.MustCompile(`(resid_pre|resid_mid|resid_post|resid_out|mlp_out|attn_out)_layer_?(\d+)`)

// dictionaryHooks are the hook points of submodules within a block.
var dictionaryHooks = map[string]string{
	"resid_pre": "hook_resid_pre", "resid_mid": "hook_resid_mid", "resid_post": "hook_resid_post", "resid_out": "hook_resid_post",
	"mlp_out": "hook_mlp_out", "attn_out": "hook_attn_out",
}

// takeDictionaryHook finds the hook point: that of the submodule that the trainer
// or a directory names, at the trainer's layer. A submodule of another name keeps
// it. A layer alone is taken for the residual stream after it, as SAELens does.
func (s *stored) takeDictionaryHook(trainer *settings, path string) {
	submodule := trainer.text("submodule_name")
	layer := ""
	if string(trainer.values["layer"]) != "null" && trainer.values["layer"] != nil {
		layer = fmt.Sprint(trainer.count("layer"))
	}
	match := dictionarySubmodule.FindStringSubmatch(submodule)
	if submodule == "" {
		match = dictionaryDirectory(path)
	}
	switch {
	case match != nil:
		if layer == "" {
			layer = match[2]
		}
		s.setHook("blocks." + layer + "." + dictionaryHooks[match[1]])
	case submodule != "":
		s.setHook(submodule)
		if s.info.Layer < 0 && layer != "" {
			s.info.Layer = trainer.count("layer")
		}
	default:
		s.setLayer(layer)
	}
}

// dictionaryDirectory returns the match of the nearest directory that names a submodule.
func dictionaryDirectory(path string) []string {
	for _, name := range append([]string{baseName(path)}, above(path, 3)...) {
		if match := dictionarySubmodule.FindStringSubmatch(name); match != nil {
			return match
		}
	}
	return nil
}

// dictionaryName is the name of the SAE: trainers of all layers have the same
// ones, so that of the submodule's directory goes before.
func (s *stored) dictionaryName(path string) string {
	if parent := above(path, 1); len(parent) == 1 && dictionarySubmodule.MatchString(parent[0]) {
		return parent[0] + "/" + s.info.Name
	}
	return s.info.Name
}
