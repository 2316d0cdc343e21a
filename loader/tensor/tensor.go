// Package tensor reads stored tensors as float32, whatever file they are in.
//
// The reader of a file format says which tensors a file holds ([File]), and of each where its
// values are and how they are encoded ([Tensor]); this package turns a range of them into
// float32 with positioned reads and bounded memory.
package tensor

import (
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
)

// Tensor is a tensor of an open file, of any format. It is safe for concurrent use and valid
// until the file is closed.
type Tensor struct {
	Op      string // the operation, in errors: "read safetensors"
	Subject string // file and tensor, in errors
	DType   string // as the file's format calls it: F32, Q6_K, and those that are not read
	Shape   []int  // not to be changed

	Source io.ReaderAt
	Offset int64 // of the first block in Source
	Order  Order
	// Encoding is nil for types that are not read: such a tensor is part of the
	// file, but reading it is an error.
	Encoding *Encoding

	// In errors: the types that are read, how values lie that are not in RowMajor order, and
	// what to do about a type or an order that is not read.
	Readable []string
	Layout   string
	Hint     string
}

// Order is the order of a tensor's values in its file.
type Order int

const (
	RowMajor    Order = iota // one after the other, the last dimension fastest
	ColumnMajor              // one after the other, the first dimension fastest
	Scattered                // with gaps, or in an order that is not read
)

const (
	// scratchBytes of blocks are read at a time: enough that the call costs
	// nothing beside the copy, and small enough to stay in L2.
	scratchBytes   = 256 << 10
	maxBlockValues = 256
)

var scratches = sync.Pool{New: func() any { return new([scratchBytes]byte) }}

// Len returns the number of values.
func (t *Tensor) Len() int {
	n := 1
	for _, dimension := range t.Shape {
		n *= dimension
	}
	return n
}

// As returns what is stored from the same place on as a tensor of another encoding and shape,
// which the caller has held against t's.
func (t *Tensor) As(encoding *Encoding, shape ...int) *Tensor {
	other := *t
	other.Encoding, other.Shape = encoding, shape
	return &other
}

// ReadFloats reads the values from … from+len(dst)-1, in row-major order, as float32. A
// range outside the tensor, a type that is not read, another order than RowMajor, and a file
// that became shorter since it was opened are errors.
func (t *Tensor) ReadFloats(from int, dst []float32) error {
	if err := t.checkOrder(RowMajor, "values in row-major order"); err != nil {
		return err
	}
	if n := t.Len(); from < 0 || from > n-len(dst) {
		return t.unfit(fmt.Sprintf("a range within its %d values", n), fmt.Sprintf("%d values from %d on", len(dst), from))
	}
	return t.read(from, dst)
}

// read reads values of a range within the tensor, in the order in which they are stored.
func (t *Tensor) read(from int, dst []float32) error {
	scratch := scratches.Get().(*[scratchBytes]byte)
	defer scratches.Put(scratch)
	for len(dst) > 0 {
		n, err := t.readSome(from, dst, scratch[:])
		if err != nil {
			return t.readFailed(err)
		}
		from, dst = from+n, dst[n:]
	}
	return nil
}

// readSome reads the blocks of one scratch, and returns how many values of dst
// that made. A range may begin or end inside a block.
func (t *Tensor) readSome(from int, dst []float32, scratch []byte) (int, error) {
	e := t.Encoding
	block, skip := from/e.Values, from%e.Values
	blocks := 1
	if skip == 0 && len(dst) >= e.Values {
		blocks = min(len(dst)/e.Values, len(scratch)/e.Bytes)
	}
	raw := scratch[:blocks*e.Bytes]
	// A reader may report io.EOF along with the last bytes that it has.
	if n, err := t.Source.ReadAt(raw, t.Offset+int64(block)*int64(e.Bytes)); n < len(raw) {
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

func (t *Tensor) readFailed(err error) error {
	if errors.Is(err, io.EOF) {
		return &fault.Error{Op: t.Op, Subject: t.Subject, Problem: "the file became shorter while it was read", Err: io.ErrUnexpectedEOF}
	}
	return &fault.Error{Op: t.Op, Subject: t.Subject, Problem: "cannot be read", Err: err}
}

// checkOrder returns an error for a type that is not read, and where values lie beyond the
// orders up to last, as expected says.
func (t *Tensor) checkOrder(last Order, expected string) error {
	if t.Encoding != nil && t.Order <= last {
		return nil
	}
	e := t.unfit(expected, t.Layout)
	if t.Encoding == nil {
		e = t.unfit("values of type "+strings.Join(t.Readable, ", "), t.DType)
	}
	e.Hint = t.Hint
	return e
}

func (t *Tensor) unfit(expected, found string) *fault.Error {
	return &fault.Error{Op: t.Op, Subject: t.Subject, Expected: expected, Found: found}
}

// Count returns the product of dimensions as a file gives them: 1 for none. It
// reports false when the product, or a dimension, is more than an int holds.
func Count(dimensions []uint64) (int, bool) {
	product := uint64(1)
	for _, n := range dimensions {
		high, low := bits.Mul64(product, n)
		if high != 0 || low > math.MaxInt || n > math.MaxInt {
			return 0, false
		}
		product = low
	}
	return int(product), true
}

// Shape returns dimensions of which Count is known.
func Shape(dimensions []uint64) []int {
	shape := make([]int, len(dimensions))
	for i, n := range dimensions {
		shape[i] = int(n)
	}
	return shape
}
