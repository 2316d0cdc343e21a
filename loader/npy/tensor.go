package npy

import (
	"fmt"
	"io"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Tensor is an array of an open file. It is safe for concurrent use and valid
// until the file is closed.
type Tensor struct {
	Name  string
	DType string // F32, F16 or F64; of those that are not read NumPy's name: "<i8"
	Shape []int  // not to be changed

	fortran bool // stored with the first index varying fastest
	values  *tensor.Stored
}

// types are the types that are read, by NumPy's name, in the order of an error's list.
var types = []struct {
	descr    string
	encoding *tensor.Encoding
}{
	{"<f4", tensor.F32}, {"<f2", tensor.F16}, {"<f8", tensor.F64},
}

// newTensor makes a tensor of an array of size bytes, whose values begin at
// offset of source. It is an error when size is not what the header says, to the
// byte, or the shape is beyond what a machine can address.
func (f *File) newTensor(name string, h *header, source io.ReaderAt, offset, size int64) (*Tensor, error) {
	length, ok := tensor.Count(h.shape)
	if !ok {
		return nil, &fault.Error{Problem: fmt.Sprintf("shape %v is too large", h.shape)}
	}
	t := &Tensor{Name: name, DType: h.descr, Shape: make([]int, len(h.shape)), fortran: h.fortran && len(h.shape) > 1}
	for i, n := range h.shape {
		t.Shape[i] = int(n)
	}
	t.values = &tensor.Stored{Source: source, Subject: f.subject(name), Offset: offset, Len: length, DType: h.descr}
	for _, known := range types {
		t.values.Readable = append(t.values.Readable, known.descr)
		if known.descr == h.descr {
			t.values.Encoding, t.DType = known.encoding, known.encoding.Name
		}
	}
	return t, t.checkSize(h, size)
}

// checkSize holds the bytes of an array, header included, against its shape. The
// length of types that are not read is taken as it is.
func (t *Tensor) checkSize(h *header, size int64) error {
	if t.values.Encoding == nil {
		return nil
	}
	width := uint64(t.values.Encoding.Bytes)
	values := size - h.bytes
	if values >= 0 && uint64(values)%width == 0 && uint64(values)/width == uint64(t.values.Len) {
		return nil
	}
	return &fault.Error{
		Problem:  "length",
		Expected: fmt.Sprintf("%d × %d bytes for %s %v after a header of %d", t.values.Len, width, h.descr, t.Shape, h.bytes),
		Found:    fmt.Sprintf("%d bytes in all", size),
		Hint:     "was it downloaded whole?",
	}
}

// Len returns the number of values.
func (t *Tensor) Len() int { return t.values.Len }

// ReadFloats reads the values from … from+len(dst)-1, in row-major order, as
// float32. A range outside the array, a file that became shorter, a type that is
// not read and an array of several dimensions in Fortran's order are errors; and
// where the values must be unpacked first, so are a damaged member and a
// temporary directory without room for them.
func (t *Tensor) ReadFloats(from int, dst []float32) error {
	if err := t.readable(); err != nil {
		return err
	}
	if t.fortran {
		return &fault.Error{
			Op: opRead, Subject: t.values.Subject, Expected: "row-major order", Found: fmt.Sprintf("fortran_order and shape %v", t.Shape),
		}
	}
	return fault.At(opRead, "", t.values.ReadFloats(from, dst))
}

// Matrix returns an array [rows, cols] as a matrix, whichever order it is stored
// in. Another number of dimensions, a dimension of 0 and a type that is not read
// are errors. Reading it has the errors of ReadFloats.
func (t *Tensor) Matrix() (tensor.Matrix, error) {
	if err := t.readable(); err != nil {
		return nil, err
	}
	var m tensor.Matrix
	var err error
	if t.fortran && len(t.Shape) == 2 {
		m, err = t.values.Transposed(t.storedShape())
	} else {
		m, err = t.values.Matrix(t.Shape)
	}
	if err != nil {
		return nil, fault.At(opRead, "", err)
	}
	return m, nil
}

// Transposed returns an array [cols, rows] as the matrix [rows, cols]; errors are
// those of Matrix.
func (t *Tensor) Transposed() (tensor.Matrix, error) {
	if err := t.readable(); err != nil {
		return nil, err
	}
	var m tensor.Matrix
	var err error
	if t.fortran && len(t.Shape) == 2 {
		m, err = t.values.Matrix(t.storedShape())
	} else {
		m, err = t.values.Transposed(t.Shape)
	}
	if err != nil {
		return nil, fault.At(opRead, "", err)
	}
	return m, nil
}

// storedShape is the row-major shape of a matrix in Fortran's order.
func (t *Tensor) storedShape() []int { return []int{t.Shape[1], t.Shape[0]} }

// readable returns an error for a type that is not read.
func (t *Tensor) readable() error {
	if t.values.Encoding != nil {
		return nil
	}
	e := &fault.Error{
		Op: opRead, Subject: t.values.Subject,
		Expected: "values of type " + strings.Join(t.values.Readable, ", "), Found: t.DType,
	}
	switch {
	case strings.HasSuffix(t.DType, "V2"):
		e.Hint = "two bytes of unknown meaning, which is how NumPy saves bfloat16: save it as float32"
	case strings.HasPrefix(t.DType, ">"):
		e.Hint = "big endian: save it little endian"
	case strings.HasPrefix(t.DType, "|O"):
		e.Hint = "pickled Python objects are not read: save it as float32"
	}
	return e
}
