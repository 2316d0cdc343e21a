package npy

import (
	"fmt"
	"io"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// types are the types that are read, by NumPy's names, and readable these in the order of an
// error's list.
var (
	types    = map[string]*tensor.Encoding{"<f4": tensor.F32, "<f2": tensor.F16, "<f8": tensor.F64}
	readable = []string{"<f4", "<f2", "<f8"}
)

// newTensor makes a tensor of an array of size bytes, whose values begin at
// offset of source. It is an error when size is not what the header says, to the
// byte, or the shape is beyond what a machine can address. The length of types that are not
// read is taken as it is. Of those that are, DType is F32, F16 or F64.
func (f *archive) newTensor(name string, h *header, source io.ReaderAt, offset, size int64) (*tensor.Tensor, error) {
	length, ok := tensor.Count(h.shape)
	if !ok {
		return nil, &fault.Error{Problem: fmt.Sprintf("shape %v is too large", h.shape)}
	}
	t := &tensor.Tensor{
		Op: opRead, Subject: tensor.Subject(f.path, name), DType: h.descr, Shape: tensor.Shape(h.shape),
		Source: source, Offset: offset, Encoding: types[h.descr], Readable: readable, Hint: typeHint(h.descr),
	}
	if h.fortran && len(h.shape) > 1 {
		t.Order, t.Layout = tensor.ColumnMajor, fmt.Sprintf("fortran_order and shape %v", h.shape)
	}
	if t.Encoding == nil {
		return t, nil
	}
	t.DType = t.Encoding.Name
	width, values := uint64(t.Encoding.Bytes), size-h.bytes
	if values < 0 || uint64(values)%width != 0 || uint64(values)/width != uint64(length) {
		return nil, &fault.Error{
			Problem:  "length",
			Expected: fmt.Sprintf("%d × %d bytes for %s %v after a header of %d", length, width, h.descr, h.shape, h.bytes),
			Found:    fmt.Sprintf("%d bytes in all", size),
			Hint:     "was it downloaded whole?",
		}
	}
	return t, nil
}

// typeHint says what to do about a type that is not read.
func typeHint(descr string) string {
	switch {
	case strings.HasSuffix(descr, "V2"):
		return "two bytes of unknown meaning, which is how NumPy saves bfloat16: save it as float32"
	case strings.HasPrefix(descr, ">"):
		return "big endian: save it little endian"
	case strings.HasPrefix(descr, "|O"):
		return "pickled Python objects are not read: save it as float32"
	}
	return ""
}
