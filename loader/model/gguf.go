package model

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
)

// Names of tensors and metadata keys in GGUF, the same for all architectures.
// Source: gguf-py/gguf/constants.py of ggml-org/llama.cpp.
const (
	ggufHead       = "output.weight"
	ggufEmbedding  = "token_embd.weight"
	ggufNorm       = "output_norm.weight"
	ggufNormBias   = "output_norm.bias"
	ggufArchKey    = "general.architecture"
	ggufDModelKey  = ".embedding_length" // after the architecture, as are those below
	ggufVocabKey   = ".vocab_size"
	ggufSoftCapKey = ".final_logit_softcapping"
	ggufSplitKey   = "split.count"
)

func storedInGGUF(file *gguf.File, o Options) (*stored, error) {
	path := file.Path()
	if !file.Has(ggufHead) && !file.Has(ggufEmbedding) && !o.standAlone() {
		return nil, withoutUnembedding(file)
	}
	architecture, _ := file.String(ggufArchKey)
	known, unknown := lookUp(byArchitecture, architecture, path, ggufArchKey)
	rules, err := o.rules(known.inGGUF(), unknown, ggufTensors{file})
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	softCap, given := file.Float(architecture + ggufSoftCapKey)
	if !given {
		softCap = rules.softCap
	}
	s := &stored{file: file, info: Info{
		Path: path, Format: FormatGGUF, Architecture: cmp.Or(architecture, "unknown"), Files: []string{path},
		Processing: rules.processing(o, softCap),
	}}
	if _, err := s.info.Processing.choose(ggufTensors{file}, rules, ""); err != nil {
		return nil, err
	}
	if err := s.readUnembeddingInGGUF(file, architecture, o); err != nil {
		return nil, err
	}
	return s, s.readNormInGGUF(file)
}

// inGGUF is the family with the names that all architectures have in GGUF.
// Converters have added Gemma's 1 to norm weights, so that the offset is 0.
func (f *family) inGGUF() *family {
	if f == nil {
		return nil
	}
	g := *f
	g.head, g.embedding, g.normOffset = ggufHead, ggufEmbedding, 0
	if g.norm != "" {
		g.norm = ggufNorm
	}
	if g.normBias != "" {
		g.normBias = ggufNormBias
	}
	return &g
}

// ggufTensors are the tensors of a GGUF file, whose names have no prefixes.
type ggufTensors struct{ file *gguf.File }

func (t ggufTensors) resolve(name string) (string, error) {
	if t.file.Has(name) {
		return name, nil
	}
	return "", nil
}

// form is the one tensor: GGUF's quantised types are types of data like others.
func (t ggufTensors) form(name string) (form, error) {
	full, err := t.resolve(name)
	return form{tensor: full}, err
}

func (t ggufTensors) missing(name, hint string) error {
	_, err := t.file.Tensor(name) // the error that lists what is there
	var e *fault.Error
	if hint != "" && errors.As(err, &e) {
		e.Hint = hint
	}
	return err
}

// withoutUnembedding is the error of a file with neither of its tensors: one of
// several parts of a model, or a vocabulary alone.
func withoutUnembedding(file *gguf.File) error {
	e := &fault.Error{
		Subject: file.Path(), Expected: fmt.Sprintf("tensor %s or %s", ggufHead, ggufEmbedding), Found: "neither", Err: errNoWeights,
	}
	if parts, ok := file.Int(ggufSplitKey); ok && parts > 1 {
		e.Hint = fmt.Sprintf("this is one of %d parts of a model: join them with llama-gguf-split --merge", parts)
	}
	return e
}

// readUnembeddingInGGUF opens the unembedding, and holds its shape against the metadata.
func (s *stored) readUnembeddingInGGUF(file *gguf.File, architecture string, o Options) error {
	t, err := file.Tensor(s.info.Processing.UnembeddingTensor)
	if err != nil {
		return err
	}
	if s.unembedding, err = t.Matrix(); err != nil {
		return err
	}
	s.info.DType = t.DType
	s.measure(file.Path())
	if o.Unembedding != "" {
		return nil
	}
	dVocab, _ := file.Int(architecture + ggufVocabKey)
	dModel, _ := file.Int(architecture + ggufDModelKey)
	return s.holdShape(int(dVocab), int(dModel), "the metadata")
}

func (s *stored) readNormInGGUF(file *gguf.File) error {
	name := s.info.Processing.NormTensor
	if !s.info.Processing.NormFolded {
		return nil
	}
	t, err := file.Tensor(name)
	if err != nil {
		return err
	}
	return s.readWeight(fmt.Sprintf("%s: tensor %s", file.Path(), name), t.Shape, t.ReadFloats)
}
