package tensor

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// File is an open file of tensors, of any format. It is safe for concurrent use, but for Close.
type File struct {
	op, path string
	names    []string // sorted
	find     func(name string) (*Tensor, error)
	close    func() error
}

// NewFile is what the reader of a format makes of a file that it has opened: op is the
// operation, in errors, and names are those of all tensors. Find looks one up; it returns nil
// and no error where there is none of that name.
func NewFile(op, path string, names []string, find func(name string) (*Tensor, error), close func() error) *File {
	slices.Sort(names)
	return &File{op: op, path: path, names: names, find: find, close: close}
}

// Close closes the file. Its tensors can no longer be read.
func (f *File) Close() error { return f.close() }

// Path returns the path that the file was opened with.
func (f *File) Path() string { return f.path }

// Names returns the names of all tensors, sorted.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Subject is a tensor of a file, in errors.
func (f *File) Subject(name string) string { return Subject(f.path, name) }

// Subject is a tensor of the file at path, in errors.
func Subject(path, name string) string { return path + ": tensor " + name }

// Within is a part of f, in which tensors have other names: those that find knows.
func (f *File) Within(find func(name string) (*Tensor, error)) *File {
	part := *f
	part.find = find
	return &part
}

// Has reports whether the file has a tensor of that name, be it one that cannot be read.
func (f *File) Has(name string) bool {
	t, err := f.find(name)
	return t != nil || err != nil
}

// Tensor looks a tensor up, of any type and without reading its values; reading one of a type
// that is not read is the error. A name that is not there is an error that lists those that
// are.
func (f *File) Tensor(name string) (*Tensor, error) {
	t, err := f.find(name)
	if err == nil && t == nil {
		err = &fault.Error{Problem: "is missing", Found: Shortened(OutsideBlocks(f.names))}
	}
	return t, fault.At(f.op, f.Subject(name), err)
}

const shown = 8 // names in an error

// Shortened lists names for an error, the first few of many; more counts names
// that the caller left out itself.
func Shortened(names []string, more int) string {
	if len(names) > shown {
		names, more = names[:shown], more+len(names)-shown
	}
	list := strings.Join(names, ", ")
	switch {
	case list == "" && more == 0:
		return "no tensors"
	case more == 0:
		return list
	case list == "":
		return fmt.Sprintf("%d others", more)
	default:
		return fmt.Sprintf("%s and %d more", list, more)
	}
}

// OutsideBlocks leaves out of many names those of blocks, which have a number for an element as
// "layers.7.mlp.weight" has: they are alike. It counts them in more.
func OutsideBlocks(names []string) (outside []string, more int) {
	if len(names) <= shown {
		return names, 0
	}
	outside = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(strings.Split(name, "."), func(element string) bool {
			_, err := strconv.Atoi(element)
			return err == nil
		})
	})
	return outside, len(names) - len(outside)
}

// OpenZip lists the members of a zip archive of size bytes, of whose directory no more than
// most bytes are read. Encrypted members and those of paths that lead out are listed too.
func OpenZip(file io.ReaderAt, size, most int64) (*zip.Reader, error) {
	limited := &limitedReaderAt{file: file, left: most}
	reader, err := zip.NewReader(limited, size)
	if limited.left < 0 {
		return nil, &fault.Error{Problem: "directory of the zip archive", Expected: fmt.Sprintf("at most %d MB", most>>20), Found: "more"}
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	limited.unlimited = true
	return reader, nil
}

// limitedReaderAt reads a file until left bytes were read, or without limit. The
// zip reader believes a directory's length as long as the file is as long.
type limitedReaderAt struct {
	file      io.ReaderAt
	left      int64 // below 0 once more was asked for
	unlimited bool  // set before the reader is shared
}

func (r *limitedReaderAt) ReadAt(p []byte, offset int64) (int, error) {
	if !r.unlimited {
		if r.left -= int64(len(p)); r.left < 0 {
			return 0, errors.New("limit reached")
		}
	}
	return r.file.ReadAt(p, offset)
}

// PointerHint returns a hint when the first bytes of a file are those of a Git LFS
// pointer, which a clone without LFS leaves in place of large files, and "" otherwise.
func PointerHint(first []byte) string {
	const pointer = "version https://git-lfs"
	if len(first) >= 8 && bytes.HasPrefix([]byte(pointer), first[:min(len(first), len(pointer))]) {
		return "this is a Git LFS pointer and not the file itself: run git lfs pull"
	}
	return ""
}
