// Package safetensors reads tensors from files of the safetensors format.
//
// A file is a header length (64-bit, little endian), a JSON header, and the
// values of all tensors, one after the other without gaps. Source:
// safetensors/src/tensor.rs of huggingface/safetensors, whose checks are made
// here too.
package safetensors

import (
	"io"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	opRead = "read safetensors"
	// maxHeaderBytes is huggingface_hub's own limit.
	maxHeaderBytes = 25_000_000
	// LengthBytes before the header give its length.
	LengthBytes = 8
)

// The files of a directory that save_pretrained of transformers writes: all tensors in one, or an index of several.
const (
	WeightsFile = "model.safetensors"
	IndexFile   = "model.safetensors.index.json"
)

// Open reads and checks the header of a safetensors file; values are read later.
// The caller closes it.
func Open(path string) (*tensor.File, error) {
	file, size, err := files.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f, err := read(path, file, size, file.Close)
	if err != nil {
		file.Close()
	}
	return f, err
}

// Read does the same with the size bytes of source, which are those of a file
// whose name in errors is path.
func Read(path string, source io.ReaderAt, size int64) (*tensor.File, error) {
	return read(path, source, size, func() error { return nil })
}

func read(path string, source io.ReaderAt, size int64, close func() error) (*tensor.File, error) {
	raw, err := headerBytes(source, size)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	values := int64(LengthBytes + len(raw))
	h, err := parseHeader(raw, size-values)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	find := func(name string) (*tensor.Tensor, error) {
		e := h.find(name)
		if e == nil {
			return nil, nil
		}
		return &tensor.Tensor{
			Op: opRead, Subject: tensor.Subject(path, name), DType: e.dtype, Shape: tensor.Shape(e.shape),
			Source: source, Offset: values + int64(e.begin), Encoding: tensor.Floats.Named(e.dtype), Readable: tensor.FloatNames,
		}, nil
	}
	return tensor.NewFile(opRead, path, h.names(), find, close), nil
}

// headerBytes reads the JSON header of a file of size bytes.
func headerBytes(file io.ReaderAt, size int64) ([]byte, error) {
	var prefix [LengthBytes]byte
	if n, err := file.ReadAt(prefix[:], 0); n < len(prefix) && size >= LengthBytes {
		return nil, err
	}
	length, err := HeaderLength(prefix[:], size)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, length)
	if n, err := file.ReadAt(raw, LengthBytes); n < len(raw) {
		return nil, err
	}
	return raw, nil
}
