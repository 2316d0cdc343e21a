package sae

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/loader/tensor"
)

// A cross-layer transcoder of Gemma Scope 2 has a file for the features of each
// layer, in a directory below "clt": clt/width_262k_l0_medium/params_layer_3.safetensors.
// Its w_dec [d_sae, n_layers, d_model] has a decoder for every layer of the model;
// those for layers below the features' own are no part of the transcoder. Sources:
// gemma_3_sae_huggingface_loader of SAELens, which adds them all up, and
// load_gemma_scope_2_clt in circuit_tracer/transcoder/cross_layer_transcoder.py.
var gemmaScope2CLTFormat = format{
	name:     "gemma-scope-2-clt",
	detect:   isGemmaScope2CLT,
	parts:    gemmaScope2CLTParts,
	openPart: openGemmaScope2CLT,
}

var gemmaScope2CLTFile = regexp.MustCompile(`(?:^|_)layer_(\d{1,4})(?:_.*)?\.safetensors$`)

func isGemmaScope2CLT(path string) bool {
	return gemmaScope2CLTFile.MatchString(filepath.Base(path)) && slices.Contains(pathElements(path), "clt") && isFile(path)
}

// gemmaScope2CLTLayer is the layer whose features a file has.
func gemmaScope2CLTLayer(path string) int {
	layer, _ := strconv.Atoi(gemmaScope2CLTFile.FindStringSubmatch(filepath.Base(path))[1])
	return layer
}

func gemmaScope2CLTParts(path string) ([]string, error) {
	return layerParts(path, "w_dec", gemmaScope2CLTLayer(path), 0)
}

func openGemmaScope2CLT(path, part string) (SAE, error) {
	elements := pathElements(path)
	config, files, err := readGemmaScope2Config(filepath.Dir(path), elements)
	if err != nil {
		return nil, err
	}
	from := gemmaScope2CLTLayer(path)
	to, err := partLayer(path, part)
	if err != nil {
		return nil, err
	}
	above := lastElements(elements[:len(elements)-1], 2)
	info := Info{
		Path: withPart(path, part), Name: strings.TrimPrefix(above, "clt/") + "/" + crossLayerPart(from, to),
		Format: "gemma-scope-2-clt", Architecture: "clt", Hook: fmt.Sprintf("blocks.%d.hook_mlp_out", to),
		ModelName: config.model, L0: config.l0, Files: files,
	}
	return openSafetensors(path, info, func(s *stored, file *tensor.File) error {
		return s.takeLayer(file, "w_dec", to, biasSizes(file, []string{"b_enc"}, []string{"b_dec"}))
	})
}
