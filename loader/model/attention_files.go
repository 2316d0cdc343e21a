package model

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

// Metadata keys of GGUF, after the architecture.
const (
	ggufHeadsKey   = ".attention.head_count"
	ggufKVHeadsKey = ".attention.head_count_kv"
)

func (c *checkpoint) attention(layer int, o Options) (*Attention, error) {
	cfg, configPath, err := c.config(o)
	if err != nil {
		return nil, err
	}
	chosen, err := c.chooseAttention(cfg, configPath, layer)
	if err != nil {
		return nil, err
	}
	a := &Attention{}
	var holders []string
	if err = a.openHeads(chosen, o, cfg.heads(), cfg.kvHeads(), cfg.headWidth(), c.blockTensors(&holders)); err != nil {
		return nil, err
	}
	a.info.Files, a.files = append([]string{configPath}, holders...), c.closers(holders)
	if d := cfg.hiddenSize(); d != 0 && d != a.info.DModel {
		return nil, &fault.Error{
			Subject: a.parts[Outputs].subject, Expected: fmt.Sprintf("%d columns, d_model of %s", d, configFile), Found: fmt.Sprint(a.info.DModel),
		}
	}
	c.close(a.info.Files...)
	return a, nil
}

// chooseAttention finds the tensors of a block's heads by their names alone.
func (c *checkpoint) chooseAttention(cfg *config, configPath string, layer int) (chosenAttention, error) {
	var none chosenAttention
	names, err := attentionOf(func(a *attentionNames) []string { return a.modelTypes }, cfg.knownType(), configPath, "model_type")
	if err != nil {
		return none, err
	}
	rules, err := c.rulesOfBlock(cfg, configPath, layer)
	if err != nil {
		return none, err
	}
	chosen, err := chooseAttention(c, rules, names.inBlock(layer), rules.blockTensor(AttentionOut, layer), func(name string) error { return c.missingInBlock(name, AttentionOut, layer) })
	if err != nil {
		return none, err
	}
	chosen.outTransposed = rules.conv1D
	module := cutLast(chosen.o, 2)
	var inside []string
	for full := range c.holder {
		if strings.HasPrefix(full, module+".") {
			inside = append(inside, full)
		}
	}
	for _, name := range chosen.tensors() {
		if f := (form{tensor: name, parts: c.partsAt(strings.TrimSuffix(name, "."+weightEnding))}); len(f.names()) > 1 || f.quantiser() != "" {
			return none, quantisedBlock(c.dir+": tensor "+name, tensor.Shortened(inside, 0))
		}
	}
	return chosen, chosen.checkOthers(c.dir, inside)
}

// cutLast takes the last n parts off a name.
func cutLast(name string, n int) string {
	for range n {
		name = name[:max(0, strings.LastIndexByte(name, '.'))]
	}
	return name
}

// neededForAttention are the tensors that OpenAttention needs of the layers that o asks for.
func (c *checkpoint) neededForAttention(cfg *config, o Options) ([]string, error) {
	return c.neededOfLayers(cfg, o.Attention, func(layer int) (blockNames, error) { return c.chooseAttention(cfg, configFile, layer) })
}

func headsInGGUF(file *gguf.File, layer int, o Options) (*Attention, error) {
	architecture, _ := file.String(ggufArchKey)
	names, err := attentionOf(func(a *attentionNames) []string { return a.architectures }, architecture, file.Path(), ggufArchKey)
	if err != nil {
		return nil, err
	}
	known, err := familyWithBlock(file, architecture, layer)
	if err != nil {
		return nil, err
	}
	rules, inGGUF := known.inGGUF(), ggufAttention
	inGGUF.noNorm = names.noNorm
	chosen, err := chooseAttention(ggufTensors{file}, rules, inGGUF.inBlock(layer), fmt.Sprintf(ggufAttentionOut, layer), missingInGGUF(file, AttentionOut, layer))
	if err != nil {
		return nil, err
	}
	var inside []string
	for _, name := range file.Names() {
		other := slices.Contains(inGGUF.inBlock(layer).norms, name) || strings.Contains(name, ".attn_sinks.")
		if strings.HasPrefix(name, fmt.Sprintf("blk.%d.attn_", layer)) && !other {
			inside = append(inside, name)
		}
	}
	if err := chosen.checkOthers(file.Path(), inside); err != nil {
		return nil, err
	}
	heads, _ := file.Int(architecture + ggufHeadsKey)
	kvHeads, _ := file.Int(architecture + ggufKVHeadsKey)
	a := &Attention{files: file}
	a.info.Files = []string{file.Path()}
	return a, a.openHeads(chosen, o, int(heads), int(kvHeads), 0, file.Tensor)
}
