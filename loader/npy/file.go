// Package npy reads arrays from NumPy's .npy files and .npz archives.
//
// A .npy file is a magic number, a header with the array's type, order and shape,
// and its values; a .npz archive is a zip file of them. Source:
// numpy/lib/_format_impl.py of numpy/numpy, whose checks are made here too.
//
// Values are read with positioned reads, by any number of goroutines, and in
// bounded memory. Those of a compressed member, which has no positions, are
// unpacked into a temporary file when they are first read.
package npy

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	opRead    = "read npy"
	extension = ".npy"
	zipMagic  = "PK\x03\x04"
)

// archive is an open .npz archive, or a .npy file as an archive of one array.
type archive struct {
	path    string
	file    *os.File
	members map[string]member
	scratch scratch
}

// member reads and checks the header of an array; called again, it returns the
// same tensor or error. That of an archive's member is read when it is asked
// for: an array of some other kind does not keep the others from being read.
type member func() (*tensor.Tensor, error)

// Open opens a .npy file or a .npz archive, whichever its first bytes say it is. Its tensors
// are an archive's members without ".npy", or that of a file without its directory and
// extension. The caller closes it.
//
// An encrypted member, one compressed in another way than by deflate, and one whose length is
// not what its shape says, are errors when they are looked up. So are, when they are read, a
// damaged member that must be unpacked first and a temporary directory without room for it.
func Open(path string) (*tensor.File, error) {
	file, size, err := files.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f := &archive{path: path, file: file, members: map[string]member{}}
	if err := f.open(size); err != nil {
		file.Close()
		return nil, fault.At(opRead, path, err)
	}
	find := func(name string) (*tensor.Tensor, error) {
		if m := f.members[name]; m != nil {
			return m()
		}
		return nil, nil
	}
	return tensor.NewFile(opRead, path, slices.Collect(maps.Keys(f.members)), find, f.close), nil
}

// close closes the file, and gives the space of temporary files back.
func (f *archive) close() error {
	f.scratch.close()
	return f.file.Close()
}

// open reads what tells the arrays of a file of size bytes.
func (f *archive) open(size int64) error {
	first := make([]byte, min(size, 16))
	if n, err := f.file.ReadAt(first, 0); n < len(first) {
		return err
	}
	switch {
	case strings.HasPrefix(string(first), magic):
		return f.addArray(size)
	case strings.HasPrefix(string(first), zipMagic):
		return f.addArchive(size)
	}
	return &fault.Error{
		Expected: "a .npy file or a .npz archive", Found: fmt.Sprintf("a beginning of %q", first),
		Hint: tensor.PointerHint(first),
	}
}

// addArray adds the one array of a .npy file of size bytes.
func (f *archive) addArray(size int64) error {
	h, err := readHeader(io.NewSectionReader(f.file, 0, size))
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(f.path), extension)
	t, err := f.newTensor(name, h, f.file, h.bytes, size)
	if err != nil {
		return err
	}
	f.members[name] = func() (*tensor.Tensor, error) { return t, nil }
	return nil
}
