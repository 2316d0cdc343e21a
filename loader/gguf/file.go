// Package gguf reads tensors and metadata from GGUF files, versions 2 and 3,
// little endian.
//
// A file is a header, metadata (keys and typed values), a description of every
// tensor, and the tensors' values, aligned. Source: docs/gguf.md of
// ggml-org/ggml and gguf-py/gguf/constants.py of ggml-org/llama.cpp.
package gguf

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	opRead = "read GGUF"
	// maxEntries bounds the memory for tensors and for keys, of which real files
	// have a few thousand and a few dozen.
	maxEntries = 1 << 18
)

// File is an open GGUF file. It is safe for concurrent use, but for Close.
type File struct {
	path     string
	file     *os.File
	metadata map[string]value
	tensors  map[string]*Tensor
}

// Open reads and checks a GGUF file's metadata and the description of its
// tensors; their values are read later. The caller closes it.
func Open(path string) (*File, error) {
	file, size, err := tensor.OpenFile(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f := &File{path: path, file: file}
	if err := f.readHeader(size); err != nil {
		file.Close()
		return nil, fault.At(opRead, path, err)
	}
	return f, nil
}

// readHeader reads everything before the values of a file of size bytes.
func (f *File) readHeader(size int64) error {
	c := newCursor(f.file, size)
	if err := readMagic(c); err != nil {
		return err
	}
	tensors, err := c.count("number of tensors", minTensorBytes)
	if err != nil {
		return err
	}
	keys, err := c.count("number of metadata keys", minKeyBytes)
	if err != nil {
		return err
	}
	if n := max(tensors, keys); n > maxEntries {
		return &fault.Error{Expected: fmt.Sprintf("at most %d tensors and metadata keys", maxEntries), Found: fmt.Sprint(n)}
	}
	if f.metadata, err = readMetadata(c, keys); err != nil {
		return err
	}
	infos, err := readTensorInfos(c, tensors)
	if err != nil {
		return err
	}
	return f.placeTensors(infos, c.position, size)
}

// readMagic reads the first eight bytes: "GGUF" and a version.
func readMagic(c *cursor) error {
	magic, err := c.bytes(8, "magic and version")
	if err != nil {
		return &fault.Error{Expected: "a GGUF file", Found: fmt.Sprintf("%d bytes", c.size)}
	}
	if string(magic[:4]) != "GGUF" {
		return &fault.Error{
			Expected: `a GGUF file, which begins with "GGUF"`, Found: fmt.Sprintf("%q", magic[:4]),
			Hint: tensor.PointerHint(magic),
		}
	}
	switch version := order.Uint32(magic[4:]); {
	case version == 2 || version == 3:
		return nil
	case version != 0 && version&0xffff == 0:
		return &fault.Error{Expected: "a little-endian file", Found: "a big-endian one", Hint: "convert it with gguf_convert_endian.py of llama.cpp"}
	default:
		return &fault.Error{Expected: "GGUF version 2 or 3", Found: fmt.Sprintf("version %d", version)}
	}
}

// Close closes the file. Its tensors can no longer be read.
func (f *File) Close() error { return f.file.Close() }

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Has reports whether the file has a tensor of that name.
func (f *File) Has(name string) bool { return f.tensors[name] != nil }

// Tensor looks a tensor up, of any type; reading one of a type that is not read is
// the error. A name that is not there is an error that lists those that are.
func (f *File) Tensor(name string) (*Tensor, error) {
	if t := f.tensors[name]; t != nil {
		return t, nil
	}
	return nil, &fault.Error{
		Op: opRead, Subject: f.subject(name), Problem: "is missing", Found: f.shortenedNames(),
	}
}

func (f *File) subject(name string) string { return f.path + ": tensor " + name }

// shortenedNames names the tensors there are. Those of a block, "blk.…", are
// many and alike, and are counted.
func (f *File) shortenedNames() string {
	var names []string
	inBlocks := 0
	for name := range f.tensors {
		if strings.HasPrefix(name, "blk.") {
			inBlocks++
		} else {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return tensor.Shortened(names, inBlocks)
}
