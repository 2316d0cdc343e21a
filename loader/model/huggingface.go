package model

import (
	"fmt"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
)

// openHuggingFace opens a directory with config.json and safetensors, or one of
// its *.safetensors files.
func openHuggingFace(path string) (*stored, error) {
	c, err := openCheckpoint(path)
	if err != nil {
		return nil, err
	}
	s, err := c.stored(path)
	if err != nil {
		c.close("")
		return nil, err
	}
	return s, nil
}

// stored reads the configuration and finds the tensors that it asks for.
func (c *checkpoint) stored(path string) (*stored, error) {
	cfg, err := readConfig(c.dir)
	if err != nil {
		return nil, err
	}
	return c.storedAs(cfg, path, filepath.Join(c.dir, configFile))
}

// storedAs finds the tensors that a configuration asks for.
func (c *checkpoint) storedAs(cfg *config, path, configPath string) (*stored, error) {
	rules, err := lookUp(familyOfModelType, cfg.ModelType, configPath, "model_type")
	if err != nil {
		return nil, err
	}
	softCap, err := cfg.softCap(rules.softCap)
	if err != nil {
		return nil, fault.At(opRead, configPath, err)
	}
	s := &stored{info: Info{
		Path: path, Format: FormatHuggingFace, Architecture: cfg.ModelType, Files: []string{configPath},
		Processing: rules.processing(rules.normOffset, softCap),
	}}
	if c.index != "" {
		s.info.Files = append(s.info.Files, c.index)
	}
	if err := c.findUnembedding(s, rules, cfg); err != nil {
		return nil, err
	}
	if err := c.findNorm(s, rules); err != nil {
		return nil, err
	}
	c.close(c.holder[s.info.Processing.UnembeddingTensor])
	return s, nil
}

// findUnembedding finds the unembedding's own tensor or, in a tied model, the
// embedding, and holds its shape against the configuration. A checkpoint without
// the former is tied unless its configuration denies that.
func (c *checkpoint) findUnembedding(s *stored, rules *family, cfg *config) error {
	p := &s.info.Processing
	var err error
	if p.UnembeddingTensor, err = c.resolveHead(rules); err != nil {
		return err
	}
	if p.UnembeddingTensor == "" {
		if cfg.untied() {
			return c.missing(rules.head, configFile+" has tie_word_embeddings false, so that the embedding cannot stand in; was the model saved without its head?")
		}
		if p.UnembeddingTensor, err = c.resolve(rules.embedding); err != nil {
			return err
		}
		p.Tied = true
	}
	if p.UnembeddingTensor == "" {
		return c.missing(rules.embedding, "the directory holds no whole model of type "+cfg.ModelType)
	}
	t, err := c.tensor(p.UnembeddingTensor)
	if err != nil {
		return err
	}
	if s.unembedding, err = t.Matrix(); err != nil {
		return err
	}
	holder := c.holder[p.UnembeddingTensor]
	s.info.DType, s.file = t.DType, c.opened[holder]
	s.addFile(holder)
	return s.checkShape(holder, cfg.vocabSize(), cfg.hiddenSize(), configFile)
}

// resolveHead returns the full name of the unembedding's own tensor, or "". In memory,
// transformers 5 calls it lm_head in families that have another name for it on disk.
func (c *checkpoint) resolveHead(rules *family) (string, error) {
	name, err := c.resolve(rules.head)
	if name == "" && err == nil {
		return c.resolve("lm_head.weight")
	}
	return name, err
}

// findNorm finds the final norm, and reads its weight if it is folded. Its bias is
// found only: folded into b_U, it is no part of logit weights.
func (c *checkpoint) findNorm(s *stored, rules *family) error {
	if rules.norm == "" {
		return nil
	}
	p := &s.info.Processing
	var err error
	if p.NormTensor, err = c.resolve(rules.norm + ".weight"); err != nil {
		return err
	}
	if p.NormTensor == "" {
		return c.missing(rules.norm+".weight", "")
	}
	if rules.normBias {
		if p.NormBiasTensor, err = c.resolve(rules.norm + ".bias"); err != nil {
			return err
		}
		if p.NormBiasTensor == "" {
			return c.missing(rules.norm+".bias", "")
		}
	}
	if !p.NormFolded {
		return nil
	}
	t, err := c.tensor(p.NormTensor)
	if err != nil {
		return err
	}
	holder := c.holder[p.NormTensor]
	s.addFile(holder)
	return s.readWeight(fmt.Sprintf("%s: tensor %s", holder, p.NormTensor), t.Shape, t.ReadFloats)
}
