package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"

	"github.com/saedb/saedb/internal/fault"
)

// unpacked is a compressed member with positions: the first read unpacks it into
// a temporary file, and every read reads from there. When that failed, every read
// returns why.
type unpacked struct {
	entry   *zip.File // whose UncompressedSize64 is what its array's shape says
	scratch *scratch

	once sync.Once
	file *os.File
	err  error
}

// UnpacksWhole tells that no range can be read without the rest.
func (u *unpacked) UnpacksWhole() {}

func (u *unpacked) ReadAt(p []byte, offset int64) (int, error) {
	u.once.Do(func() { u.file, u.err = u.scratch.unpack(u.entry) })
	if u.err != nil {
		return 0, u.err
	}
	return u.file.ReadAt(p, offset)
}

// scratch is the temporary files of an archive. They have no names: whatever
// becomes of this process, their space is given back.
type scratch struct {
	mutex sync.Mutex
	files []*os.File
}

// unpack writes what entry holds to a new temporary file, in the directory that
// TMPDIR names, and checks its length and CRC.
func (s *scratch) unpack(entry *zip.File) (*os.File, error) {
	size := entry.UncompressedSize64
	dir := os.TempDir()
	if free, ok := freeSpace(dir); ok && free < size {
		return nil, noRoom(dir, size, fmt.Sprintf("%d bytes free", free))
	}
	file, err := temporary(dir)
	if err != nil {
		return nil, err
	}
	if err := inflate(file, entry, dir); err != nil {
		file.Close()
		return nil, err
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.files = append(s.files, file)
	return file, nil
}

func (s *scratch) close() {
	for _, file := range s.files {
		file.Close()
	}
	s.files = nil
}

// temporary creates a file without a name in dir.
func temporary(dir string) (*os.File, error) {
	file, err := os.CreateTemp(dir, "saedb-*"+extension)
	if err != nil {
		return nil, cannotUnpack(dir, err)
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, cannotUnpack(dir, err)
	}
	return file, nil
}

// inflate writes what entry holds to file, which is in dir. The zip reader ends
// with an error when that is more or less than the archive's directory says, or
// has another CRC.
func inflate(file io.Writer, entry *zip.File, dir string) error {
	reader, err := entry.Open()
	if err != nil {
		return &fault.Error{Problem: "member of the archive cannot be opened", Err: err}
	}
	defer reader.Close()
	from := &errorReader{reader: reader}
	n, err := io.Copy(file, from)
	switch {
	case err == nil:
		return nil
	case from.err != nil:
		return &fault.Error{
			Problem:  fmt.Sprintf("unpacking failed after %d bytes", n),
			Expected: fmt.Sprintf("%d bytes with CRC %08x", entry.UncompressedSize64, entry.CRC32),
			Err:      err, Hint: "the archive is damaged, or was not downloaded whole",
		}
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return noRoom(dir, entry.UncompressedSize64, fmt.Sprintf("room for %d", n))
	default:
		return cannotUnpack(dir, err)
	}
}

// errorReader keeps the error of its reader, to tell it from the writer's.
type errorReader struct {
	reader io.Reader
	err    error
}

func (r *errorReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

const tmpdirHint = "set TMPDIR to a directory with room for it"

func noRoom(dir string, size uint64, found string) error {
	return &fault.Error{
		Problem: "unpacking into " + dir, Expected: fmt.Sprintf("room for %d bytes", size), Found: found, Hint: tmpdirHint,
	}
}

func cannotUnpack(dir string, err error) error {
	return &fault.Error{Problem: "unpacking into " + dir, Err: err, Hint: tmpdirHint}
}
