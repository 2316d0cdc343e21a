// Package sae reads sparse autoencoders: their decoders, and what their files
// say of where they belong. A format is one file of this package and one entry
// of formats; it reads only what the logit weights need, so an SAE whose encoder
// is missing opens all the same.
package sae

import (
	"errors"
	"io/fs"
	"os"
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

	// LogSparsity returns log10 of the part of tokens on which each feature
	// fired, −10 for one that never did, or nil when the files do not say.
	LogSparsity() ([]float32, error)

	// Close releases the files. No other call may be under way or follow.
	Close() error
}

// Info describes an SAE.
type Info struct {
	Path   string
	Name   string // the last element of Path
	Format string // the name of the format: "saelens"

	Architecture string // as the format names it: "standard", "topk", "jumprelu", "gated", "transcoder"
	DModel       int    // columns of W_dec
	DSAE         int    // rows of W_dec: features

	Hook  string // hook point that the decoder writes to
	Layer int    // index of the block in Hook, -1 when it names none
	Space string // what the columns of W_dec stand for: ResidualStream, AttentionHeads, MLPActivations

	DType string // of W_dec as stored: "F32", "BF16"

	// Scale says how the lengths of the rows came about: "as-stored", followed
	// by what in the configuration bears on them and was not applied.
	Scale string

	ModelName     string   // the language model, empty when the files do not say
	NeuronpediaID string   // "gpt2-small/8-res-jb", or empty
	Files         []string // paths of all files that were read
}

// format is one layout of an SAE on disk.
type format struct {
	name   string
	marks  string                         // what detect looks for, for errors
	detect func(path string) bool         // whether path has this layout, by its files' names
	open   func(path string) (SAE, error) // opens a path that detect said yes to
}

// formats are tried in this order; the first that detects a path opens it.
var formats = []format{saelensFormat}

// Open opens the SAE at path, in whichever format it is. The caller closes it.
func Open(path string) (SAE, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, unreadable(path, err)
	}
	if f := detect(path); f != nil {
		return f.open(path)
	}
	return nil, &fault.Error{
		Op: opRead, Subject: path, Expected: lookedFor(), Found: "none of these",
		Hint: "give the directory of one SAE; an incomplete download looks like this too",
	}
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

// lookedFor lists what makes a path an SAE.
func lookedFor() string {
	var all []string
	for _, f := range formats {
		all = append(all, f.marks+" ("+f.name+")")
	}
	return strings.Join(all, ", or ")
}

func unreadable(path string, err error) error {
	e := &fault.Error{Op: opRead, Subject: path, Err: err}
	if errors.Is(err, fs.ErrNotExist) {
		e.Problem, e.Err = "does not exist", nil
	}
	return e
}

// isFile reports whether path is a regular file, or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
