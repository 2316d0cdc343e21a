package sae

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

// The features of one layer of a cross-layer transcoder write to that layer and to
// those behind it, to each by a decoder of its own: an SAE that is the part
// "layer_N" of its file. Their sum, as SAELens takes it, is no direction that
// anything in the model reads.

// outputLayers returns how many decoders are in a tensor [d_sae, layers, d_model].
func outputLayers(file *tensor.File, name string) (int, error) {
	subject := file.Subject(name)
	t, err := file.Tensor(name)
	if err != nil {
		return 0, fault.At(opRead, subject, err)
	}
	if len(t.Shape) != 3 || t.Shape[1] < 1 || t.Shape[1] > maxHookPoints {
		return 0, &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("shape [d_sae, layers, d_model] with 1 to %d layers", maxHookPoints),
			Found: fmt.Sprint(t.Shape),
		}
	}
	return t.Shape[1], nil
}

// takeLayer takes the decoder for one of the layers of a tensor [d_sae, layers, d_model].
func (s *stored) takeLayer(file *tensor.File, name string, layer int, sizes expected) error {
	layers, err := outputLayers(file, name)
	if err != nil {
		return err
	}
	return s.takeSlice(file, name, 1, layer, layers, sizes)
}

// layerParts names the parts of path for the layers that the features of layer from write to.
// The first decoder of the tensor name is that for layer first.
func layerParts(path, name string, from, first int) ([]string, error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	defer file.Close()
	layers, err := outputLayers(file, name)
	if err != nil {
		return nil, err
	}
	to := first + layers
	if from >= to {
		return nil, &fault.Error{Op: opRead, Subject: path, Expected: fmt.Sprintf("a decoder for layer %d", from), Found: fmt.Sprintf("those for %d layers", to)}
	}
	var parts []string
	for layer := from; layer < to; layer++ {
		parts = append(parts, "layer_"+strconv.Itoa(layer))
	}
	return parts, nil
}

// partLayer is the layer of a part.
func partLayer(path, part string) (int, error) {
	layer, err := strconv.Atoi(strings.TrimPrefix(part, "layer_"))
	if err != nil {
		return 0, &fault.Error{Op: opRead, Subject: path, Expected: "a part named layer_N", Found: part}
	}
	return layer, nil
}
