package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// form is how a checkpoint stores a matrix: as one tensor, or quantised, as several whose
// names begin alike.
type form struct {
	tensor  string            // full name of the tensor with its values, or their codes; empty for none
	parts   map[string]string // full names of it and those beside it, by what follows the name that all begin with
	packed  bool              // the tensor holds the codes of GPTQ or AWQ
	subject string            // file and tensor, in errors, once it is open
}

// Endings of the tensors that a quantised matrix is read from. Sources: QuantLinear of
// AutoGPTQ and GPTQModel, WQLinear_GEMM of AutoAWQ, and for weight_scale and
// weight_scale_inv compressed-tensors, FBGEMM, ModelOpt and the checkpoints of DeepSeek V3.
const (
	codesEnding       = "qweight"
	zerosEnding       = "qzeros"
	scalesEnding      = "scales"
	groupsEnding      = "g_idx"
	weightEnding      = "weight"
	scaleEnding       = "weight_scale"
	inverseEnding     = "weight_scale_inv" // in spite of its name it is multiplied with
	zeroPointEnding   = "weight_zero_point"
	biasEnding        = "bias"
	blocksEnding      = "_blocks"
	blockScalesEnding = "_scales"
)

// quantisers are the libraries and formats that are told by a tensor's ending and not
// read, the most particular first.
var quantisers = []struct {
	name    string
	endings []string
}{
	{"bitsandbytes, 4 bits", []string{
		"weight.absmax", "weight.quant_map", "weight.nested_absmax", "weight.nested_quant_map",
		"weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__fp4", "absmax", "quant_map",
	}},
	{"bitsandbytes, 8 bits", []string{"SCB", "weight.SCB", "weight_format"}},
	{"compressed-tensors, packed", []string{"weight_packed"}},
	{"NVFP4 of ModelOpt", []string{"weight_scale_2"}},
	{"MXFP4", []string{blocksEnding, blockScalesEnding, "blocks", "weight_blocks", "weight_scales"}},
	{"EXL2", []string{"q_weight", "q_scale", "q_scale_max", "q_groups", "q_group_map", "q_invperm", "q_perm"}},
	{"EXL3", []string{"trellis", "suh", "svh", "su", "sv", "mcg", "mul1"}},
	{"HQQ", []string{"W_q"}},
	{"AQLM", []string{"codes", "codebooks"}},
	{"QuIP#", []string{"Qidxs"}},
	{"VPTQ", []string{"indices", "centroids.weight"}},
	{"QQQ", []string{"s_channel", "s_group"}},
	{"Marlin", []string{"B"}},
	{"MLX", []string{"biases"}},
	{"quanto", []string{"weight._data", "weight._scale"}},
}

// quantisedHint says what to do about a matrix that is quantised in a form that is not read.
const quantisedHint = "load the checkpoint that this one was made from, or one whose head is left as it was; FP8 with its scales, " +
	"and GPTQ and AWQ of 4 bits, are dequantised"

// quantisedError is the error of a quantised matrix that is not read. How says with what,
// and found which of its tensors are there.
func (c *checkpoint) quantisedError(name, how string, found []string) error {
	slices.Sort(found)
	return &fault.Error{
		Subject: c.dir + ": tensor " + name, Problem: "it is quantised (" + how + ")",
		Expected: name + " of floats", Found: strings.Join(found[:min(len(found), 8)], ", "), Hint: quantisedHint, Err: errNoUnembedding,
	}
}

// form finds out how the matrix that a family calls name is stored, from the names of the
// tensors alone. One that is quantised and not read is an error.
func (c *checkpoint) form(name string) (form, error) {
	full, err := c.resolve(name)
	if err != nil {
		return form{}, err
	}
	at := strings.LastIndexByte(cmp.Or(full, name), '.')
	if at < 0 {
		return form{tensor: full}, nil
	}
	f := form{tensor: full}
	switch ending := cmp.Or(full, name)[at+1:]; {
	case full == "":
		f.parts, err = c.partsOf(name[:at])
	case ending == weightEnding || ending == codesEnding:
		f.parts = c.partsAt(full[:at])
	}
	if err != nil || len(f.parts) == 0 {
		return f, err
	}
	if codes := f.parts[codesEnding]; codes != "" && (full == "" || full == codes) {
		f.tensor, f.packed = codes, true
	}
	return f, c.refuseOthers(name, f)
}

// quantiser is which of quantisers stored the form, or "".
func (f form) quantiser() string {
	for _, q := range quantisers {
		if slices.ContainsFunc(q.endings, func(ending string) bool { return f.parts[ending] != "" }) {
			return q.name
		}
	}
	return ""
}

// refuseOthers refuses a form that is not read.
func (c *checkpoint) refuseOthers(name string, f form) error {
	found := slices.Collect(maps.Values(f.parts))
	switch quantiser := f.quantiser(); {
	case quantiser != "":
		return c.quantisedError(name, quantiser, found)
	case f.packed && (f.parts[zerosEnding] == "" || f.parts[scalesEnding] == ""):
		return c.quantisedError(name, "as by GPTQ or AWQ, but without its "+zerosEnding+" or "+scalesEnding, found)
	case f.tensor == "":
		return c.quantisedError(name, "or stored otherwise, in a form that is not known", found)
	}
	return nil
}

// partsOf are the tensors that begin with stem, a family's name, after prefixes as those
// of resolve: by what follows. The one with the fewest prefixes counts, and a bias alone
// is no form of a matrix.
func (c *checkpoint) partsOf(stem string) (map[string]string, error) {
	found := map[string]map[string]string{}
	for full := range c.holder {
		at := strings.Index("."+full, "."+stem)
		if at < 0 || !onlyPrefixes(full[:at]) {
			continue
		}
		// In what begins alike, such as lm_head_norm.weight, only MXFP4's names are parts.
		ending := full[at+len(stem):]
		if rest, isPart := strings.CutPrefix(ending, "."); isPart {
			ending = rest
		} else if ending != blocksEnding && ending != blockScalesEnding {
			continue
		}
		if found[full[:at]] == nil {
			found[full[:at]] = map[string]string{}
		}
		found[full[:at]][ending] = full
	}
	maps.DeleteFunc(found, func(_ string, parts map[string]string) bool {
		delete(parts, biasEnding)
		return len(parts) == 0
	})
	if len(found) == 0 {
		return nil, nil
	}
	before := slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(a, "."), strings.Count(b, ".")), strings.Compare(a, b))
	})
	if len(before) > 1 && strings.Count(before[0], ".") == strings.Count(before[1], ".") {
		return nil, &fault.Error{Subject: c.dir, Expected: "one tensor " + stem, Found: before[0] + stem + ", " + before[1] + stem}
	}
	return found[before[0]], nil
}

// partsAt are the tensors whose full names begin with stem, by what follows.
func (c *checkpoint) partsAt(stem string) map[string]string {
	parts := map[string]string{}
	for full := range c.holder {
		if ending, isPart := strings.CutPrefix(full, stem+"."); isPart && ending != biasEnding {
			parts[ending] = full
		}
	}
	return parts
}

// names are the tensors that reading the form takes.
func (f form) names() []string {
	names := []string{f.tensor}
	endings := []string{scaleEnding, inverseEnding, zeroPointEnding}
	if f.packed {
		endings = []string{zerosEnding, scalesEnding, groupsEnding}
	}
	for _, ending := range endings {
		if part := f.parts[ending]; part != "" {
			names = append(names, part)
		}
	}
	return names
}

func describe(shape []int) string { return strings.ReplaceAll(fmt.Sprint(shape), " ", ", ") }
