package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// family is what models of one architecture have in common, as far as the
// unembedding goes: a row of families.
type family struct {
	modelTypes    []string // values of model_type in config.json
	architectures []string // values of general.architecture in GGUF

	names
	named  bool // head was named by a person: nothing else stands in for it
	conv1D bool // a block's matrices are stored [d_in, d_out]; those of linear layers are [d_out, d_in]

	normKind string // LayerNorm or RMSNorm
	// normOffset is added to weights in Hugging Face checkpoints. GGUF converters
	// have added it already (conversion/gemma.py of ggml-org/llama.cpp).
	normOffset float64
	// normKept: TransformerLens does not fold this family's final norm.
	normKept bool
	// postNorm: a norm follows each of a block's parts before the residual stream.
	postNorm bool
	// softCap is the logits' soft-cap of a configuration that gives none.
	softCap float64
}

// Names by which a family is found.
func byModelType(f *family) []string    { return f.modelTypes }
func byArchitecture(f *family) []string { return f.architectures }

// familyNamed returns the family one of whose names is name, nil when it is not known.
func familyNamed(by func(*family) []string, name string) *family {
	i := slices.IndexFunc(families, func(f family) bool { return slices.Contains(by(&f), name) })
	if i < 0 {
		return nil
	}
	return &families[i]
}

// lookUp finds a family by a name that key, in file, gives.
func lookUp(by func(*family) []string, name, file, key string) (*family, error) {
	if f := familyNamed(by, name); f != nil {
		return f, nil
	}
	return nil, &fault.Error{
		Op: opRead, Subject: fmt.Sprintf("%s: %s", file, key),
		Expected: "one of " + strings.Join(familyNames(by), ", "), Found: fmt.Sprintf("%q", name),
		Hint: "for another architecture, name its tensors with --unembedding and --norm", Err: errUnknownFamily,
	}
}

// familyNames are all names, sorted.
func familyNames(by func(*family) []string) []string {
	var all []string
	for i := range families {
		all = append(all, by(&families[i])...)
	}
	slices.Sort(all)
	return all
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
