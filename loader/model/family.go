package model

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// family is what models of one architecture have in common, as far as the
// unembedding goes. A family is a file of its own, which registers it.
type family struct {
	modelTypes    []string // values of model_type in config.json
	architectures []string // values of general.architecture in GGUF

	// Names of tensors in Hugging Face checkpoints, without the prefixes that differ
	// between checkpoints of one architecture (see resolve).
	head      string // the unembedding's own tensor; absent from tied models
	embedding string
	norm      string // the final norm's weight; empty when it has none
	normBias  string // the final norm's bias; empty when it has none
	named     bool   // head was named by a person: nothing else stands in for it

	normKind string // LayerNorm or RMSNorm
	// normOffset is added to weights in Hugging Face checkpoints. GGUF converters
	// have added it already (conversion/gemma.py of ggml-org/llama.cpp).
	normOffset float64
	// normKept: TransformerLens does not fold this family's final norm.
	normKept bool
	// softCap is the logits' soft-cap of a configuration that gives none.
	softCap float64

	// Tensors of a block in Hugging Face checkpoints, %d being its index: what leads
	// from the heads, and from the MLP's neurons, to the residual stream.
	attentionOut string
	mlpOut       string
	conv1D       bool // they are stored [d_in, d_out]; those of linear layers are [d_out, d_in]
	// postNorm: a norm follows each of a block's parts before the residual stream.
	postNorm bool
}

var (
	familyOfModelType    = map[string]*family{}
	familyOfArchitecture = map[string]*family{}
)

// register makes a family known. It is called by the init functions of the
// families' files.
func register(f *family) {
	for _, name := range f.modelTypes {
		familyOfModelType[name] = f
	}
	for _, name := range f.architectures {
		familyOfArchitecture[name] = f
	}
}

// lookUp finds a family by a name that key, in file, gives.
func lookUp(families map[string]*family, name, file, key string) (*family, error) {
	if f := families[name]; f != nil {
		return f, nil
	}
	known := slices.Sorted(maps.Keys(families))
	return nil, &fault.Error{
		Op: opRead, Subject: fmt.Sprintf("%s: %s", file, key),
		Expected: "one of " + strings.Join(known, ", "), Found: fmt.Sprintf("%q", name),
		Hint: "for another architecture, name its tensors with --unembedding and --norm", Err: errUnknownFamily,
	}
}

// processing is what is done to a model of the family; tensor names are left to
// choose. A soft-cap that is not positive is none.
func (f *family) processing(o Options, softCap float64) Processing {
	if o.SoftCap != nil {
		softCap = *o.SoftCap
	}
	if !(softCap > 0) { // NaN neither
		softCap = 0
	}
	offset := f.normOffset
	if o.NormOffset != nil {
		offset = *o.NormOffset
	}
	folds := !f.normKept && o.Processing != ProcessNone
	return Processing{
		Mode:               cmp.Or(o.Processing, ProcessTransformerLens),
		Norm:               f.normKind,
		NormFolded:         f.norm != "" && folds,
		NormBiasFolded:     f.normBias != "" && folds,
		CenteredOverDModel: f.normKind == LayerNorm && folds,
		CenteredOverVocab:  softCap == 0 && (o.Processing == "" || o.Processing == ProcessTransformerLens),
		NormOffset:         offset,
		SoftCap:            softCap,
	}
}
