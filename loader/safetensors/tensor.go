package safetensors

import (
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Tensor is a tensor of an open file. It is safe for concurrent use and valid
// until the file is closed.
type Tensor struct {
	Name  string
	DType string // as in the file: F32, F16, BF16, F64, and those that are not read
	Shape []int  // not to be changed

	values *tensor.Stored
}

// encodings are the data types that are read, in the order of an error's list.
var encodings = []*tensor.Encoding{tensor.F32, tensor.F16, tensor.BF16, tensor.F64}

var readable = tensor.Names(encodings)

// bitWidths are the bits of one value, for all data types of the format.
// Source: safetensors/src/tensor.rs, Dtype::bitsize.
var bitWidths = map[string]uint64{
	"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// newTensor makes a tensor of a checked entry.
func (f *File) newTensor(e *entry) *Tensor {
	shape := make([]int, len(e.shape))
	length := 1
	for i, n := range e.shape {
		shape[i] = int(n)
		length *= int(n)
	}
	stored := &tensor.Stored{
		Source: f.file, Subject: f.subject(e.name), Offset: f.values + int64(e.begin), Len: length,
		DType: e.dtype, Readable: readable,
	}
	if i := slices.IndexFunc(encodings, func(c *tensor.Encoding) bool { return c.Name == e.dtype }); i >= 0 {
		stored.Encoding = encodings[i]
	}
	return &Tensor{Name: e.name, DType: e.dtype, Shape: shape, values: stored}
}

// Stored returns where the values are, for a caller that reads them in an encoding of its
// own: it may change what is returned.
func (t *Tensor) Stored() *tensor.Stored {
	stored := *t.values
	return &stored
}

// Len returns the number of values.
func (t *Tensor) Len() int { return t.values.Len }

// ReadFloats reads the values from … from+len(dst)-1, in row-major order, as
// float32. A range outside the tensor, a file that became shorter and a data
// type that is not read are errors.
func (t *Tensor) ReadFloats(from int, dst []float32) error {
	return fault.At(opRead, "", t.values.ReadFloats(from, dst))
}

// Matrix returns a tensor [rows, cols] as a matrix. Another number of dimensions,
// a dimension of 0 and a data type that is not read are errors.
func (t *Tensor) Matrix() (tensor.Matrix, error) {
	m, err := t.values.Matrix(t.Shape)
	if err != nil {
		return nil, fault.At(opRead, "", err)
	}
	return m, nil
}

// Transposed returns a tensor [cols, rows] as the matrix [rows, cols]; errors are
// those of Matrix.
func (t *Tensor) Transposed() (tensor.Matrix, error) {
	m, err := t.values.Transposed(t.Shape)
	if err != nil {
		return nil, fault.At(opRead, "", err)
	}
	return m, nil
}

// Slice returns the matrix at index along axis 0 or 1 of a tensor of three
// dimensions. Another number of dimensions and an index that is not there are errors.
func (t *Tensor) Slice(axis, index int) (tensor.Matrix, error) {
	m, err := t.values.Slice(t.Shape, axis, index)
	if err != nil {
		return nil, fault.At(opRead, "", err)
	}
	return m, nil
}
