package model

import (
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
	norm      string // the final norm, without ".weight"; empty when it has no weight

	normKind string // LayerNorm or RMSNorm
	// normBias: the final norm has a bias.
	normBias bool
	// normOffset is added to weights in Hugging Face checkpoints. GGUF converters
	// have added it already (conversion/gemma.py of ggml-org/llama.cpp).
	normOffset float64
	// normKept: TransformerLens does not fold this family's final norm.
	normKept bool
	// softCap is the logits' soft-cap of a configuration that gives none.
	softCap float64
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
		Hint: "this architecture's unembedding is not known to saedb",
	}
}

// processing is what is done to a model of the family; tensor names are left to
// the format. A soft-cap that is not positive is none.
func (f *family) processing(normOffset, softCap float64) Processing {
	if !(softCap > 0) { // NaN neither
		softCap = 0
	}
	return Processing{
		Norm:               f.normKind,
		NormFolded:         f.norm != "" && !f.normKept,
		NormBiasFolded:     f.normBias && !f.normKept,
		CenteredOverDModel: f.normKind == LayerNorm && !f.normKept,
		CenteredOverVocab:  softCap == 0,
		NormOffset:         normOffset,
		SoftCap:            softCap,
	}
}
