package sae

import (
	"fmt"
	"path/filepath"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// A transcoder as circuit-tracer reads it: a file for each layer, beside a
// configuration for all. mwhanna's transcoders have a misspelt one, or only that
// of the training run. Sources: circuit_tracer/transcoder/single_layer_transcoder.py,
// load_transcoder, and get_mwhanna_transcoder_config_from_hf of SAELens.
var circuitTracerFormat = format{
	name:   "circuit-tracer",
	detect: isCircuitTracer,
	open:   openCircuitTracer,
}

const circuitTracerConfigFile = "config.yaml"

var (
	circuitTracerFile = regexp.MustCompile(`^layer_(\d{1,4})\.safetensors$`)
	// circuitTracerConfigFiles tell the format; only the first is read.
	circuitTracerConfigFiles = []string{circuitTracerConfigFile, "wandb-config.yaml", "wanb-config.yaml"}
)

func isCircuitTracer(path string) bool {
	if !circuitTracerFile.MatchString(filepath.Base(path)) || !isFile(path) {
		return false
	}
	for _, name := range circuitTracerConfigFiles {
		if isFile(filepath.Join(filepath.Dir(path), name)) {
			return true
		}
	}
	return false
}

// openCircuitTracer opens the file of one layer, whose decoder is W_dec [d_sae, d_model].
func openCircuitTracer(path string) (SAE, error) {
	config, files, err := readCircuitTracerConfig(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	layer := circuitTracerFile.FindStringSubmatch(filepath.Base(path))[1]
	info := Info{
		Path: path, Name: "layer_" + layer, Format: "circuit-tracer", Architecture: "transcoder", Hook: fmt.Sprintf("blocks.%s.%s", layer, config.Output),
		InputHook: config.input(layer), ModelName: config.Model, NeuronpediaID: mwhannaNeuronpedia(pathElements(path), layer), Files: files,
	}
	return openSafetensors(path, info, func(s *stored, file *tensor.File) error {
		if file.Has("W_skip") {
			s.info.Architecture = "skip_transcoder"
		}
		if err := s.takeDecoder(file, "W_dec", asIs, biasSizes(file, []string{"b_enc"}, []string{"b_dec"})); err != nil {
			return err
		}
		if s.encoder != nil {
			s.encoder.turned = false // W_enc is [d_sae, d_model] as well
		}
		return nil
	})
}

// circuitTracerConfig is what is used of a config.yaml.
type circuitTracerConfig struct {
	Model  string `yaml:"model_name"`
	Output string `yaml:"feature_output_hook"` // the hook points within a block
	Input  string `yaml:"feature_input_hook"`
}

func (c circuitTracerConfig) input(layer string) string {
	if c.Input == "" {
		return ""
	}
	return fmt.Sprintf("blocks.%s.%s", layer, c.Input)
}

var qwen3Repository = regexp.MustCompile(`^qwen3-(\d+(?:\.\d+)?b)-transcoders(-lowl0)?$`)

// readCircuitTracerConfig reads the configuration in dir and returns it with the
// files that were read. Where there is none, the repository's name gives the model.
func readCircuitTracerConfig(dir string) (circuitTracerConfig, []string, error) {
	var c circuitTracerConfig
	var files []string
	if path := filepath.Join(dir, circuitTracerConfigFile); isFile(path) {
		data, err := readConfig(path, "")
		if err != nil {
			return c, nil, err
		}
		if err := yaml.Unmarshal(data, &c); err != nil {
			return c, nil, &fault.Error{Op: opRead, Subject: path, Expected: "YAML with model_name and feature_output_hook", Err: err}
		}
		files = append(files, path)
	}
	if c.Output == "" {
		c.Output = "hook_mlp_out"
	}
	if match := closest(pathElements(dir), qwen3Repository); c.Model == "" && match != nil {
		c.Model = "Qwen/Qwen3-" + match[1][:len(match[1])-1] + "B"
	}
	return c, files, nil
}

// mwhannaNeuronpedia returns Neuronpedia's name of a transcoder in a repository of
// mwhanna, "" for another. Source: sae_lens/pretrained_saes.yaml of SAELens 6.54.12.
func mwhannaNeuronpedia(elements []string, layer string) string {
	match := closest(elements, qwen3Repository)
	if match == nil {
		return ""
	}
	switch match[1] + match[2] {
	case "4b", "8b", "14b", "14b-lowl0", "1.7b-lowl0", "0.6b-lowl0":
		return fmt.Sprintf("qwen3-%s/%s-transcoder-hp%s", match[1], layer, match[2])
	}
	return ""
}
