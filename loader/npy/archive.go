package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

const (
	// maxDirectoryBytes bounds the archive's directory, and with it the memory that
	// it can claim. A member takes some 100 bytes of it.
	maxDirectoryBytes = 4 << 20

	encryptedFlag = 1 // of a member's flags, section 4.4.4 of PKWARE's APPNOTE.TXT
)

// addArchive adds the arrays of a .npz archive of size bytes. Members that are no
// arrays are left out.
func (f *archive) addArchive(size int64) error {
	archive, err := tensor.OpenZip(f.file, size, maxDirectoryBytes)
	var e *fault.Error
	if errors.As(err, &e) {
		return err
	}
	if err != nil {
		return &fault.Error{Problem: "is no whole zip archive", Err: err, Hint: "was it downloaded whole?"}
	}
	for _, entry := range archive.File {
		name, isArray := strings.CutSuffix(entry.Name, extension)
		if !isArray {
			continue
		}
		if f.members[name] != nil {
			return &fault.Error{Problem: fmt.Sprintf("array %q is there twice", name)}
		}
		f.members[name] = sync.OnceValues(func() (*tensor.Tensor, error) { return f.openMember(name, entry, size) })
	}
	return nil
}

// openMember reads the header of an array in an archive of archiveSize bytes.
func (f *archive) openMember(name string, entry *zip.File, archiveSize int64) (*tensor.Tensor, error) {
	if entry.Flags&encryptedFlag != 0 {
		return nil, &fault.Error{Problem: "is encrypted", Hint: "write the archive again without a password"}
	}
	if entry.UncompressedSize64 > math.MaxInt64 {
		return nil, &fault.Error{Problem: "length", Found: fmt.Sprintf("%d bytes", entry.UncompressedSize64)}
	}
	switch entry.Method {
	case zip.Store:
		return f.openStored(name, entry, archiveSize)
	case zip.Deflate:
		return f.openDeflated(name, entry)
	}
	return nil, &fault.Error{
		Expected: "a member that is stored or deflated", Found: fmt.Sprintf("compression method %d", entry.Method),
		Hint: "write the archive with numpy.savez or numpy.savez_compressed",
	}
}

// openStored opens a member whose bytes stand in the archive as they are.
func (f *archive) openStored(name string, entry *zip.File, archiveSize int64) (*tensor.Tensor, error) {
	begin, err := entry.DataOffset()
	if err != nil {
		return nil, &fault.Error{Problem: "member of the archive cannot be found", Err: err}
	}
	size := int64(entry.UncompressedSize64)
	if entry.CompressedSize64 != entry.UncompressedSize64 || size > archiveSize-begin {
		return nil, &fault.Error{
			Problem: "length", Expected: fmt.Sprintf("%d bytes at byte %d of the archive", size, begin),
			Found: fmt.Sprintf("%d, and %d to its end", entry.CompressedSize64, archiveSize-begin), Hint: "was it downloaded whole?",
		}
	}
	h, err := readHeader(io.NewSectionReader(f.file, begin, size))
	if err != nil {
		return nil, err
	}
	return f.newTensor(name, h, f.file, begin+h.bytes, size)
}

// openDeflated opens a compressed member. Its header alone is unpacked.
func (f *archive) openDeflated(name string, entry *zip.File) (*tensor.Tensor, error) {
	reader, err := entry.Open()
	if err != nil {
		return nil, &fault.Error{Problem: "member of the archive cannot be opened", Err: err}
	}
	defer reader.Close()
	h, err := readHeader(reader)
	if err != nil {
		return nil, err
	}
	source := &unpacked{entry: entry, scratch: &f.scratch}
	return f.newTensor(name, h, source, h.bytes, int64(entry.UncompressedSize64))
}
