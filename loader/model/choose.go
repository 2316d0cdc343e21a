package model

// tensors are the names of a model's tensors, in a checkpoint or a GGUF file.
type tensors interface {
	// resolve returns the full name of a tensor that a family calls name, or "" when
	// there is none.
	resolve(name string) (string, error)
	// missing is the error of a tensor that has to be there.
	missing(name, hint string) error
}

// choose finds the tensors that rules ask for, by their names alone. A model without
// a tensor for its unembedding is tied to the embedding, unless denial, when it is
// not empty, says why that cannot be.
func (p *Processing) choose(t tensors, rules *family, denial string) (err error) {
	if p.UnembeddingTensor, err = t.resolve(rules.head); err != nil {
		return err
	}
	if p.UnembeddingTensor == "" && rules.named {
		return t.missing(rules.head, "it was given as the unembedding")
	}
	embedding := ""
	if rules.embedding != "" {
		if embedding, err = t.resolve(rules.embedding); err != nil {
			return err
		}
	}
	if p.UnembeddingTensor == "" {
		if denial != "" {
			return t.missing(rules.head, denial)
		}
		if embedding == "" {
			return t.missing(rules.embedding, "the files hold no whole model")
		}
		p.UnembeddingTensor = embedding
	}
	p.Tied = p.UnembeddingTensor == embedding
	if p.NormTensor, err = required(t, rules.norm); err != nil {
		return err
	}
	p.NormBiasTensor, err = required(t, rules.normBias)
	return err
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

// names are the tensors that reading the unembedding takes. The bias of a norm is
// not read, but has to be there.
func (p *Processing) names() []string {
	names := []string{p.UnembeddingTensor}
	for _, name := range []string{p.NormTensor, p.NormBiasTensor} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
