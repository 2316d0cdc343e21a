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

// finder finds tensors by their names; missing makes the error of one that is needed and not
// there. After an error it finds none.
type finder struct {
	files   tensors
	missing func(name string) error
	err     error
}

// find writes the full name of a tensor to to, empty where it is not there. An empty name is none.
func (f *finder) find(to *string, name string, needed bool) {
	if f.err != nil || name == "" {
		return
	}
	if *to, f.err = f.files.resolve(name); f.err == nil && *to == "" && needed {
		f.err = f.missing(name)
	}
}

// findNorm writes the first norm of several names that is there; one that is needed and is not
// is missed by the name at the place usual.
func (f *finder) findNorm(to *string, names []string, needed bool, usual int) {
	for _, name := range names {
		if *to == "" {
			f.find(to, name, false)
		}
	}
	if needed && *to == "" {
		f.find(to, names[usual], true)
	}
}

// fold multiplies a row, as stored, with a norm's weights, which are nil where none is folded,
// takes off its mean where it is to be centred, and scales it. It returns the first position at
// which that is not finite, with the stored value, or -1.
func fold(row []float32, norm []float64, centred bool, scale float64) (position int, stored float32) {
	weight := func(i int) float64 {
		if norm == nil {
			return float64(row[i])
		}
		return float64(row[i]) * norm[i]
	}
	var mean float64
	if centred {
		for i := range row {
			mean += weight(i)
		}
		mean /= float64(len(row))
	}
	for i, stored := range row {
		if row[i] = float32((weight(i) - mean) * scale); !finite(row[i]) {
			return i, stored
		}
	}
	return -1, 0
}
