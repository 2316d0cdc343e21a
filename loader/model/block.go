package model

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

const opReadBlock = "read block"

// BlockKind is a matrix by which a block writes to the residual stream.
type BlockKind int

const (
	// AttentionOut is W_O, heads flattened [n_heads·d_head, d_model]: its rows are what
	// the positions of TransformerLens's hook_z write, head by head.
	AttentionOut BlockKind = iota
	// MLPOut is W_out [d_mlp, d_model]: a row is what a neuron of the MLP writes.
	MLPOut
)

func (k BlockKind) String() string {
	if k == AttentionOut {
		return "attention output"
	}
	return "MLP output"
}

// BlockInfo describes a matrix of a block.
type BlockInfo struct {
	Format string // FormatHuggingFace or FormatGGUF
	Kind   BlockKind
	Layer  int
	Tensor string // name on disk
	DType  string // on disk
	DIn    int    // n_heads·d_head, or d_mlp
	DModel int
	// PostNorm: the block normalises its output before it adds it to the residual
	// stream, as Gemma 2 does. That scales it by a number for each token and by the
	// norm's weight: a product with this matrix is then an approximation of what is written.
	PostNorm bool
	Files    []string // whose content decides the matrix
}

// Block is a matrix of a block [d_in, d_model], its values as stored. TransformerLens's
// center_writing_weights would take each row's mean off, which changes nothing in a
// product with a W_U that is centred over d_model. It is safe for concurrent use, but
// for Close.
type Block struct {
	tensor.Matrix
	info BlockInfo
	file io.Closer
}

// Info describes the matrix.
func (b *Block) Info() BlockInfo {
	info := b.info
	info.Files = slices.Clone(info.Files)
	return info
}

// Close closes the file with the matrix, which can then not be read any more.
func (b *Block) Close() error { return b.file.Close() }

// OpenBlock opens a matrix of a model's block layer, of a path that Open takes. A
// layer that is not there, a family that is not known, a mixture of experts for
// MLPOut, and a tensor that is not in the files are errors. The caller closes it.
func OpenBlock(path string, kind BlockKind, layer int) (*Block, error) {
	b, err := opened(path, func(file *gguf.File) (*Block, error) { return blockInGGUF(file, kind, layer) },
		func(c *checkpoint) (*Block, error) { return c.block(kind, layer) })
	if err != nil {
		return nil, fault.At(opReadBlock, path, err)
	}
	b.info.Format = FormatOf(path)
	return b, nil
}

// Layers returns the number of a model's blocks, from its configuration, or where
// that is silent from the names of its tensors.
func Layers(path string) (int, error) {
	layers := layersOfCheckpoint
	if IsGGUF(path) {
		layers = layersOfGGUF
	}
	n, err := layers(path)
	return n, fault.At(opReadBlock, path, err)
}

func (f *family) blockTensor(kind BlockKind, layer int) string {
	if kind == AttentionOut {
		return fmt.Sprintf(f.attentionOut, layer)
	}
	return fmt.Sprintf(f.mlpOut, layer)
}

func checkLayer(layer, layers int) error {
	if layer < 0 || layer >= layers {
		return &fault.Error{Problem: "layer", Expected: fmt.Sprintf("one from 0 to %d", layers-1), Found: fmt.Sprint(layer)}
	}
	return nil
}

// checkWidth takes the shape of the matrix, and holds it against the configuration's
// d_model, which is 0 where it is silent.
func (b *Block) checkWidth(file string, dModel int, configuration string) error {
	b.info.DIn, b.info.DModel = b.Rows(), b.Cols()
	if dModel == 0 || dModel == b.info.DModel {
		return nil
	}
	return &fault.Error{
		Subject:  fmt.Sprintf("%s: tensor %s", file, b.info.Tensor),
		Expected: fmt.Sprintf("%d columns, d_model of %s", dModel, configuration), Found: fmt.Sprintf("[%d, %d]", b.info.DIn, b.info.DModel),
	}
}

// missingHint says why a block may lack a matrix, by the tensors that it has.
func missingHint(inBlock []string, kind BlockKind, layer int) string {
	experts := slices.ContainsFunc(inBlock, func(name string) bool {
		return strings.Contains(name, "expert") || strings.Contains(name, "moe") || strings.Contains(name, "_exps")
	})
	switch {
	case len(inBlock) == 0:
		return "the files hold no weights of blocks: download the whole model"
	case kind == MLPOut && experts:
		return fmt.Sprintf("block %d is a mixture of experts, whose neurons are in several matrices", layer)
	default:
		return fmt.Sprintf("block %d has other parts, or only some of its tensors are here", layer)
	}
}
