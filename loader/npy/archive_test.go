package npy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/saedb/saedb/loader/npy/npytest"
	"github.com/saedb/saedb/loader/tensor"
)

// deflated returns an archive of one member "w", whose header change may alter.
func deflated(content []byte, change func(*npytest.Member)) []byte {
	m := npytest.NewMember("w.npy", zip.Deflate, content)
	if change != nil {
		change(&m)
	}
	return npytest.Zip(m)
}

func readFirst(x *tensor.Tensor) error { return x.ReadFloats(0, make([]float32, 1)) }

// Members that are told by the archive's directory or the array's header to be
// unreadable: found without unpacking anything.
func TestUnreadableMembers(t *testing.T) {
	content := npytest.Bytes(arrays[0])
	length := fmt.Sprintf("found %d bytes in all", len(content)+4)
	stored := func(change func(*npytest.Member)) []byte {
		m := npytest.NewMember("w.npy", zip.Store, content)
		change(&m)
		return npytest.Zip(m)
	}
	longer := func(m *npytest.Member) { m.UncompressedSize64 += 4 }
	tests := []struct {
		name    string
		archive []byte
		want    string
	}{
		{"encrypted", deflated(content, func(m *npytest.Member) { m.Flags |= 1 }), "is encrypted"},
		{"LZMA", deflated(content, func(m *npytest.Member) { m.Method = 14 }), "found compression method 14"},
		{"more than the shape", deflated(content, longer), length},
		{"less than the shape", deflated(content, func(m *npytest.Member) { m.UncompressedSize64-- }), "expected 6 × 4 bytes for <f4 [2 3]"},
		{"bomb", deflated(content, func(m *npytest.Member) { m.UncompressedSize64 = 1 << 40 }), "found 1099511627776 bytes in all"},
		{"beyond int64", deflated(content, func(m *npytest.Member) { m.UncompressedSize64 = 1 << 63 }), "found 9223372036854775808 bytes"},
		{"no deflate", deflated(content, func(m *npytest.Member) { m.Stored[0] = 0xff }), "magic number cannot be read: flate: corrupt input"},
		{"no array", deflated([]byte("just a text that is no array"), nil), `found "just a"`},
		{"empty", deflated(nil, nil), "ends inside its magic number"},
		{"stored, two lengths", stored(longer), "expected 156 bytes at byte 35 of the archive, found 152"},
		{"stored, beyond the end", stored(func(m *npytest.Member) { m.UncompressedSize64, m.CompressedSize64 = 4096, 4096 }), "expected 4096 bytes"},
		{"stored, more than the shape", npytest.Zip(npytest.NewMember("w.npy", zip.Store, append(slices.Clone(content), 0, 0, 0, 0))), length},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := open(t, test.archive)
			t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "absent"))
			for range 2 { // the same error again
				x, err := f.Tensor("w")
				checkFault(t, err, f.Path()+": tensor w", test.want)
				if x != nil {
					t.Error("an array beside an error")
				}
			}
		})
	}
}

// Members that turn out to be damaged while they are unpacked.
func TestDamagedMembers(t *testing.T) {
	content := npytest.Bytes(npytest.Floats("w", []int{100, 100}, make([]float32, 10_000)...))
	tests := []struct {
		name   string
		change func(*npytest.Member)
		want   string
	}{
		{"other CRC", func(m *npytest.Member) { m.CRC32 = 1 }, "checksum error"},
		{"longer than it says", func(m *npytest.Member) {
			m.Stored = npytest.Deflate(append(content, make([]byte, 8<<20)...))
			m.CompressedSize64 = uint64(len(m.Stored))
		}, "expected 40128 bytes with CRC"},
		{"shorter than it says", func(m *npytest.Member) {
			m.Stored = npytest.Deflate(content[:len(content)-1])
			m.CompressedSize64 = uint64(len(m.Stored))
		}, "expected 40128 bytes with CRC 4c7a8b2f: unexpected EOF"},
		{"stream cut", func(m *npytest.Member) {
			m.Stored = m.Stored[:len(m.Stored)-4]
			m.CompressedSize64 = uint64(len(m.Stored))
		}, "unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := open(t, deflated(content, test.change))
			temporaries := t.TempDir()
			t.Setenv("TMPDIR", temporaries)
			x := array(t, f, "w")
			for range 2 {
				checkFault(t, readFirst(x), f.Path()+": tensor w", test.want)
			}
			if n := len(temporaryFiles(t, temporaries)); n != 0 {
				t.Errorf("%d temporary files are left open", n)
			}
		})
	}
}

// temporaryFiles returns the open files of this process in dir, with and without names.
func temporaryFiles(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%v in %s: %v", entries, dir, err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("needs /proc: %v", err)
	}
	var found []string
	for _, fd := range open {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(target, dir) {
			found = append(found, target)
		}
	}
	return found
}

