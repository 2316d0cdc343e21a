package gguf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/saedb/saedb/internal/fault"
)

var order = binary.LittleEndian

// maxHeaderBytes bounds what is read before the tensors' values, and with it the
// memory that a file can claim. The largest vocabularies, of 260,000 tokens with
// merges, take 20 MB.
const maxHeaderBytes = 256 << 20

// cursor reads a header from front to back. No length that it reads is used
// before it is held against what is left of the file.
type cursor struct {
	reader   *bufio.Reader
	position int64
	size     int64   // of the file
	word     [8]byte // the number being read
}

func newCursor(file io.ReaderAt, size int64) *cursor {
	return &cursor{reader: bufio.NewReaderSize(io.NewSectionReader(file, 0, size), 64<<10), size: size}
}

// remaining is how many bytes the header can still have.
func (c *cursor) remaining() uint64 {
	return uint64(min(c.size, maxHeaderBytes) - c.position)
}

// fits returns an error unless the header can have n more items of at least
// width bytes; what names them.
func (c *cursor) fits(n, width uint64, what string) error {
	if n <= c.remaining()/width {
		return nil
	}
	return &fault.Error{
		Problem:  fmt.Sprintf("%s, at byte %d", what, c.position),
		Expected: fmt.Sprintf("%d items of %d bytes or more", n, width), Found: fmt.Sprintf("room for %d", c.remaining()/width),
		Hint: "the file is damaged, or only the beginning of one",
	}
}

// bytes reads n bytes; what names them in an error.
func (c *cursor) bytes(n uint64, what string) ([]byte, error) {
	return c.appendBytes(nil, n, what)
}

// appendBytes appends the next n bytes to dst; what names them in an error.
func (c *cursor) appendBytes(dst []byte, n uint64, what string) ([]byte, error) {
	if err := c.fits(n, 1, what); err != nil {
		return nil, err
	}
	dst = slices.Grow(dst, int(n))
	end := len(dst) + int(n)
	if _, err := io.ReadFull(c.reader, dst[len(dst):end]); err != nil {
		return nil, err
	}
	c.position += int64(n)
	return dst[:end], nil
}

func (c *cursor) uint32(what string) (uint32, error) {
	raw, err := c.appendBytes(c.word[:0], 4, what)
	if err != nil {
		return 0, err
	}
	return order.Uint32(raw), nil
}

func (c *cursor) uint64(what string) (uint64, error) {
	raw, err := c.appendBytes(c.word[:0], 8, what)
	if err != nil {
		return 0, err
	}
	return order.Uint64(raw), nil
}

// count reads a number of items, each of which takes width bytes or more.
func (c *cursor) count(what string, width uint64) (uint64, error) {
	n, err := c.uint64(what)
	if err != nil {
		return 0, err
	}
	return n, c.fits(n, width, what)
}

// string reads a length and as many bytes.
func (c *cursor) string(what string) (string, error) {
	n, err := c.uint64(what)
	if err != nil {
		return "", err
	}
	raw, err := c.bytes(n, what)
	return string(raw), err
}
