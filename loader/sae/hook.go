package sae

import (
	"regexp"
	"strconv"
	"strings"
)

// What the columns of a W_dec stand for. Only a decoder in the residual stream
// can be multiplied with the unembedding; others need the model's W_O or W_out between.
const (
	ResidualStream = "residual stream"
	AttentionHeads = "attention heads (hook_z)"
	MLPActivations = "MLP activations"
)

var blockIndex = regexp.MustCompile(`\.(\d+)(?:\.|$)`)

// HookLayer returns the index of the block in a hook point's name, as in
// "blocks.30.hook_resid_post" or "model.layers.30", and -1 when it names none.
// The first number counts, as in sae_lens/util.py of SAELens.
func HookLayer(hook string) int {
	match := blockIndex.FindStringSubmatch(hook)
	if match == nil {
		return -1
	}
	layer, err := strconv.ParseInt(match[1], 10, 32)
	if err != nil {
		return -1
	}
	return int(layer)
}

// hookSpace returns the space of a decoder that writes to a hook point.
// The order matters: "hook_resid_pre" holds a "pre" and is no MLP activation.
// Source: to_resid_direction in transformer_lens_wrapper.py of SAEDashboard.
func hookSpace(hook string) string {
	holds := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(hook, part) {
				return true
			}
		}
		return false
	}
	switch {
	case holds("resid", "_out", "hook_mlp_in", "mlp.hook_in", "hook_normalized"):
		return ResidualStream
	case holds("hook_z"):
		return AttentionHeads
	case holds("hook_pre", "hook_post"):
		return MLPActivations
	default:
		return ResidualStream // "hook_embed", or a module path like "model.layers.7"
	}
}
