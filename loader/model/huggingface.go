package model

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/saedb/saedb/internal/fault"
)

// openHuggingFace opens a directory with config.json and safetensors, or one of
// its *.safetensors files.
func openHuggingFace(path string, o Options) (*stored, error) {
	c, err := openCheckpoint(path)
	if err != nil {
		return nil, err
	}
	s, err := c.stored(path, o)
	if err != nil {
		c.close("")
		return nil, err
	}
	return s, nil
}

// stored reads the configuration and finds the tensors that it asks for.
func (c *checkpoint) stored(path string, o Options) (*stored, error) {
	s := &stored{info: Info{Path: path, Format: FormatHuggingFace}}
	configPath := filepath.Join(c.dir, configFile)
	cfg := &config{}
	if exists(configPath) || !o.standAlone() {
		var err error
		if cfg, err = readConfig(configPath, o.standAlone()); err != nil {
			return nil, err
		}
		s.info.Files = []string{configPath}
	}
	return s, c.fill(s, cfg, configPath, o)
}

// fill finds the tensors that a configuration asks for.
func (c *checkpoint) fill(s *stored, cfg *config, configPath string, o Options) error {
	s.info.Architecture = cmp.Or(cfg.ModelType, "unknown")
	if c.index != "" {
		s.info.Files = append(s.info.Files, c.index)
	}
	var err error
	if s.info.Processing, err = c.processing(cfg, configPath, o); err != nil {
		return err
	}
	if err := c.readUnembedding(s, cfg); err != nil {
		return err
	}
	if err := c.readNorm(s); err != nil {
		return err
	}
	c.close(c.holder[s.info.Processing.UnembeddingTensor])
	return nil
}

// processing is what is done to the model of a configuration, and to which tensors.
func (c *checkpoint) processing(cfg *config, configPath string, o Options) (Processing, error) {
	known, unknown := cfg.family(configPath)
	if err := cfg.checkProjection(configPath); err != nil && !o.standAlone() {
		return Processing{}, err
	}
	rules, err := o.rules(known, unknown, c)
	if err != nil {
		return Processing{}, fault.At(opRead, c.dir, err)
	}
	softCap, err := cfg.softCap(rules.softCap)
	if err != nil {
		return Processing{}, fault.At(opRead, configPath, err)
	}
	denial := ""
	if cfg.untied() {
		denial = configFile + " has tie_word_embeddings false, so that the embedding cannot stand in; was the model saved without its head?"
	}
	p := rules.processing(o, softCap)
	return p, p.choose(c, rules, denial)
}

// readUnembedding opens the unembedding, and holds its shape against the configuration.
func (c *checkpoint) readUnembedding(s *stored, cfg *config) error {
	name := s.info.Processing.UnembeddingTensor
	t, err := c.tensor(name)
	if err != nil {
		return err
	}
	if s.unembedding, err = t.Matrix(); err != nil {
		return err
	}
	holder := c.holder[name]
	s.info.DType, s.file = t.DType, c.opened[holder]
	s.addFile(holder)
	return s.checkShape(holder, cfg.vocabSize(), cfg.hiddenSize(), configFile)
}

// readNorm reads the final norm's weight if it is folded. Its bias goes into b_U, and
// is no part of logit weights.
func (c *checkpoint) readNorm(s *stored) error {
	name := s.info.Processing.NormTensor
	if !s.info.Processing.NormFolded {
		return nil
	}
	t, err := c.tensor(name)
	if err != nil {
		return err
	}
	holder := c.holder[name]
	s.addFile(holder)
	return s.readWeight(fmt.Sprintf("%s: tensor %s", holder, name), t.Shape, t.ReadFloats)
}
