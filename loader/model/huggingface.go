package model

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/tensor"
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
		c.close()
		return nil, err
	}
	return s, nil
}

// stored reads the configuration and finds the tensors that it asks for.
func (c *checkpoint) stored(path string, o Options) (*stored, error) {
	s := &stored{info: Info{Path: path, Format: FormatHuggingFace}}
	configPath := filepath.Join(c.dir, configFile)
	cfg := &config{}
	if files.IsRegular(configPath) || !o.standAlone() {
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
	p, f, err := c.processing(cfg, configPath, o)
	if err != nil {
		return err
	}
	s.info.Processing = p
	holders, err := c.readUnembedding(s, cfg, f)
	if err != nil {
		return err
	}
	if o.Unembedding == "" { // one that a person named has the shape that it has
		if err := s.holdShape(cfg.vocabSize(), cfg.hiddenSize(), configFile); err != nil {
			return err
		}
	}
	if err := c.readNorm(s); err != nil {
		return err
	}
	c.close(holders...)
	return nil
}

// processing is what is done to the model of a configuration, and to which tensors, and
// how the unembedding is stored.
func (c *checkpoint) processing(cfg *config, configPath string, o Options) (Processing, form, error) {
	known, unknown := cfg.family(configPath)
	if err := cfg.checkProjection(configPath); err != nil && !o.standAlone() {
		return Processing{}, form{}, err
	}
	rules, err := o.rules(known, unknown, c)
	if err != nil {
		return Processing{}, form{}, fault.At(opRead, c.dir, err)
	}
	softCap, err := cfg.softCap(rules.softCap)
	if err != nil {
		return Processing{}, form{}, fault.At(opRead, configPath, err)
	}
	p := rules.processing(o, softCap)
	f, err := p.choose(c, rules, cfg.denial())
	return p, f, err
}

// readUnembedding opens the unembedding, and returns the files that it is read from.
func (c *checkpoint) readUnembedding(s *stored, cfg *config, f form) (holders []string, err error) {
	s.unembedding, s.info.DType, err = f.open(cfg.quantisation(), func(name string) (*tensor.Tensor, error) {
		t, err := c.tensor(name)
		if holder := c.holder[name]; err == nil && !slices.Contains(holders, holder) {
			holders = append(holders, holder)
		}
		return t, err
	})
	if err != nil {
		return nil, fault.At(opRead, c.holder[f.tensor], err)
	}
	_, s.info.Processing.Dequantised = s.unembedding.(*dequantised)
	var files closers
	for _, holder := range holders {
		files = append(files, c.opened[holder])
		s.addFile(holder)
	}
	s.file = files
	s.measure(c.holder[f.tensor])
	return holders, nil
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
