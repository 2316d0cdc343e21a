package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

func (c *checkpoint) block(kind BlockKind, layer int) (*Block, error) {
	configPath := filepath.Join(c.dir, configFile)
	cfg, err := readConfig(configPath, false)
	if err != nil {
		return nil, err
	}
	b := &Block{info: BlockInfo{Kind: kind, Layer: layer, Files: []string{configPath}}}
	rules, err := c.chooseBlock(&b.info, cfg, configPath)
	if err != nil {
		return nil, err
	}
	if c.index != "" {
		b.info.Files = append(b.info.Files, c.index)
	}
	t, err := c.tensor(b.info.Tensor)
	if err != nil {
		return nil, withDownloadHint(err, b.info)
	}
	if t.Encoding == nil {
		return nil, quantisedBlock(c.holder[b.info.Tensor]+": tensor "+b.info.Tensor, "type "+t.DType)
	}
	matrix := t.Transposed
	if rules.conv1D {
		matrix = t.Matrix
	}
	if b.Matrix, err = matrix(); err != nil {
		return nil, err
	}
	holder := c.holder[b.info.Tensor]
	b.info.DType, b.info.Files, b.file = t.DType, append(b.info.Files, holder), c.opened[holder]
	if err := b.checkWidth(holder, cfg.hiddenSize(), configFile); err != nil {
		return nil, err
	}
	c.close(holder)
	return b, nil
}

// chooseBlock finds a block's tensor by its name alone.
func (c *checkpoint) chooseBlock(info *BlockInfo, cfg *config, configPath string) (*family, error) {
	rules, err := cfg.family(configPath)
	if err != nil {
		return nil, err
	}
	layers := cfg.layers()
	if layers == 0 {
		layers = c.countLayers(rules)
	}
	if layers > 0 { // or else the tensor is missing
		if err := checkLayer(info.Layer, layers); err != nil {
			return nil, err
		}
	}
	name := rules.blockTensor(info.Kind, info.Layer)
	if info.Tensor, err = c.resolve(name); err != nil {
		return nil, err
	}
	if info.Tensor == "" {
		return nil, c.missingInBlock(name, info.Kind, info.Layer)
	}
	info.PostNorm = rules.postNorm
	return rules, nil
}

// missingInBlock is the error of a tensor that a block does not have: the MLP of a
// mixture of experts, the attention of a block without, or weights that are not here.
func (c *checkpoint) missingInBlock(name string, kind BlockKind, layer int) error {
	index := fmt.Sprintf(".%d.", layer)
	block, _, _ := strings.Cut(name, index) // "layers", of "layers.3.mlp.down_proj.weight"
	var inBlock []string
	for full := range c.holder {
		if strings.Contains("."+full, "."+block+index) {
			inBlock = append(inBlock, full)
		}
	}
	slices.Sort(inBlock)
	if f, _ := c.form(name); f.packed || f.quantiser() != "" {
		return quantisedBlock(c.dir+": tensor "+name, tensor.Shortened(inBlock, 0))
	}
	return &fault.Error{
		Subject: c.dir + ": tensor " + name, Problem: "is missing",
		Found: tensor.Shortened(inBlock, len(c.holder)-len(inBlock)), Hint: missingHint(inBlock, kind, layer),
	}
}

// quantisedBlock is the error of a block's matrix that is stored quantised.
func quantisedBlock(subject, found string) error {
	return &fault.Error{
		Subject: subject, Problem: "is quantised", Expected: "values of floats", Found: found,
		Hint: "matrices of blocks are not dequantised: load the checkpoint that this one was made from",
	}
}

func withDownloadHint(err error, info BlockInfo) error {
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return amended(err, func(e *fault.Error) { e.Hint = fmt.Sprintf("tensor %s is in this file: download it too", info.Tensor) })
}

func layersOfCheckpoint(path string) (int, error) {
	c, err := openCheckpoint(path)
	if err != nil {
		return 0, err
	}
	defer c.close()
	configPath := filepath.Join(c.dir, configFile)
	cfg, err := readConfig(configPath, false)
	if err != nil {
		return 0, err
	}
	if n := cfg.layers(); n > 0 {
		return n, nil
	}
	rules, err := cfg.family(configPath)
	if err != nil {
		return 0, err
	}
	return c.layers(cfg, rules)
}

// rulesOfBlock are the rules of the checkpoint's family, which must have a block of this number.
func (c *checkpoint) rulesOfBlock(cfg *config, configPath string, layer int) (*family, error) {
	rules, err := cfg.family(configPath)
	if err != nil {
		return nil, err
	}
	layers, err := c.layers(cfg, rules)
	if err != nil {
		return nil, err
	}
	return rules, checkLayer(layer, layers)
}

// layers is the number of blocks, from the configuration or else from the names of tensors.
func (c *checkpoint) layers(cfg *config, rules *family) (int, error) {
	if n := cfg.layers(); n > 0 {
		return n, nil
	}
	if n := c.countLayers(rules); n > 0 {
		return n, nil
	}
	return 0, c.missingInBlock(rules.blockTensor(AttentionOut, 0), AttentionOut, 0)
}

// maxLayers bounds the search for blocks by name; published models have up to a few hundred.
const maxLayers = 10_000

// countLayers is the number of blocks that have one of the family's tensors.
func (c *checkpoint) countLayers(rules *family) int {
	for n := range maxLayers {
		attention, err := c.resolve(rules.blockTensor(AttentionOut, n))
		if err != nil || attention == "" {
			return n
		}
	}
	return maxLayers
}
