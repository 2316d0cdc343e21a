package sae

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/npy"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
	"github.com/saedb/saedb/loader/torch"
)

const opDirections = "read directions"

// ArchitectureDirections is the Architecture of rows that are no SAE: probes,
// steering vectors, output weights of neurons.
const ArchitectureDirections = "directions"

// ArchitectureNeurons is the Architecture of the neurons of a model's MLP.
const ArchitectureNeurons = "mlp_neurons"

// Directions says where directions are that are no SAE's.
type Directions struct {
	Path       string // a .npy, .npz, .safetensors, .pt, .pth or .bin file
	Tensor     string // which of its tensors; the only one, when empty
	Transposed bool   // the tensor is [d_model, n] and not [n, d_model]
	Hook       string // hook point that they write to, empty when unknown
}

// OpenDirections opens a tensor of a file: a matrix [n, d_model] of n directions, or
// a vector [d_model], which is one. Nothing in the file is run. The caller closes it.
func OpenDirections(d Directions) (SAE, error) {
	file, err := openTensors(d.Path)
	if err != nil {
		return nil, fault.At(opDirections, d.Path, err)
	}
	s, err := directionsIn(file, d)
	if err != nil {
		file.Close()
		return nil, fault.At(opDirections, d.Path, err)
	}
	return s, nil
}

// tensorFile are the tensors of an open file, by names that it lists.
type tensorFile interface {
	tensors
	io.Closer
	Names() []string
}

func openTensors(path string) (tensorFile, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".safetensors":
		file, err := safetensors.Open(path)
		if err != nil {
			return nil, err
		}
		return safetensorsIn{file}, nil
	case ".npy", ".npz":
		file, err := npy.Open(path)
		if err != nil {
			return nil, err
		}
		return npyIn{file}, nil
	case ".pt", ".pth", ".bin":
		file, err := torch.Open(path)
		if err != nil {
			return nil, err
		}
		return anywhereIn{file}, nil
	default:
		last := len(tensorEndings) - 1
		return nil, &fault.Error{Expected: "a " + strings.Join(tensorEndings[:last], ", ") + " or " + tensorEndings[last] + " file", Found: fmt.Sprintf("%q", ending)}
	}
}

// anywhereIn are the tensors of a file of torch.save by the names that it lists: the
// keys that lead to each, joined by points, and "" for a file that is a tensor itself.
type anywhereIn struct{ *torch.File }

func (f anywhereIn) Has(name string) bool {
	_, ok := f.Lead(name)
	return ok
}

func (f anywhereIn) find(name string) (storedTensor, string, []int, error) {
	keys, ok := f.Lead(name)
	if !ok {
		keys = []string{name} // Tensor says what there is
	}
	t, err := f.Tensor(keys...)
	if err != nil {
		return nil, "", nil, err
	}
	return t, t.DType, t.Shape, nil
}

func directionsIn(file tensorFile, d Directions) (SAE, error) {
	name := d.Tensor
	if names := file.Names(); name == "" && len(names) == 1 {
		name = names[0]
	} else if name == "" {
		return nil, &fault.Error{
			Expected: "one tensor, or the name of one", Found: tensor.Shortened(names, 0), Hint: "choose one with --tensor",
		}
	}
	s := &stored{close: file.Close, info: Info{
		Path: d.Path, Name: strings.TrimSuffix(baseName(d.Path), filepath.Ext(d.Path)), Format: strings.TrimPrefix(strings.ToLower(filepath.Ext(d.Path)), "."),
		Architecture: ArchitectureDirections, Hook: d.Hook, Layer: HookLayer(d.Hook), Space: hookSpace(d.Hook),
		Scale: scaleAsStored, Files: []string{d.Path},
	}}
	if d.Tensor != "" {
		s.info.Name += "." + d.Tensor
		s.info.Scale += "; tensor " + d.Tensor
	}
	s.subject = d.Path + ": tensor " + name
	t, dtype, shape, err := file.find(name)
	if err != nil {
		return nil, err
	}
	if vector, ok := t.(tensor.Values); ok && len(shape) == 1 && shape[0] > 0 {
		s.setDecoder(tensor.Row(vector, shape[0]), dtype)
		return s, s.checkDecoder(dtype, []int{1, shape[0]}, asIs, expected{})
	}
	return s, s.takeDecoder(file, name, d.Transposed, expected{})
}