// A member is unpacked once, by whoever reads it first, into bounded memory and
// one file without a name, which Close gives back.
func TestUnpackOnce(t *testing.T) {
	const rows, cols = 4096, 1024
	values := make([]float32, rows*cols)
	for i := range values {
		values[i] = float32(i % 1000)
	}
	path := write(t, npytest.Archive(zip.Deflate, npytest.Floats("w", []int{rows, cols}, values...)))
	temporaries := t.TempDir()
	t.Setenv("TMPDIR", temporaries)
	f := openPath(t, path)
	m, err := array(t, f, "w").Matrix()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(temporaryFiles(t, temporaries)); n != 0 {
		t.Fatalf("%d temporary files before the first read", n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var readers sync.WaitGroup
	for part := range 8 {
		readers.Go(func() {
			row := make([]float32, cols)
			for r := part; r < rows; r += 8 {
				if err := m.ReadRows(r, row); err != nil || !slices.Equal(row, values[r*cols:(r+1)*cols]) {
					t.Errorf("row %d: %v", r, err)
					return
				}
			}
		})
	}
	readers.Wait()
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
		t.Errorf("%d bytes allocated for a member of %d", allocated, 4*len(values))
	}
	if n := len(temporaryFiles(t, temporaries)); n != 1 {
		t.Errorf("%d temporary files, want 1", n)
	}
	f.Close()
	if n := len(temporaryFiles(t, temporaries)); n != 0 {
		t.Errorf("%d temporary files after Close", n)
	}
}

func TestNoTemporaryDirectory(t *testing.T) {
	f := open(t, npytest.Archive(zip.Deflate, arrays[0]))
	dir := filepath.Join(t.TempDir(), "absent")
	t.Setenv("TMPDIR", dir)
	err := readFirst(array(t, f, "w"))
	checkFault(t, err, f.Path()+": tensor w", "unpacking into "+dir)
	checkFault(t, err, f.Path()+": tensor w", "set TMPDIR to a directory with room for it")
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v is not os.ErrNotExist", err)
	}
}

// An array of an exabyte, which the archive's directory agrees with.
func TestTooLittleSpace(t *testing.T) {
	dir := t.TempDir()
	free, ok := freeSpace(dir)
	if !ok {
		t.Skip("needs a system that tells the free space")
	}
	content := npytest.Bytes(npytest.Array{Descr: "<f8", Shape: []int{1 << 57}})
	size := uint64(len(content)) + 1<<60
	// Its stream goes on behind the header, but not for long.
	f := open(t, deflated(append(content, 0), func(m *npytest.Member) { m.UncompressedSize64 = size }))
	t.Setenv("TMPDIR", dir)
	err := readFirst(array(t, f, "w"))
	checkFault(t, err, f.Path()+": tensor w", fmt.Sprintf("unpacking into %s: expected room for %d bytes, found ", dir, size))
	checkFault(t, err, f.Path()+": tensor w", "bytes free (set TMPDIR")
	if free == 0 || free >= size {
		t.Errorf("%d bytes are free", free)
	}
}

func TestDiskFull(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("needs /dev/full: %v", err)
	}
	defer full.Close()
	content := npytest.Archive(zip.Deflate, arrays[0])
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	err = inflate(full, archive.File[0], "/somewhere")
	if want := "unpacking into /somewhere: expected room for 152 bytes, found room for 0 (set TMPDIR"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
	failing := writerFunc(func([]byte) (int, error) { return 0, syscall.EIO })
	if err := inflate(failing, archive.File[0], "/somewhere"); !errors.Is(err, syscall.EIO) {
		t.Errorf("%v is not EIO", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Members that are no arrays are not in the way.
func TestOtherMembers(t *testing.T) {
	f := open(t, npytest.Zip(
		npytest.NewMember("README.txt", zip.Store, []byte("text")),
		npytest.NewMember("w.npy", zip.Store, npytest.Bytes(arrays[0])),
		npytest.NewMember("damaged.npy", zip.Store, []byte("text")),
	))
	if got := f.Names(); !slices.Equal(got, []string{"damaged", "w"}) {
		t.Errorf("names %v", got)
	}
	if got := matrix(t, array(t, f, "w").Matrix); got[5] != 6 {
		t.Errorf("%v", got)
	}
	_, err := f.Tensor("damaged")
	checkFault(t, err, f.Path()+": tensor damaged", "ends inside its magic number")
}

// sparseWriter writes a file whose long zeros take no room on disk.
type sparseWriter struct{ file *os.File }

func (w sparseWriter) Write(p []byte) (int, error) {
	if len(p) == len(zeros) {
		_, err := w.file.Seek(int64(len(p)), io.SeekCurrent)
		return len(p), err
	}
	return w.file.Write(p)
}

var zeros = make([]byte, 1<<20)

// A member of more than 4 GB, and one that begins beyond 4 GB.
func TestZip64(t *testing.T) {
	const rows, cols = 4097, 1 << 18 // rows of 1 MB
	path := filepath.Join(t.TempDir(), "large.npz")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	large := npytest.Bytes(npytest.Array{Descr: "<f4", Shape: []int{rows, cols}})
	small := npytest.NewMember("small.npy", zip.Deflate, npytest.Bytes(arrays[0]))
	size := uint64(len(large)) + rows*uint64(len(zeros))
	w := zip.NewWriter(sparseWriter{file})
	to, err := w.CreateRaw(&zip.FileHeader{
		Name: "large.npy", Method: zip.Store, CRC32: crc32.ChecksumIEEE(large), CompressedSize64: size, UncompressedSize64: size,
	})
	if err == nil {
		_, err = to.Write(large)
	}
	// A flush leaves the zip writer's buffer empty, and zeros go past it.
	err = errors.Join(err, w.Flush())
	for range rows - 1 {
		err = errors.Join(err, write1(to, zeros))
	}
	err = errors.Join(err, write1(to, zeros[4:]), write1(to, []byte{0, 0, 0x80, 0x3f}))
	to, createErr := w.CreateRaw(&small.FileHeader)
	if err = errors.Join(err, createErr); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write1(to, small.Stored), w.Close()); err != nil {
		t.Fatal(err)
	}
	f := openPath(t, path)
	x := array(t, f, "large")
	one := []float32{0}
	if err := x.ReadFloats(rows*cols-1, one); err != nil || one[0] != 1 {
		t.Errorf("the last value is %v, %v", one, err)
	}
	if got := matrix(t, array(t, f, "small").Matrix); got[5] != 6 {
		t.Errorf("%v", got)
	}
}

func write1(w io.Writer, p []byte) error {
	_, err := w.Write(p)
	return err
}
