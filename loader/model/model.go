// Package model reads the unembedding of a language model, processed as
// TransformerLens does by default, from a Hugging Face directory or a GGUF file, and
// the matrices by which its heads and neurons write to the residual stream.
//
// The unembedding is read in blocks: what stays in memory is the final norm's
// weight and the mean over the vocabulary, not the matrix.
package model

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/gguf"
	"github.com/saedb/saedb/loader/tensor"
)

const opRead = "read model"

// Formats of a model on disk.
const (
	FormatHuggingFace = "huggingface"
	FormatGGUF        = "gguf"
)

// Info describes an unembedding.
type Info struct {
	Path         string // as given to Open
	Format       string // FormatHuggingFace or FormatGGUF
	Architecture string // config.json's model_type, GGUF's general.architecture
	DType        string // of the unembedding on disk: F32, BF16, Q8_0
	DModel       int
	DVocab       int // columns of W_U, padding of the vocabulary included
	Processing   Processing
	// Files are all those whose content decides the result, paths as given to
	// Open: config.json, the index, the shards with the tensors needed, the .gguf.
	Files []string
}

// Unembedding is a model's processed W_U. It is safe for concurrent use, but for
// Close.
type Unembedding struct {
	info   Info
	stored *stored
	rows   *processor
}

// stored is a model as it is on disk, before any processing.
type stored struct {
	info        Info
	unembedding tensor.Matrix // W_U transposed [d_vocab, d_model]
	subject     string        // file and tensor of the unembedding, in errors
	weight      []float32     // of the final norm [d_model]; nil when it has none
	file        io.Closer     // the unembedding's
}

// Open opens a model: a Hugging Face directory with config.json and safetensors,
// one of its *.safetensors files, or a .gguf file. It reads the whole unembedding
// once, for the means and to find values that are not finite, which are errors.
// The zero Options read a model as its family asks. The caller closes it.
func Open(path string, o Options) (*Unembedding, error) {
	s, err := openStored(path, o)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	rows, err := newProcessor(s)
	if err != nil {
		s.file.Close()
		return nil, fault.At(opRead, path, err)
	}
	return &Unembedding{info: s.info, stored: s, rows: rows}, nil
}

func openStored(path string, o Options) (*stored, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	return opened(path, func(file *gguf.File) (*stored, error) { return storedInGGUF(file, o) },
		func(c *checkpoint) (*stored, error) { return c.stored(path, o) })
}

// opened is what one of two functions makes of the GGUF file, or of the checkpoint, at a path, which is closed
// where that is an error.
func opened[T any](path string, inGGUF func(*gguf.File) (*T, error), inCheckpoint func(*checkpoint) (*T, error)) (*T, error) {
	if IsGGUF(path) {
		return closedIfNot(gguf.Open, path, inGGUF)
	}
	return closedIfNot(openCheckpoint, path, inCheckpoint)
}

func closedIfNot[F io.Closer, T any](open func(path string) (F, error), path string, read func(F) (*T, error)) (*T, error) {
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	v, err := read(file)
	if err != nil {
		file.Close()
		return nil, err
	}
	return v, nil
}

// IsGGUF reports whether a path is that of a GGUF file, by its ending.
func IsGGUF(path string) bool { return strings.EqualFold(filepath.Ext(path), ".gguf") }

// FormatOf is the format of a model at a path.
func FormatOf(path string) string {
	if IsGGUF(path) {
		return FormatGGUF
	}
	return FormatHuggingFace
}

// VocabularySize returns the number of columns of a model's unembedding from the
// headers of its files, and 0 when path holds no weights: a tokenizer alone, or a
// GGUF file with nothing but a vocabulary. Of an architecture that is not known, and of a
// model whose unembedding is not read, it is what the configuration says.
func VocabularySize(path string) (int, error) {
	s, err := openStored(path, Options{Processing: ProcessNone})
	if errors.Is(err, errNoWeights) {
		return 0, nil
	}
	if errors.Is(err, errUnknownFamily) || errors.Is(err, errNoUnembedding) {
		return configuredVocabulary(path), nil
	}
	if err != nil {
		return 0, fault.At(opRead, path, err)
	}
	defer s.file.Close()
	return s.info.DVocab, nil
}

// configuredVocabulary is the size of the vocabulary in a config.json, or 0.
func configuredVocabulary(path string) int {
	if IsGGUF(path) {
		return 0
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	cfg, err := readConfig(filepath.Join(path, configFile), true)
	if err != nil {
		return 0
	}
	return cfg.vocabSize()
}

// errNoWeights is the cause of errors about a path that may be a tokenizer but is
// no model.
var errNoWeights = errors.New("no weights")

// errUnknownFamily is the cause of errors about an architecture that is not known.
var errUnknownFamily = errors.New("unknown architecture")

// errNoUnembedding is the cause of errors about a model whose unembedding is not there, or
// quantised in a form that is not read.
var errNoUnembedding = errors.New("nothing else stands in for the unembedding")

// Info describes the unembedding.
func (u *Unembedding) Info() Info {
	info := u.info
	info.Files = slices.Clone(info.Files)
	return info
}

// ReadRows reads the processed columns of W_U for the tokens from …
// from+len(dst)/d_model-1, as the rows of dst [tokens, d_model]. It is computed in
// float64 and rounded once. It is an error when len(dst) is no multiple of
// d_model, the tokens do not exist, or a value is beyond float32's range.
func (u *Unembedding) ReadRows(from int, dst []float32) error {
	return fault.At(opRead, u.info.Path, u.rows.readRows(from, dst))
}

// Close closes the file with the unembedding, which can then not be read any more.
func (u *Unembedding) Close() error { return u.stored.file.Close() }
