package model

import (
	"fmt"
	"io"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

const opReadEmbedding = "read embedding"

// EmbeddingInfo describes a token embedding.
type EmbeddingInfo struct {
	Path   string // as given to OpenEmbedding
	Tensor string // its name on disk
	DType  string // on disk
	DModel int
	DVocab int
	Files  []string // those that it is read from
}

// Embedding is a model's token embedding W_E [d_vocab, d_model] as its files have it: without
// position embeddings, and before what a family does to a token's row on its way into the
// residual stream, as Gemma's factor √d_model or BLOOM's LayerNorm. It is safe for concurrent
// use, but for Close.
type Embedding struct {
	info    EmbeddingInfo
	rows    tensor.Matrix
	subject string // file and tensor, in errors
	file    io.Closer
}

// OpenEmbedding opens the token embedding of a model, of the paths that [Open] takes, and reads
// no values. Of the options those count that say which family's names tensors have. The caller
// closes it.
func OpenEmbedding(path string, o Options) (*Embedding, error) {
	if err := o.check(); err != nil {
		return nil, fault.At(opReadEmbedding, path, err)
	}
	open := embeddingInCheckpoint
	if IsGGUF(path) {
		open = embeddingInGGUF
	}
	e, err := open(path, o)
	if err != nil {
		return nil, fault.At(opReadEmbedding, path, err)
	}
	e.info.Path, e.info.DVocab, e.info.DModel = path, e.rows.Rows(), e.rows.Cols()
	return e, nil
}

func embeddingInCheckpoint(path string, o Options) (*Embedding, error) {
	c, err := openCheckpoint(path)
	if err != nil {
		return nil, err
	}
	e, err := c.embedding(o)
	if err != nil {
		c.close()
		return nil, err
	}
	c.close(e.info.Files...)
	return e, nil
}

func (c *checkpoint) embedding(o Options) (*Embedding, error) {
	cfg, configPath, err := c.config(o)
	if err != nil {
		return nil, err
	}
	f, err := c.embeddingForm(cfg, configPath, o)
	if err != nil {
		return nil, err
	}
	e := &Embedding{
		info: EmbeddingInfo{Tensor: f.tensor}, subject: fmt.Sprintf("%s: tensor %s", c.holder[f.tensor], f.tensor),
	}
	if e.rows, e.info.DType, e.info.Files, err = c.openForm(cfg, f); err != nil {
		return nil, err
	}
	e.file = c.closers(e.info.Files)
	return e, nil
}

// embeddingForm is how the embedding is stored.
func (c *checkpoint) embeddingForm(cfg *config, configPath string, o Options) (form, error) {
	known, unknown := cfg.family(configPath)
	rules, err := o.rules(known, unknown, c)
	if err != nil {
		return form{}, err
	}
	if rules.embedding == "" {
		return form{}, withoutEmbedding(c.dir)
	}
	f, err := c.form(rules.embedding)
	if err == nil && f.tensor == "" {
		err = c.missing(rules.embedding, "the files hold no embedding")
	}
	return f, err
}

// withoutEmbedding is the error of a model whose options name its unembedding alone.
func withoutEmbedding(subject string) error {
	return &fault.Error{
		Subject: subject, Problem: "which tensor is its embedding is known of the architectures that saedb knows alone",
		Hint: "load it without its embedding",
	}
}

func embeddingInGGUF(path string, o Options) (*Embedding, error) {
	file, err := gguf.Open(path)
	if err != nil {
		return nil, err
	}
	e := &Embedding{
		info:    EmbeddingInfo{Tensor: ggufEmbedding, Files: []string{path}},
		subject: fmt.Sprintf("%s: tensor %s", path, ggufEmbedding), file: file,
	}
	t, err := file.Tensor(ggufEmbedding)
	if err == nil {
		e.info.DType = t.DType
		e.rows, err = t.Matrix()
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return e, nil
}

// Info describes the embedding.
func (e *Embedding) Info() EmbeddingInfo {
	info := e.info
	info.Files = slices.Clone(info.Files)
	return info
}

// ReadRows fills dst with rows of W_E [d_vocab, d_model] as float32, as stored, beginning with
// that of token from. Dst holds whole rows. A value that is not finite is an error. Calls may
// run at the same time.
func (e *Embedding) ReadRows(from int, dst []float32) error {
	if err := e.rows.ReadRows(from, dst); err != nil {
		return fault.At(opReadEmbedding, e.subject, err)
	}
	for i, w := range dst {
		if !finite(w) {
			return &fault.Error{
				Op: opReadEmbedding, Subject: e.subject,
				Problem:  fmt.Sprintf("token %d, position %d", from+i/e.info.DModel, i%e.info.DModel),
				Expected: "finite weights", Found: fmt.Sprint(w),
			}
		}
	}
	return nil
}

// Close closes the files of the embedding, which can then not be read any more.
func (e *Embedding) Close() error { return e.file.Close() }
