package model

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// AllLayers as Options.Attention and Options.MLP stands for every block.
const AllLayers = "all"

// BlockLayers are the layers that Options.Attention or Options.MLP asks for, of a model with so many
// blocks: all, or numbers and ranges of them such as 0-3,9. They are ascending, each once.
func BlockLayers(asked string, layers int) ([]int, error) {
	var all []int
	if asked == AllLayers {
		for layer := range layers {
			all = append(all, layer)
		}
		return all, nil
	}
	for part := range strings.SplitSeq(asked, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		first, err := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if err != nil || err2 != nil || first < 0 || last < first || last >= layers {
			return nil, &fault.Error{
				Problem: "layers", Found: fmt.Sprintf("%q", asked),
				Expected: fmt.Sprintf("%s, or layers from 0 to %d, one, a range FIRST-LAST, or several of these with commas between", AllLayers, layers-1),
			}
		}
		for layer := first; layer <= last; layer++ {
			all = append(all, layer)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// blockNames are the tensors that were chosen of a block, by their full names.
type blockNames interface{ tensors() []string }

// neededOfLayers are the tensors that are chosen of the layers that were asked for.
func (c *checkpoint) neededOfLayers(cfg *config, asked string, choose func(layer int) (blockNames, error)) ([]string, error) {
	rules, err := cfg.family(configFile)
	if err != nil {
		return nil, err
	}
	n, err := c.layers(cfg, rules)
	if err != nil {
		return nil, err
	}
	layers, err := BlockLayers(asked, n)
	if err != nil {
		return nil, err
	}
	var needed []string
	for _, layer := range layers {
		chosen, err := choose(layer)
		if err != nil {
			return nil, err
		}
		needed = append(needed, chosen.tensors()...)
	}
	return needed, nil
}

// blockTensors opens tensors of a block, which must not be quantised, and lists the files that
// hold them, each once.
func (c *checkpoint) blockTensors(holders *[]string) func(name string) (*tensor.Tensor, error) {
	return func(name string) (*tensor.Tensor, error) {
		t, err := c.tensor(name)
		if err == nil && t.Encoding == nil {
			err = quantisedBlock(t.Subject, "type "+t.DType)
		}
		if holder := c.holder[name]; err == nil && !slices.Contains(*holders, holder) {
			*holders = append(*holders, holder)
		}
		return t, withDownloadHint(err, BlockInfo{Tensor: name})
	}
}
