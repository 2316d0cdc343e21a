// Package gguf reads tensors and metadata from GGUF files, versions 2 and 3,
// little endian.
//
// A file is a header, metadata (keys and typed values), a description of every
// tensor, and the tensors' values, aligned. Source: docs/gguf.md of
// ggml-org/ggml and gguf-py/gguf/constants.py of ggml-org/llama.cpp.
package gguf

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
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
	*tensor.File
	metadata map[string]value
}

// Open reads and checks a GGUF file's metadata and the description of its
// tensors; their values are read later. The caller closes it.
func Open(path string) (*File, error) {
	file, size, err := files.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f, err := read(path, file, size)
	if err != nil {
		file.Close()
		return nil, fault.At(opRead, path, err)
	}
	return f, nil
}

// read reads everything before the values of a file of size bytes.
func read(path string, file *os.File, size int64) (*File, error) {
	c := newCursor(file, size)
	if err := readMagic(c); err != nil {
		return nil, err
	}
	tensors, err := c.count("number of tensors", minTensorBytes)
	if err != nil {
		return nil, err
	}
	keys, err := c.count("number of metadata keys", minKeyBytes)
	if err != nil {
		return nil, err
	}
	if n := max(tensors, keys); n > maxEntries {
		return nil, &fault.Error{Expected: fmt.Sprintf("at most %d tensors and metadata keys", maxEntries), Found: fmt.Sprint(n)}
	}
	f := &File{}
	if f.metadata, err = readMetadata(c, keys); err != nil {
		return nil, err
	}
	infos, err := readTensorInfos(c, tensors)
	if err != nil {
		return nil, err
	}
	alignment, err := f.alignment()
	if err != nil {
		return nil, err
	}
	room := values{path: path, source: file, begin: (c.position + alignment - 1) / alignment * alignment, alignment: alignment, size: size}
	placed, err := room.place(infos)
	if err != nil {
		return nil, err
	}
	find := func(name string) (*tensor.Tensor, error) { return placed[name], nil }
	f.File = tensor.NewFile(opRead, path, slices.Collect(maps.Keys(placed)), find, file.Close)
	return f, nil
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
