// Package safetensors reads tensors from files of the safetensors format.
//
// A file is a header length (64-bit, little endian), a JSON header, and the
// values of all tensors, one after the other without gaps. Source:
// safetensors/src/tensor.rs of huggingface/safetensors, whose checks are made
// here too.
package safetensors

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	opRead = "read safetensors"
	// maxHeaderBytes is huggingface_hub's own limit.
	maxHeaderBytes = 25_000_000
	lengthBytes    = 8
)

// File is an open safetensors file. It is safe for concurrent use, but for Close.
type File struct {
	path   string
	file   io.ReaderAt
	close  func() error
	header *header
	names  []string // sorted
	values int64    // where the values of all tensors begin
}

// Open reads and checks the header of a safetensors file; values are read later.
// The caller closes it.
func Open(path string) (*File, error) {
	file, size, err := tensor.OpenFile(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f, err := Read(path, file, size)
	if err != nil {
		file.Close()
		return nil, err
	}
	f.close = file.Close
	return f, nil
}

// Read does the same with the size bytes of source, which are those of a file
// whose name in errors is path.
func Read(path string, source io.ReaderAt, size int64) (*File, error) {
	f := &File{path: path, file: source, close: func() error { return nil }}
	if err := f.readHeader(size); err != nil {
		return nil, fault.At(opRead, path, err)
	}
	return f, nil
}

// readHeader reads the header of a file of size bytes.
func (f *File) readHeader(size int64) error {
	raw, err := headerBytes(f.file, size)
	if err != nil {
		return err
	}
	if f.header, err = parseHeader(raw); err != nil {
		return err
	}
	f.values = int64(lengthBytes + len(raw))
	if err := f.header.check(size - f.values); err != nil {
		return err
	}
	f.names = make([]string, len(f.header.entries))
	for i, e := range f.header.byName {
		f.names[i] = f.header.entries[e].name
	}
	return nil
}

// headerBytes reads the JSON header of a file of size bytes. Its length is held
// against the file's before anything is allocated.
func headerBytes(file io.ReaderAt, size int64) ([]byte, error) {
	if size < lengthBytes {
		return nil, &fault.Error{Expected: "a safetensors file", Found: fmt.Sprintf("%d bytes", size)}
	}
	var prefix [lengthBytes]byte
	if n, err := file.ReadAt(prefix[:], 0); n < len(prefix) {
		return nil, err
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if most := min(uint64(size-lengthBytes), maxHeaderBytes); length > most {
		e := &fault.Error{
			Problem: "header length", Expected: fmt.Sprintf("at most %d bytes", most), Found: fmt.Sprint(length),
			Hint: tensor.PointerHint(prefix[:]),
		}
		if e.Hint == "" {
			e.Hint = "not a safetensors file, or only the beginning of one"
		}
		return nil, e
	}
	raw := make([]byte, length)
	if n, err := file.ReadAt(raw, lengthBytes); n < len(raw) {
		return nil, err
	}
	return raw, nil
}

// Close closes the file. Its tensors can no longer be read.
func (f *File) Close() error { return f.close() }

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Has reports whether the file has a tensor of that name.
func (f *File) Has(name string) bool { return f.header.find(name) != nil }

// Metadata returns the texts that the file's writer left in the header, often
// {"format": "pt"}. It is empty when there are none.
func (f *File) Metadata() map[string]string { return maps.Clone(f.header.metadata) }

// Tensor looks a tensor up, of any data type; reading one of a type that is not
// read is the error. A name that is not there is an error that lists those that are.
func (f *File) Tensor(name string) (*Tensor, error) {
	if e := f.header.find(name); e != nil {
		return f.newTensor(e), nil
	}
	return nil, &fault.Error{
		Op: opRead, Subject: f.subject(name), Problem: "is missing", Found: tensor.Shortened(f.names, 0),
	}
}

func (f *File) subject(name string) string { return f.path + ": tensor " + name }
