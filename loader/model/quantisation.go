package model

import (
	"encoding/json"
	"strings"
)

// quantisation is what a config.json says about how a model was quantised.
type quantisation struct {
	method    string // quant_method, in lower case; empty where there is none
	format    string // of GPTQ: gptq, gptq_v2, marlin, …; empty where it is silent
	version   string // of AWQ: gemm, gemv, …
	bits      int    // 0 where it is silent
	groupSize int    // columns that share a scale: -1 is all of them, 0 is not said
	block     []int  // rows and columns that share a scale of FP8; nil where it is not said
}

// quantisation reads quantization_config, of the model or of its language model's part. A
// value of another type than its library writes is as one that is not there.
func (c *config) quantisation() quantisation {
	fields := firstObject(c.Quantisation, c.Compression)
	if part := c.part(); fields == nil && part != nil {
		return part.quantisation()
	}
	lower := func(names ...string) string { return strings.ToLower(setting[string](fields, names...)) }
	q := quantisation{
		method: lower("quant_method"), format: lower("checkpoint_format", "format"), version: lower("version"),
		bits: setting[int](fields, "bits", "w_bit"), groupSize: setting[int](fields, "group_size", "q_group_size"),
		block: setting[[]int](fields, "weight_block_size"),
	}
	if setting[bool](fields, "is_marlin_format") {
		q.format = "marlin"
	}
	// Of compressed-tensors, where each group of layers has settings of its own. Only what
	// all of them agree on is known of the head.
	groups := setting[map[string]struct {
		Weights map[string]json.RawMessage `json:"weights"`
	}](fields, "config_groups")
	if len(groups) == 1 {
		for _, group := range groups {
			q.block = setting[[]int](group.Weights, "block_structure")
			q.groupSize = setting[int](group.Weights, "group_size")
		}
	}
	return q
}

// firstObject is the first of the values that is an object, or nil.
func firstObject(values ...json.RawMessage) map[string]json.RawMessage {
	for _, raw := range values {
		var fields map[string]json.RawMessage
		if json.Unmarshal(raw, &fields) == nil && fields != nil {
			return fields
		}
	}
	return nil
}

// setting is the first of the named fields that has a value of type T, or else the zero value.
func setting[T any](fields map[string]json.RawMessage, names ...string) T {
	for _, name := range names {
		var value T
		if raw, there := fields[name]; there && string(raw) != "null" && json.Unmarshal(raw, &value) == nil {
			return value
		}
	}
	var none T
	return none
}
