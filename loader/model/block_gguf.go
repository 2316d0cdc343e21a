package model

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
)

// Names of a block's tensors and of its metadata in GGUF, the same for all
// architectures. Converters turn the weights of GPT-2's Conv1D to those of linear layers.
const (
	ggufAttentionOut = "blk.%d.attn_output.weight"
	ggufMLPOut       = "blk.%d.ffn_down.weight"
	ggufLayersKey    = ".block_count"
)

// familyWithBlock is the family of an architecture, of a file that has a block of that number.
func familyWithBlock(file *gguf.File, architecture string, layer int) (*family, error) {
	rules, err := lookUp(byArchitecture, architecture, file.Path(), ggufArchKey)
	if err != nil {
		return nil, err
	}
	layers, err := blocksInGGUF(file)
	if err == nil {
		err = checkLayer(layer, layers)
	}
	return rules, err
}

func blockInGGUF(file *gguf.File, kind BlockKind, layer int) (*Block, error) {
	architecture, _ := file.String(ggufArchKey)
	rules, err := familyWithBlock(file, architecture, layer)
	if err != nil {
		return nil, err
	}
	format := ggufAttentionOut
	if kind == MLPOut {
		format = ggufMLPOut
	}
	b := &Block{file: file, info: BlockInfo{
		Kind: kind, Layer: layer, Tensor: fmt.Sprintf(format, layer), PostNorm: rules.postNorm, Files: []string{file.Path()},
	}}
	t, err := file.Tensor(b.info.Tensor)
	if err != nil {
		return nil, ggufMissingInBlock(file, err, kind, layer)
	}
	b.info.DType = t.DType
	if b.Matrix, err = t.Transposed(); err != nil {
		return nil, err
	}
	dModel, _ := file.Int(architecture + ggufDModelKey)
	return b, b.checkWidth(file.Path(), int(dModel), "the metadata")
}

// missingInGGUF makes the error of a tensor of a block that is not there.
func missingInGGUF(file *gguf.File, kind BlockKind, layer int) func(name string) error {
	return func(name string) error {
		_, err := file.Tensor(name)
		return ggufMissingInBlock(file, err, kind, layer)
	}
}

func ggufMissingInBlock(file *gguf.File, err error, kind BlockKind, layer int) error {
	var inBlock []string
	for _, name := range []string{"attn_output", "attn_norm", "attn_q", "attn_qkv", "ffn_down", "ffn_up", "ffn_down_exps", "ffn_up_exps"} {
		if name = fmt.Sprintf("blk.%d.%s.weight", layer, name); file.Has(name) {
			inBlock = append(inBlock, name)
		}
	}
	return amended(err, func(e *fault.Error) { e.Hint = missingHint(inBlock, kind, layer) })
}

func layersOfGGUF(path string) (int, error) {
	file, err := gguf.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return blocksInGGUF(file)
}

func blocksInGGUF(file *gguf.File) (int, error) {
	architecture, _ := file.String(ggufArchKey)
	n, ok := file.Int(architecture + ggufLayersKey)
	if !ok || n <= 0 || n > maxLayers {
		return 0, &fault.Error{
			Subject: file.Path() + ": " + architecture + ggufLayersKey, Expected: fmt.Sprintf("a number from 1 to %d", maxLayers), Found: fmt.Sprint(n),
		}
	}
	return int(n), nil
}
