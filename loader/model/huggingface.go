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

// stored reads the configuration and finds the tensors that it asks for.
func (c *checkpoint) stored(path string, o Options) (*stored, error) {
	s := &stored{info: Info{Path: path, Format: FormatHuggingFace}}
	cfg, configPath, err := c.config(o)
	if err != nil {
		return nil, err
	}
	if files.IsRegular(configPath) {
		s.info.Files = []string{configPath}
	}
	return s, c.fill(s, cfg, configPath, o)
}

// config reads the configuration, which need not be there where options stand alone.
func (c *checkpoint) config(o Options) (cfg *config, path string, err error) {
	path = filepath.Join(c.dir, configFile)
	if !files.IsRegular(path) && o.standAlone() {
		return &config{}, path, nil
	}
	cfg, err = readConfig(path, o.standAlone())
	return cfg, path, err
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
	if s.unembedding, s.info.DType, holders, err = c.openForm(cfg, f); err != nil {
		return nil, err
	}
	_, s.info.Processing.Dequantised = s.unembedding.(*dequantised)
	for _, holder := range holders {
		s.addFile(holder)
	}
	s.file = c.closers(holders)
	s.measure(c.holder[f.tensor])
	return holders, nil
}

// openForm opens a matrix, and returns its type on disk and the files that it is read from.
func (c *checkpoint) openForm(cfg *config, f form) (rows tensor.Matrix, dtype string, holders []string, err error) {
	rows, dtype, err = f.open(cfg.quantisation(), func(name string) (*tensor.Tensor, error) {
		t, err := c.tensor(name)
		if holder := c.holder[name]; err == nil && !slices.Contains(holders, holder) {
			holders = append(holders, holder)
		}
		return t, err
	})
	return rows, dtype, holders, fault.At(opRead, c.holder[f.tensor], err)
}

// closers are the open files at these paths.
func (c *checkpoint) closers(paths []string) closers {
	var open closers
	for _, path := range paths {
		open = append(open, c.opened[path])
	}
	return open
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
