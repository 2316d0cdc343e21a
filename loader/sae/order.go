package sae

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// What one feature writes meets what another reads where the residual stream carries it from
// the one to the other: a direction that is added at a hook point is there at that point and at
// all behind it, and at none before. What attention or an MLP adds holds no earlier feature's
// direction, but what became of it there, which no product of two directions tells.

// A point is where a hook point is in the order of a model.
type point struct {
	block int // -1 before the first, math.MaxInt behind the last
	step  int // within the block
	// added says that what is there is added to the residual stream, not the stream itself.
	added bool
}

// The steps of a block. What attention adds is in the stream from the middle on, and what the
// MLP adds from its end on.
const (
	beforeAttention = iota
	byAttention
	beforeMLP
	byMLP
	afterMLP
)

// Sites, as placeOf cuts them, by what is there. One that is in none of them is known, and not
// where in the order it is.
var sites = []struct {
	inBlock bool
	step    int
	names   []string
}{
	{true, beforeAttention, []string{"hook_resid_pre", "hook_attn_in", "hook_in", "ln1.hook_in", "input", "ln1.hook_normalized", "ln1.hook_out", "attn.hook_in",
		"input_layernorm", "ln_1", "self_attn_layer_norm", "norm_1", "self_attn.input", "attn.input", "attention.input"}},
	{true, beforeMLP, []string{"hook_resid_mid", "hook_mlp_in", "ln2.hook_in", "ln2.hook_normalized", "ln2.hook_out", "mlp.hook_in", "mlp.input",
		"pre_feedforward_layernorm", "ln_2", "norm_2"}},
	{true, afterMLP, []string{"hook_resid_post", "hook_out", ""}},
	{false, beforeAttention, []string{"norm", "ln_f", "final_layernorm", "final_layer_norm", "ln_final.hook_normalized", "ln_final.hook_out", "unembed.hook_in"}},
}

// parallel are the architectures whose attention and MLP read the same stream: what attention
// adds in a block, the MLP of that block does not read.
var parallel = []string{"gptneox", "gptj", "codegen", "phi", "falcon", "cohere"}

// settled is the point by the name that it has in the next block, where it is between two.
func (p point) settled() point {
	if p.step == afterMLP {
		return point{block: p.block + 1, step: beforeAttention}
	}
	return p
}

// pointOf is where a hook point is; known is false where that is not known.
func pointOf(hook string) (at point, known bool) {
	site, found := findPlace(hook)
	if found == nil {
		return at, false
	}
	at.block = HookLayer(hook)
	switch found.What {
	case "embeddings":
		return point{block: -1, added: true}, true
	case "what attention adds to it":
		return point{at.block, byAttention, true}, true
	case "what an MLP adds to it":
		return point{at.block, byMLP, true}, true
	}
	switch found.Space { // mapped to the residual stream when they are loaded
	case AttentionHeads, AttentionValues:
		return point{at.block, byAttention, true}, true
	case MLPActivations:
		return point{at.block, byMLP, true}, true
	}
	for _, s := range sites {
		if s.inBlock == site.inBlock && slices.Contains(s.names, site.site) {
			if !s.inBlock {
				at.block = math.MaxInt
			}
			return point{block: at.block, step: s.step}, true
		}
	}
	return at, false
}

// CheckMeets returns an error that says why what is written at a hook point never meets what is
// read at another, in a model of an architecture: no product of the two stands for anything
// there. It is nil where they meet, and an error where that is not known.
func CheckMeets(write, read, architecture string) error {
	switch {
	case write == "":
		return fmt.Errorf("the files do not say at which hook point it is written")
	case read == "":
		return fmt.Errorf("the files do not say at which hook point it is read")
	case write == read:
		return nil
	}
	from, known := pointOf(write)
	if !known {
		return fmt.Errorf("it is not known where in the order of the model %s is", write)
	}
	to, known := pointOf(read)
	switch {
	case !known:
		return fmt.Errorf("it is not known where in the order of the model %s is", read)
	}
	from, to = from.settled(), to.settled()
	switch {
	case from == to:
		return nil
	case to.added:
		return fmt.Errorf("%s holds what is added there alone, and nothing that is written at %s", read, write)
	case to.block < from.block, to.block == from.block && to.step < from.step:
		return fmt.Errorf("%s is read before %s is written", read, write)
	}
	if to.block == from.block && from.step == byAttention && to.step == beforeMLP {
		called := strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(architecture))
		for _, name := range parallel {
			if strings.HasPrefix(called, name) {
				return fmt.Errorf("in a model of architecture %s, %s does not read what attention adds in its own block", architecture, read)
			}
		}
	}
	return nil
}
