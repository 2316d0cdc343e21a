package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// What may be done to an unembedding, as Options.Processing names it.
const (
	// ProcessTransformerLens is what HookedTransformer.from_pretrained does by
	// default: the final norm folded and, for a LayerNorm, each token's column centred
	// over d_model; then each row centred over the vocabulary.
	ProcessTransformerLens = "transformerlens"
	// ProcessFoldOnly is the same with center_unembed=False: not centred over the
	// vocabulary. Centring over d_model is part of TransformerLens's fold_ln, and stays.
	ProcessFoldOnly = "fold-only"
	// ProcessNone leaves W_U as stored, as from_pretrained_no_processing does.
	ProcessNone = "none"
)

// Processings lists the values of Options.Processing, the default first.
func Processings() []string {
	return []string{ProcessTransformerLens, ProcessFoldOnly, ProcessNone}
}

// NoNorm as Options.Norm stands for a final norm without weight, or none at all.
const NoNorm = "none"

// NormKind is a kind of final norm by the name that people give it: layer or rms, "" for none.
func NormKind(name string) (kind string, err error) {
	switch name {
	case "":
		return "", nil
	case "layer":
		return LayerNorm, nil
	case "rms":
		return RMSNorm, nil
	}
	return "", &fault.Error{Op: "load model", Subject: "--norm-kind", Expected: "layer or rms", Found: fmt.Sprintf("%q", name)}
}

// Options say how a model is read. The zero value is what its family's rules say,
// with TransformerLens's processing. With Unembedding and Norm, a model of any
// architecture can be read, and one without config.json.
type Options struct {
	Processing  string   // one of Processings; ProcessTransformerLens when empty
	Unembedding string   // tensor [d_vocab, d_model]
	Norm        string   // tensor of the final norm's weight [d_model], or NoNorm; it is folded
	NormKind    string   // LayerNorm or RMSNorm
	NormOffset  *float64 // added to the stored weight of the norm
	SoftCap     *float64 // of the logits, 0 for none
	Embedding   bool     // whether the embedding is asked for besides, which OpenEmbedding opens
	// Attention is which layers' heads are asked for besides, which OpenAttention opens: as
	// BlockLayers takes it; empty for none.
	Attention string
	// MLP is which layers' MLPs are, likewise, whose input weights OpenMLP opens.
	MLP string
}

// check refuses values that no model could be read with.
func (o Options) check() error {
	if o.Processing != "" && !slices.Contains(Processings(), o.Processing) {
		return &fault.Error{Problem: "processing", Expected: "one of " + strings.Join(Processings(), ", "), Found: fmt.Sprintf("%q", o.Processing)}
	}
	if o.NormKind != "" && o.NormKind != LayerNorm && o.NormKind != RMSNorm {
		return &fault.Error{Problem: "kind of norm", Expected: LayerNorm + " or " + RMSNorm, Found: fmt.Sprintf("%q", o.NormKind)}
	}
	if o.NormOffset != nil && !finite(float32(*o.NormOffset)) {
		return &fault.Error{Problem: "norm offset", Expected: "a finite number", Found: fmt.Sprint(*o.NormOffset)}
	}
	if o.SoftCap != nil && !(*o.SoftCap >= 0 && finite(float32(*o.SoftCap))) {
		return &fault.Error{Problem: "soft-cap", Expected: "a number from 0 on", Found: fmt.Sprint(*o.SoftCap)}
	}
	return nil
}

// standAlone reports whether the options say all that a family would.
func (o Options) standAlone() bool { return o.Unembedding != "" && o.Norm != "" }

// rules are the rules of a model's family with the options over them. A model whose
// architecture is not known, which unknown says, needs options that stand alone.
func (o Options) rules(known *family, unknown error, t tensors) (*family, error) {
	var f family
	switch {
	case known != nil:
		f = *known
	case !o.standAlone():
		return nil, unknown
	}
	if o.Unembedding != "" {
		f.head, f.named = o.Unembedding, true
	}
	if o.NormKind != "" {
		f.normKind = o.NormKind
	}
	if o.Norm != "" {
		f.norm, f.normBias, f.normKept = "", "", false
	}
	if o.Norm != "" && o.Norm != NoNorm {
		if err := o.nameNorm(&f, t); err != nil {
			return nil, err
		}
	}
	if f.normKind == "" {
		return nil, &fault.Error{
			Problem: "the kind of the final norm is not known", Expected: LayerNorm + " or " + RMSNorm, Hint: "give --norm-kind layer or --norm-kind rms",
		}
	}
	return &f, nil
}

// nameNorm finds the norm that the options name, with or without ".weight" at its
// end. A norm with a bias is a LayerNorm unless they say otherwise.
func (o Options) nameNorm(f *family, t tensors) (err error) {
	f.norm = o.Norm
	found, err := t.resolve(f.norm)
	if found == "" && err == nil {
		f.norm += ".weight"
		found, err = t.resolve(f.norm)
	}
	if err != nil {
		return err
	}
	if found == "" {
		return t.missing(o.Norm, "it was given as the final norm")
	}
	bias := strings.TrimSuffix(found, ".weight") + ".bias"
	if found, err = t.resolve(bias); err != nil || found == "" {
		return err
	}
	f.normBias = found
	f.normKind = cmp.Or(f.normKind, LayerNorm)
	return nil
}
