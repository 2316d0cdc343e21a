package sae

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/tensor"
)

// InPlace is an SAE whose weights stay in their files, as its load found them.
type InPlace struct {
	Name    string // of the SAE, in errors
	Path    string // as [Open] takes it
	Decoder string // scale of its decoder, one of [Decoders]
	Files   []files.Kept
}

// Open opens the SAE, unless a file is not what it was: of another size, or of another time of
// modification and hash. The caller closes it, and calls Check after it has read: a file may
// change meanwhile.
func (p InPlace) Open(ctx context.Context) (SAE, error) {
	if err := p.Check(ctx); err != nil {
		return nil, err
	}
	opened, err := OpenAt(p.Path, p.Decoder)
	if err != nil {
		return nil, p.explained(err)
	}
	for _, path := range opened.Info().Files {
		if !slices.ContainsFunc(p.Files, func(k files.Kept) bool { return k.Path == path }) {
			opened.Close()
			return nil, p.explained(&fault.Error{Subject: path, Problem: "this file was not read when the SAE was loaded, and would be now"})
		}
	}
	return opened, nil
}

// Check returns an error unless all files are what they were, by [files.Kept.Check].
func (p InPlace) Check(ctx context.Context) error {
	for _, k := range p.Files {
		if err := k.Check(ctx); err != nil {
			return p.explained(err)
		}
	}
	return nil
}

// CheckContent does so by their hashes, for which all of them is read; read, which may be nil, is
// told of each part.
func (p InPlace) CheckContent(ctx context.Context, read func(bytes int64)) error {
	for _, k := range p.Files {
		if err := k.CheckContent(ctx, read); err != nil {
			return p.explained(err)
		}
	}
	return nil
}

// Bytes is the size of all files.
func (p InPlace) Bytes() (sum int64) {
	for _, k := range p.Files {
		sum += k.Bytes
	}
	return sum
}

// explained adds to an error of the files whose they are, and what to do.
func (p InPlace) explained(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	said := &fault.Error{Subject: p.Path, Err: err}
	if known := (*fault.Error)(nil); errors.As(err, &known) {
		copied := *known
		said = &copied
	}
	said.Problem = fmt.Sprintf("the weights of SAE %s stay in this file", p.Name) + joined(said.Problem)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		said.Hint = "put it back, or load it from where it is now, with saedb load sae PATH --in-place"
	default:
		said.Hint = "put it back as it was, or load it again with --replace"
	}
	return said
}

func joined(problem string) string {
	if problem == "" {
		return ""
	}
	return ", and " + problem
}

// OpenAt opens the SAE at path with its decoder at a scale, one of [Decoders] or empty for that of
// the file.
func OpenAt(path, decoder string) (SAE, error) {
	opened, err := Open(path)
	if err != nil {
		return nil, err
	}
	scaled, err := Rescaled(opened, decoder)
	if err != nil {
		opened.Close()
		return nil, err
	}
	return scaled, nil
}

// Layout says where the decoder of an SAE lies in its file: the tensor, its type and shape, and
// whether it is read transposed. An SAE of which no range of rows can be read from its files alone
// is an error that says why.
func Layout(s SAE) (string, error) {
	for {
		switch of := s.(type) {
		case *described:
			s = of.SAE
		case *rescaled:
			s = of.SAE
		case *mapped:
			return "", notInPlace(of.info.Path, "one that is multiplied with a matrix of the model")
		case *stored:
			t, turned := tensor.Stored(of.decoder)
			if t == nil {
				return "", notInPlace(of.info.Path, "one that is computed")
			}
			if _, unpacks := t.Source.(interface{ UnpacksWhole() }); unpacks {
				return "", notInPlace(of.subject, "one that is compressed")
			}
			layout := fmt.Sprintf("%s: %s %v", of.subject, t.DType, t.Shape)
			if turned {
				layout += ", transposed"
			}
			return layout, nil
		default:
			return "", notInPlace(s.Info().Path, "one that is computed")
		}
	}
}

func notInPlace(subject, found string) error {
	return &fault.Error{
		Subject: subject, Problem: "its weights cannot stay there", Expected: "a decoder of which any rows can be read from its file",
		Found: found, Hint: "load it without --in-place",
	}
}
