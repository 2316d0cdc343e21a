package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/saedb/saedb/internal/fault"
)

const (
	magic = "\x93NUMPY"
	// maxHeaderBytes is the most that version 1 can say. NumPy itself reads no more
	// than 10,000 characters unless it is told to trust the file.
	maxHeaderBytes = 1<<16 - 1
)

// header is what comes before an array's values.
type header struct {
	bytes   int64  // from the beginning of the file to the first value
	descr   string // NumPy's name of the values' type: "<f4"
	fortran bool   // the first index varies fastest, not the last
	shape   []uint64
}

// readHeader reads the magic number, version, length and dict that an array
// begins with. What it allocates does not depend on what the file says.
//
// Version 1 has a length of 2 bytes, 2 and 3 of 4. The text is ASCII in all three
// for the types that are read; 3 is for structured types whose names are not Latin-1.
func readHeader(from io.Reader) (*header, error) {
	var prefix [len(magic) + 2]byte
	if _, err := io.ReadFull(from, prefix[:]); err != nil {
		return nil, cutShort("magic number", err)
	}
	if string(prefix[:len(magic)]) != magic {
		return nil, &fault.Error{Expected: fmt.Sprintf("an array, which begins with %q", magic), Found: fmt.Sprintf("%q", prefix[:len(magic)])}
	}
	width := 2
	switch version := prefix[len(magic):]; {
	case version[0] < 1 || version[0] > 3 || version[1] != 0:
		return nil, &fault.Error{Expected: "version 1.0, 2.0 or 3.0 of the format", Found: fmt.Sprintf("%d.%d", version[0], version[1])}
	case version[0] > 1:
		width = 4
	}
	var length [4]byte
	if _, err := io.ReadFull(from, length[:width]); err != nil {
		return nil, cutShort("header length", err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxHeaderBytes {
		return nil, &fault.Error{Problem: "header length", Expected: fmt.Sprintf("at most %d bytes", maxHeaderBytes), Found: fmt.Sprint(n)}
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(from, text); err != nil {
		return nil, cutShort("header", err)
	}
	h := &header{bytes: int64(len(prefix) + width + len(text))}
	if !utf8.Valid(text) {
		return nil, &fault.Error{Problem: "header", Expected: "a dict of descr, fortran_order and shape", Found: "bytes that are no text"}
	}
	return h, h.parse(string(text))
}

// cutShort returns the error for an array that ends inside what.
func cutShort(what string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return &fault.Error{Problem: "ends inside its " + what, Hint: "was it downloaded whole?"}
	}
	return &fault.Error{Problem: what + " cannot be read", Err: err}
}
