package model

import "github.com/saedb/saedb/internal/fault"

// tensors are the names of a model's tensors, in a checkpoint or a GGUF file.
type tensors interface {
	// resolve returns the full name of a tensor that a family calls name, or "" when
	// there is none.
	resolve(name string) (string, error)
	// form returns how the matrix is stored that a family calls name, with no tensor when
	// there is none.
	form(name string) (form, error)
	// missing is the error of a tensor that has to be there.
	missing(name, hint string) error
}

// commonHead is what transformers 5 calls the unembedding in every family, also in those
// that have another name for it on disk.
const commonHead = "lm_head.weight"

// choose finds the tensors that rules ask for, by their names alone, and how the
// unembedding is stored. A tensor for the unembedding counts whatever else is said; a
// model without one is tied to the embedding, unless denial, when it is not empty, says
// why that cannot be.
func (p *Processing) choose(t tensors, rules *family, denial string) (f form, err error) {
	if f, err = t.form(rules.head); err != nil {
		return f, err
	}
	if f.tensor == "" && rules.named {
		return f, t.missing(rules.head, "it was given as the unembedding")
	}
	if f.tensor == "" && rules.head != commonHead {
		if f, err = t.form(commonHead); err != nil {
			return f, err
		}
	}
	embedding := ""
	if rules.embedding != "" {
		if embedding, err = t.resolve(rules.embedding); err != nil {
			return f, err
		}
	}
	p.Tied = f.tensor == "" || f.tensor == embedding
	if f.tensor == "" {
		if denial != "" {
			return f, amended(t.missing(rules.head, denial), func(e *fault.Error) { e.Err = errNoUnembedding })
		}
		if f, err = t.form(rules.embedding); err != nil {
			return f, err
		}
		if f.tensor == "" {
			return f, t.missing(rules.embedding, "the files hold no whole model")
		}
	}
	p.UnembeddingTensor = f.tensor
	if p.NormTensor, err = required(t, rules.norm); err != nil {
		return f, err
	}
	p.NormBiasTensor, err = required(t, rules.normBias)
	return f, err
}

// required finds a tensor that has to be there; "" asks for none.
func required(t tensors, name string) (string, error) {
	if name == "" {
		return "", nil
	}
	found, err := t.resolve(name)
	if err == nil && found == "" {
		err = t.missing(name, "")
	}
	return found, err
}

// names are the tensors that reading the unembedding of a form takes. The bias of a norm
// is not read, but has to be there.
func (p *Processing) names(f form) []string {
	names := f.names()
	for _, name := range []string{p.NormTensor, p.NormBiasTensor} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
