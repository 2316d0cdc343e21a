// Package sae reads sparse autoencoders: their decoders, and what their files
// say of where they belong. A format is one file of this package and one entry
// of formats; it reads only what the logit weights need, so an SAE whose encoder
// is missing opens all the same.
package sae

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

const opRead = "read SAE"

// SAE is an open sparse autoencoder, transcoder, or anything else that writes
// feature directions.
type SAE interface {
	Info() Info

	// ReadDecoder fills dst with rows of W_dec [feature, d_model] as float32,
	// beginning with the row of feature from. Dst holds whole rows. A value
	// that is not finite is an error. Calls may run at the same time.
	ReadDecoder(from int, dst []float32) error

	// Encoder opens the encoder, as stored, whose rows read activations at its own hook point;
	// it is closed with the SAE. Without one that is a matrix of its own it is an error that says so.
	Encoder() (*Encoder, error)

	// LogSparsity returns log10 of the part of tokens on which each feature
	// fired, −10 for one that never did, or nil when the files do not say.
	LogSparsity() ([]float32, error)

	// Close releases the files. No other call may be under way or follow.
	Close() error
}

// Info describes an SAE.
type Info struct {
	Path   string // with "#PART" where one path holds several SAEs
	Name   string // the last element of Path, or as many as tell the SAEs of a release apart
	Format string // the name of the format: "saelens"

	Architecture string // as the format names it: "standard", "topk", "jumprelu", "gated", "transcoder"
	DModel       int    // columns of W_dec
	DSAE         int    // rows of W_dec: features

	Hook      string // hook point that the decoder writes to
	InputHook string // hook point that the encoder reads, where it is another and the files say so: see EncoderHook

	Layer int    // index of the block in Hook, -1 when it names none
	Space string // what the columns of W_dec stand for: ResidualStream, AttentionHeads, …, UnknownSpace

	DType string // of W_dec as stored: "F32", "BF16"

	// Scale says how the lengths of the rows came about: "as-stored", followed
	// by what in the configuration bears on them and was not applied.
	Scale string
	// SAELensScale is the factor by which SAELens multiplies the rows that
	// ReadDecoder gives when it loads this SAE. 0 stands for 1: it takes them as they are.
	SAELensScale float64

	Note string // what Notes tells beside what follows from the hook point, or empty

	L0            float64  // mean number of features that fire on a token, 0 when the files do not say
	ModelName     string   // the language model, empty when the files do not say
	NeuronpediaID string   // "gpt2-small/8-res-jb", or empty
	Files         []string // paths of all files that were read
}

// own is a copy that its holder may change.
func (i Info) own() Info {
	i.Files = slices.Clone(i.Files)
	return i
}

// format is one layout of SAEs on disk: a file of this package that makes one of
// formats.
type format struct {
	name   string
	detect func(path string) bool         // whether path has this layout: by names first, since Find asks it of every path
	open   func(path string) (SAE, error) // opens a path that detect said yes to and that holds one SAE

	// A format whose paths hold several SAEs, as a cross-layer transcoder holds one
	// for each layer that it writes to, has these two in place of open. Each SAE is
	// opened by the name of its part, as PATH#PART; the only SAE of a path may have
	// the name "", and is opened by the path alone.
	parts    func(path string) ([]string, error)
	openPart func(path, part string) (SAE, error)
}

// formats are tried in this order; the first that detects a path opens it.
var formats = []format{
	openMOSSFormat, saelensFormat, sparsifyFormat, llamaScopeFormat, temporalFormat, openSAEFormat,
	gemmaScopeFormat, gemmaScope2Format, circuitTracerFormat, circuitTracerCLTFormat, gemmaScope2CLTFormat,
	dictionaryLearningFormat, pytorchFormat,
}

// Open opens the SAE at path, in whichever format it is. Where one path holds
// several, PATH#PART names one of them. The caller closes it.
func Open(path string) (SAE, error) {
	whole, part := splitPart(path)
	if _, err := os.Stat(whole); err != nil {
		return nil, unreadable(whole, err)
	}
	f := detect(whole)
	switch {
	case f == nil:
		if err := unreadableCheckpoint(whole); err != nil {
			return nil, err
		}
		return nil, unrecognised(opRead, whole)
	case f.parts == nil && part == "":
		return f.open(whole)
	case f.parts == nil:
		return nil, notSeveral(whole, part)
	}
	parts, err := f.parts(whole)
	if err != nil {
		return nil, err
	}
	if slices.Equal(parts, onlyOne) && part != "" {
		return nil, notSeveral(whole, part)
	}
	if !slices.Contains(parts, part) {
		return nil, &fault.Error{
			Op: opRead, Subject: whole, Expected: "the name of a part behind #, one of " + strings.Join(parts, ", "), Found: fmt.Sprintf("%q", part),
		}
	}
	return f.openPart(whole, part)
}

// onlyOne is the parts of a path with one SAE.
var onlyOne = []string{""}

func notSeveral(path, part string) error {
	return &fault.Error{Op: opRead, Subject: path, Expected: "a path without #, since there is one SAE in it", Found: "#" + part}
}

// splitPart cuts PATH#PART, unless there is a file of the whole name.
func splitPart(path string) (whole, part string) {
	i := strings.LastIndexByte(path, '#')
	if i < 0 {
		return path, ""
	}
	if _, err := os.Stat(path); err == nil {
		return path, ""
	}
	return path[:i], path[i+1:]
}

// withPart is the opposite of splitPart.
func withPart(whole, part string) string {
	if part == "" {
		return whole
	}
	return whole + "#" + part
}

// detect returns the format of path, nil when it is no SAE.
func detect(path string) *format {
	for i := range formats {
		if formats[i].detect(path) {
			return &formats[i]
		}
	}
	return nil
}

// lookedFor says what is an SAE.
func lookedFor() string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return "an SAE of one of the formats " + strings.Join(names, ", ")
}

func unreadable(path string, err error) error {
	e := &fault.Error{Op: opRead, Subject: path, Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Problem, e.Err = "does not exist", nil
	}
	return e
}
