package tensor

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
)

// Encoding is how a run of values is stored: blocks of Values values in Bytes
// bytes. Plain numbers are blocks of one value.
type Encoding struct {
	Name   string // as its file format calls it: "BF16", "Q8_0"
	Values int    // values in a block, at most maxBlockValues
	Bytes  int    // bytes in a block, at most scratchBytes
	// Decode converts the blocks of src, whose length is a multiple of Bytes, to
	// float32. len(dst) is len(src)/Bytes*Values.
	Decode func(dst []float32, src []byte)
}

// Names returns the names of encodings.
func Names(encodings []*Encoding) []string {
	names := make([]string, len(encodings))
	for i, e := range encodings {
		names[i] = e.Name
	}
	return names
}

// Stored is a tensor in an open file. It is safe for concurrent use.
type Stored struct {
	Source  io.ReaderAt
	Subject string // file and tensor, in errors
	Offset  int64  // of the first block in Source
	Len     int    // number of values, a multiple of Encoding.Values
	DType   string // as the file calls it, in errors
	// Encoding is nil for types that are not read: such a tensor is part of the
	// file, but reading it is an error.
	Encoding *Encoding
	// Readable lists the types that are read, in errors.
	Readable []string
}

const (
	// scratchBytes of blocks are read at a time: enough that the call costs
	// nothing beside the copy, and small enough to stay in L2.
	scratchBytes   = 256 << 10
	maxBlockValues = 256
)

var scratches = sync.Pool{New: func() any { return new([scratchBytes]byte) }}

// ReadFloats reads the values from … from+len(dst)-1, in the order in which they
// are stored, to dst. A range outside the tensor is an error, and so is a file
// that became shorter since it was opened.
func (s *Stored) ReadFloats(from int, dst []float32) error {
	if err := s.readable(); err != nil {
		return err
	}
	if from < 0 || from > s.Len-len(dst) {
		return &fault.Error{
			Subject: s.Subject, Expected: fmt.Sprintf("a range within its %d values", s.Len),
			Found: fmt.Sprintf("%d values from %d on", len(dst), from),
		}
	}
	scratch := scratches.Get().(*[scratchBytes]byte)
	defer scratches.Put(scratch)
	for len(dst) > 0 {
		n, err := s.readSome(from, dst, scratch[:])
		if err != nil {
			return s.readFailed(err)
		}
		from, dst = from+n, dst[n:]
	}
	return nil
}

// readSome reads the blocks of one scratch, and returns how many values of dst
// that made. A range may begin or end inside a block.
func (s *Stored) readSome(from int, dst []float32, scratch []byte) (int, error) {
	e := s.Encoding
	block, skip := from/e.Values, from%e.Values
	blocks := 1
	if skip == 0 && len(dst) >= e.Values {
		blocks = min(len(dst)/e.Values, len(scratch)/e.Bytes)
	}
	raw := scratch[:blocks*e.Bytes]
	// A reader may report io.EOF along with the last bytes that it has.
	if n, err := s.Source.ReadAt(raw, s.Offset+int64(block)*int64(e.Bytes)); n < len(raw) {
		return 0, err
	}
	if whole := blocks * e.Values; skip == 0 && len(dst) >= whole {
		e.Decode(dst[:whole], raw)
		return whole, nil
	}
	var values [maxBlockValues]float32
	e.Decode(values[:e.Values], raw)
	return copy(dst, values[skip:e.Values]), nil
}

func (s *Stored) readFailed(err error) error {
	if errors.Is(err, io.EOF) {
		return &fault.Error{Subject: s.Subject, Problem: "the file became shorter while it was read", Err: io.ErrUnexpectedEOF}
	}
	return &fault.Error{Subject: s.Subject, Problem: "cannot be read", Err: err}
}

// readable returns an error for a type that is not read.
func (s *Stored) readable() error {
	if s.Encoding != nil {
		return nil
	}
	return &fault.Error{
		Subject: s.Subject, Expected: "values of type " + strings.Join(s.Readable, ", "), Found: s.DType,
	}
}
