package sae

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

// A cross-layer transcoder as circuit-tracer reads it, and mntss publishes it: for the
// features of layer n, W_dec_n.safetensors with W_dec_n [d_sae, layers, d_model],
// whose first decoder is that for layer n itself, and W_enc_n.safetensors, which
// is not needed. Source: circuit_tracer/transcoder/cross_layer_transcoder.py, load_clt.
var circuitTracerCLTFormat = format{
	name:     "circuit-tracer-clt",
	detect:   func(path string) bool { return circuitTracerCLTFile.MatchString(filepath.Base(path)) && isFile(path) },
	parts:    circuitTracerCLTParts,
	openPart: openCircuitTracerCLT,
}

var circuitTracerCLTFile = regexp.MustCompile(`^W_dec_(\d{1,4})\.safetensors$`)

// circuitTracerCLTLayer is the layer whose features a file has.
func circuitTracerCLTLayer(path string) int {
	layer, _ := strconv.Atoi(circuitTracerCLTFile.FindStringSubmatch(filepath.Base(path))[1])
	return layer
}

// circuitTracerCLTName is the decoder's name in the file of the features of a layer.
func circuitTracerCLTName(layer int) string { return "W_dec_" + strconv.Itoa(layer) }

func circuitTracerCLTParts(path string) ([]string, error) {
	from := circuitTracerCLTLayer(path)
	return layerParts(path, circuitTracerCLTName(from), from, from)
}

func openCircuitTracerCLT(path, part string) (SAE, error) {
	from := circuitTracerCLTLayer(path)
	to, err := partLayer(path, part)
	if err != nil {
		return nil, err
	}
	config, files, err := readCircuitTracerConfig(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	sizes, encoder, err := circuitTracerCLTSizes(filepath.Dir(path), from)
	if err != nil {
		return nil, err
	}
	info := Info{
		Path: withPart(path, part), Name: crossLayerPart(from, to), Format: "circuit-tracer-clt", Architecture: "clt",
		Hook: fmt.Sprintf("blocks.%d.%s", to, config.Output), ModelName: config.Model, Files: append(files, encoder...),
	}
	// Neuronpedia has the features of a layer once, whichever layer they write to.
	if slices.Contains(pathElements(path), "clt-gemma-2-2b-2.5M") {
		info.NeuronpediaID = fmt.Sprintf("gemma-2-2b/%d-clt-hp", from)
	}
	return openSafetensors(path, info, func(s *stored, file *tensor.File) error {
		return s.takeLayer(file, circuitTracerCLTName(from), to-from, sizes)
	})
}

// circuitTracerCLTSizes returns what the encoder of a layer's features says of their
// decoder, and its file where there is one.
func circuitTracerCLTSizes(dir string, layer int) (expected, []string, error) {
	path := filepath.Join(dir, fmt.Sprintf("W_enc_%d.safetensors", layer))
	if !isFile(path) {
		return expected{}, nil, nil
	}
	file, err := safetensors.Open(path)
	if err != nil {
		return expected{}, nil, fault.At(opRead, path, err)
	}
	defer file.Close()
	return biasSizes(file, []string{fmt.Sprintf("b_enc_%d", layer)}, []string{fmt.Sprintf("b_dec_%d", layer)}), []string{path}, nil
}
