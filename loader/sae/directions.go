package sae

import (
	"fmt"
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
	return s, fault.At(opDirections, d.Path, err)
}

// openTensors opens a file of tensors by its ending.
func openTensors(path string) (*tensor.File, error) {
	switch ending := strings.ToLower(filepath.Ext(path)); ending {
	case ".safetensors":
		return safetensors.Open(path)
	case ".npy", ".npz":
		return npy.Open(path)
	case ".pt", ".pth", ".bin":
		file, err := torch.Open(path)
		if err != nil {
			return nil, err
		}
		return file.File, nil
	default:
		last := len(tensorEndings) - 1
		return nil, &fault.Error{Expected: "a " + strings.Join(tensorEndings[:last], ", ") + " or " + tensorEndings[last] + " file", Found: fmt.Sprintf("%q", ending)}
	}
}

func directionsIn(file *tensor.File, d Directions) (SAE, error) {
	name := d.Tensor
	if names := file.Names(); name == "" && len(names) == 1 {
		name = names[0]
	} else if name == "" {
		file.Close()
		return nil, &fault.Error{
			Expected: "one tensor, or the name of one", Found: tensor.Shortened(names, 0), Hint: "choose one with --tensor",
		}
	}
	info := Info{
		Path: d.Path, Name: strings.TrimSuffix(baseName(d.Path), filepath.Ext(d.Path)), Format: strings.TrimPrefix(strings.ToLower(filepath.Ext(d.Path)), "."),
		Architecture: ArchitectureDirections, Hook: d.Hook, Scale: scaleAsStored, Files: []string{d.Path},
	}
	if d.Tensor != "" {
		info.Name += "." + d.Tensor
		info.Scale += "; tensor " + d.Tensor
	}
	return taken(file, info, func(s *stored) error {
		s.subject = file.Subject(name)
		t, err := file.Tensor(name)
		if err != nil {
			return err
		}
		if len(t.Shape) != 1 || t.Shape[0] == 0 {
			return s.takeDecoder(file, name, d.Transposed, expected{})
		}
		if err := s.checkDecoder(t, []int{1, t.Shape[0]}, asIs, expected{}); err != nil {
			return err
		}
		row, err := t.Row()
		return s.setDecoder(row, t.DType, err)
	})
}
