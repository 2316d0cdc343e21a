package model

import (
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

func openGGUF(path string) (*stored, error) {
	file, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	s, err := storedInGGUF(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func storedInGGUF(file *gguf.File) (*stored, error) {
	path := file.Path()
	if !file.Has(ggufHead) && !file.Has(ggufEmbedding) {
		return nil, withoutUnembedding(file)
	}
	architecture, _ := file.String(ggufArchKey)
	rules, err := lookUp(familyOfArchitecture, architecture, path, ggufArchKey)
	if err != nil {
		return nil, err
	}
	s := &stored{file: file, info: Info{
		Path: path, Format: FormatGGUF, Architecture: architecture, Files: []string{path},
		Processing: ggufProcessing(file, architecture, rules),
	}}
	if err := s.findInGGUF(file, architecture); err != nil {
		return nil, err
	}
	return s, s.findNormInGGUF(file, rules)
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

// ggufProcessing is the family's processing with the file's own soft-cap.
// Converters have added Gemma's 1 to norm weights, so that the offset is 0.
func ggufProcessing(file *gguf.File, architecture string, rules *family) Processing {
	softCap, given := file.Float(architecture + ggufSoftCapKey)
	if !given {
		softCap = rules.softCap
	}
	return rules.processing(0, softCap)
}

// findInGGUF finds the unembedding, which is the embedding in a file without one,
// and holds its shape against the metadata.
func (s *stored) findInGGUF(file *gguf.File, architecture string) error {
	p := &s.info.Processing
	p.UnembeddingTensor = ggufHead
	if !file.Has(ggufHead) {
		p.UnembeddingTensor, p.Tied = ggufEmbedding, true
	}
	t, err := file.Tensor(p.UnembeddingTensor)
	if err != nil {
		return err
	}
	if s.unembedding, err = t.Matrix(); err != nil {
		return err
	}
	s.info.DType = t.Type
	dVocab, _ := file.Int(architecture + ggufVocabKey)
	dModel, _ := file.Int(architecture + ggufDModelKey)
	return s.checkShape(file.Path(), int(dVocab), int(dModel), "the metadata")
}

func (s *stored) findNormInGGUF(file *gguf.File, rules *family) error {
	if rules.norm == "" {
		return nil
	}
	p := &s.info.Processing
	t, err := file.Tensor(ggufNorm)
	if err != nil {
		return err
	}
	p.NormTensor = ggufNorm
	if rules.normBias {
		if _, err := file.Tensor(ggufNormBias); err != nil {
			return err
		}
		p.NormBiasTensor = ggufNormBias
	}
	if !p.NormFolded {
		return nil
	}
	return s.readWeight(fmt.Sprintf("%s: tensor %s", file.Path(), ggufNorm), t.Shape, t.ReadFloats)
}
