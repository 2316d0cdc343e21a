package sae

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// The points of a block where what is written is in the residual stream as it leaves the block, and
// as it enters it.
const (
	leaves = "hook_resid_post"
	enters = "hook_resid_pre"
)

// lensSites has for a point of a block whether what is written there is what leaves the block or
// what enters it. What an MLP adds leaves the block as it is. Sources: the forward passes of
// TransformerLens's TransformerBlock and of transformers' decoder layers.
var lensSites = map[string]string{
	"hook_resid_post": leaves, "hook_out": leaves, "": leaves,
	"hook_resid_pre": enters, "hook_in": enters, "input": enters,
}

// LensLayer is the block behind which a direction lies that is written to a hook point, -1 before
// the first: where a lens takes it up. Where other parts of the block read it first, as behind
// attention, or it is not known, there is no such block, and that is an error.
func LensLayer(hook string) (layer int, err error) {
	at, found := findPlace(hook)
	layer = HookLayer(hook)
	switch {
	case hook == "":
		return 0, refusedLens(hook, "directions whose hook point is not known")
	case found == nil || layer < 0 || !at.inBlock:
		return 0, refusedLens(hook, "one that is not known to be of a block's input or output")
	case found.What == addedByMLP || found.Space == MLPActivations:
		return layer, nil
	}
	switch site, known := lensSites[at.site]; {
	case known && site == leaves:
		return layer, nil
	case known:
		return layer - 1, nil
	case found.What == addedByAttention || found.Space == AttentionHeads || found.Space == AttentionValues:
		return 0, refusedLens(hook, "one within a block, whose MLP reads what attention writes")
	case strings.HasSuffix(at.site, "resid_mid"):
		return 0, refusedLens(hook, "one within a block, before its MLP")
	}
	return 0, refusedLens(hook, found.What)
}

func refusedLens(hook, found string) error {
	return &fault.Error{
		Subject: fmt.Sprintf("hook point %q", hook), Expected: "one where a lens begins: the input of a block (hook_resid_pre), its output (hook_resid_post), or what its MLP adds (hook_mlp_out)", Found: found,
	}
}
