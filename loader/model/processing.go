package model

import (
	"fmt"
	"strings"
)

// Kinds of final norm.
const (
	LayerNorm = "LayerNorm"
	RMSNorm   = "RMSNorm"
)

// Processing says what was done to a stored unembedding. By default it is what
// TransformerLens 3 does in HookedTransformer.from_pretrained with its defaults. Source:
// transformer_lens/weight_processing.py, ProcessWeights.process_weights.
type Processing struct {
	Mode              string // which of Processings was asked for
	UnembeddingTensor string // names on disk
	NormTensor        string // empty for a norm without weight
	NormBiasTensor    string // empty for a norm without bias
	Tied              bool   // the unembedding is the embedding
	Dequantised       bool   // the tensor holds codes: values are those times their scales
	Norm              string // LayerNorm or RMSNorm
	// NormFolded: each row of W_U was multiplied by the norm's weight.
	NormFolded bool
	// NormBiasFolded: the norm's bias went into b_U, which adds the same to a
	// token's logit whatever the feature, and is no part of logit weights.
	NormBiasFolded bool
	// CenteredOverDModel: the mean over d_model was taken from each token's column.
	CenteredOverDModel bool
	// CenteredOverVocab: the mean over all tokens was then taken from each column.
	CenteredOverVocab bool
	// NormOffset is added to the stored weight: 1 for Gemma's, which are w-1.
	NormOffset float64
	// SoftCap is the bound that the model puts on its logits with tanh, 0 for none.
	// Logits are then not invariant under a shift, and the vocabulary not centred.
	SoftCap float64
}

// Unchanged reports whether W_U was left as it is on disk.
func (p Processing) Unchanged() bool {
	return !p.NormFolded && !p.CenteredOverDModel && !p.CenteredOverVocab
}

// String describes p in one line.
func (p Processing) String() string {
	parts := []string{"W_U from " + p.UnembeddingTensor}
	if p.Dequantised {
		parts[0] += " dequantised"
	}
	if p.Tied {
		parts[0] += " (tied to the embedding)"
	}
	if p.Mode == ProcessNone {
		parts[0] += " as stored"
	}
	parts = append(parts, p.normString())
	if p.CenteredOverDModel {
		parts = append(parts, "centred over d_model")
	}
	switch {
	case p.CenteredOverVocab:
		parts = append(parts, "centred over the vocabulary")
	case p.Mode != ProcessTransformerLens:
		parts = append(parts, "not centred over the vocabulary")
	case p.SoftCap != 0:
		parts = append(parts, fmt.Sprintf("not centred over the vocabulary since logits are soft-capped at %g", p.SoftCap))
	}
	return strings.Join(parts, ", ")
}

func (p Processing) normString() string {
	if p.NormTensor == "" {
		return p.Norm + " without weight"
	}
	weight := p.NormTensor
	if p.NormOffset != 0 {
		weight += fmt.Sprintf(" + %g", p.NormOffset)
	}
	if !p.NormFolded {
		return fmt.Sprintf("%s %s not folded", p.Norm, weight)
	}
	text := fmt.Sprintf("%s %s folded", p.Norm, weight)
	if p.NormBiasFolded {
		text += ", its bias in b_U"
	}
	return text
}
