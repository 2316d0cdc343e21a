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
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	opRead    = "read npy"
	extension = ".npy"
	zipMagic  = "PK\x03\x04"
)

// File is an open .npz archive, or a .npy file as an archive of one array. It is
// safe for concurrent use, but for Close.
type File struct {
	path    string
	file    *os.File
	members map[string]member
	names   []string // sorted
	scratch scratch
}

// member reads and checks the header of an array; called again, it returns the
// same tensor or error. That of an archive's member is read when it is asked
// for: an array of some other kind does not keep the others from being read.
type member func() (*Tensor, error)

// Open opens a .npy file or a .npz archive, whichever its first bytes say it is.
// The caller closes it.
func Open(path string) (*File, error) {
	file, size, err := tensor.OpenFile(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	f := &File{path: path, file: file, members: map[string]member{}}
	if err := f.open(size); err != nil {
		f.Close()
		return nil, fault.At(opRead, path, err)
	}
	return f, nil
}

// open reads what tells the arrays of a file of size bytes.
func (f *File) open(size int64) error {
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
func (f *File) addArray(size int64) error {
	h, err := readHeader(io.NewSectionReader(f.file, 0, size))
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(f.path), extension)
	t, err := f.newTensor(name, h, f.file, h.bytes, size)
	if err != nil {
		return err
	}
	f.add(name, func() (*Tensor, error) { return t, nil })
	return nil
}

func (f *File) add(name string, m member) {
	f.members[name] = m
	f.names = append(f.names, name)
}

// Close closes the file, and gives the space of temporary files back. Its tensors
// can no longer be read.
func (f *File) Close() error {
	f.scratch.close()
	return f.file.Close()
}

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Names returns the names of all arrays, sorted: those of an archive's members
// without ".npy", that of a file without its directory and extension.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Has reports whether the file has an array of that name.
func (f *File) Has(name string) bool { return f.members[name] != nil }

// Tensor looks an array up and reads its header, not its values. An array of a
// type that is not read is returned all the same; reading its values is the error.
// A name that is not there is an error that lists those that are; so are an
// encrypted member, one compressed in another way than by deflate, and one whose
// length is not what its shape says.
func (f *File) Tensor(name string) (*Tensor, error) {
	m := f.members[name]
	if m == nil {
		return nil, &fault.Error{
			Op: opRead, Subject: f.subject(name), Problem: "is missing", Found: tensor.Shortened(f.names, 0),
		}
	}
	t, err := m()
	if err != nil {
		return nil, fault.At(opRead, f.subject(name), err)
	}
	return t, nil
}

func (f *File) subject(name string) string { return f.path + ": array " + name }
