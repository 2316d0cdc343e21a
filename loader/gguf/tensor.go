package gguf

import (
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// Tensor is a tensor of an open file. It is safe for concurrent use and valid
// until the file is closed.
type Tensor struct {
	Name  string
	Type  string // as llama.cpp calls it: F32, BF16, Q6_K, and those that are not read
	Shape []int  // row-major, the reverse of the file's order; not to be changed

	values *tensor.Stored
}

// Len returns the number of values.
func (t *Tensor) Len() int { return t.values.Len }

// ReadFloats reads the values from … from+len(dst)-1, in row-major order, as
// float32. A range outside the tensor, a file that became shorter and a type that
// is not read are errors.
func (t *Tensor) ReadFloats(from int, dst []float32) error {
	return fault.At(opRead, "", t.values.ReadFloats(from, dst))
}

// Matrix returns a tensor [rows, cols] as a matrix. Another number of dimensions,
// a dimension of 0 and a type that is not read are errors.
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

const (
	maxDimensions    = 4 // GGML_MAX_DIMS
	defaultAlignment = 32
	keyAlignment     = "general.alignment"
	// minTensorBytes describe a tensor without name and dimensions.
	minTensorBytes = lengthBytes + 4 + 4 + 8
)

// tensorInfo describes one tensor as stored.
type tensorInfo struct {
	name       string
	dimensions []uint64 // row-major
	kind       uint32
	offset     uint64 // from the beginning of all values
}

func readTensorInfos(c *cursor, n uint64) ([]tensorInfo, error) {
	var infos []tensorInfo
	for range n {
		info, err := readTensorInfo(c)
		if err != nil {
			return nil, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func readTensorInfo(c *cursor) (info tensorInfo, err error) {
	if info.name, err = c.string("tensor name"); err != nil {
		return info, err
	}
	n, err := c.uint32("dimensions of " + info.name)
	if err != nil {
		return info, err
	}
	if n > maxDimensions {
		return info, &fault.Error{
			Problem:  fmt.Sprintf("tensor %q", info.name),
			Expected: fmt.Sprintf("at most %d dimensions", maxDimensions), Found: fmt.Sprint(n),
		}
	}
	info.dimensions = make([]uint64, n)
	for i := range info.dimensions {
		if info.dimensions[i], err = c.uint64("dimensions of " + info.name); err != nil {
			return info, err
		}
	}
	slices.Reverse(info.dimensions)
	if info.kind, err = c.uint32("type of " + info.name); err != nil {
		return info, err
	}
	info.offset, err = c.uint64("offset of " + info.name)
	return info, err
}

// placeTensors makes tensors of infos for a file of size bytes whose header ends
// at byte end.
func (f *File) placeTensors(infos []tensorInfo, end, size int64) error {
	alignment, err := f.alignment()
	if err != nil {
		return err
	}
	values := (end + alignment - 1) / alignment * alignment
	f.tensors = make(map[string]*Tensor, len(infos))
	for _, info := range infos {
		if f.Has(info.name) {
			return &fault.Error{Problem: fmt.Sprintf("tensor %q is there twice", info.name)}
		}
		if info.offset%uint64(alignment) != 0 {
			return &fault.Error{
				Problem:  fmt.Sprintf("offset of tensor %q", info.name),
				Expected: fmt.Sprintf("a multiple of %d", alignment), Found: fmt.Sprint(info.offset),
			}
		}
		if f.tensors[info.name], err = f.newTensor(info, values, size-values); err != nil {
			return err
		}
	}
	return nil
}

// alignment is what the values of every tensor are aligned to, in bytes.
func (f *File) alignment() (int64, error) {
	if _, there := f.metadata[keyAlignment]; !there {
		return defaultAlignment, nil
	}
	n, ok := f.Int(keyAlignment)
	// A larger one than the header's limit is damage, and would overflow sums.
	if !ok || n <= 0 || n > maxHeaderBytes || n&(n-1) != 0 {
		v := f.metadata[keyAlignment]
		found := fmt.Sprintf("type %d", v.kind)
		if ok {
			found = fmt.Sprint(n)
		}
		return 0, &fault.Error{Problem: keyAlignment, Expected: "a power of two", Found: found}
	}
	return n, nil
}

// newTensor makes a tensor whose values are in the room bytes from byte values of
// the file on. The length of a type that is not read is not known, so that only
// its beginning is checked.
func (f *File) newTensor(info tensorInfo, values, room int64) (*Tensor, error) {
	subject := fmt.Sprintf("tensor %q", info.name)
	length, ok := tensor.Count(info.dimensions)
	if !ok {
		return nil, &fault.Error{Problem: fmt.Sprintf("%s: shape %v is too large", subject, info.dimensions)}
	}
	shape := make([]int, len(info.dimensions))
	for i, n := range info.dimensions {
		shape[i] = int(n)
	}
	name, encoding := typeOf(info.kind)
	needed := 0
	if encoding != nil {
		if n := len(shape); encoding.Values > 1 && (n == 0 || shape[n-1]%encoding.Values != 0) {
			return nil, &fault.Error{
				Problem:  subject,
				Expected: fmt.Sprintf("rows of a multiple of %d values, for %s", encoding.Values, name), Found: fmt.Sprintf("shape %v", shape),
			}
		}
		needed, ok = tensor.Count([]uint64{uint64(length / encoding.Values), uint64(encoding.Bytes)})
	}
	if free := uint64(max(room, 0)); !ok || info.offset > free || uint64(needed) > free-info.offset {
		return nil, &fault.Error{
			Problem:  subject + " lies beyond the end of the file",
			Expected: fmt.Sprintf("%d bytes of values from offset %d on", needed, info.offset), Found: fmt.Sprintf("%d bytes in all", free),
			Hint: "was it downloaded whole?",
		}
	}
	return &Tensor{Name: info.name, Type: name, Shape: shape, values: &tensor.Stored{
		Source: f.file, Subject: f.subject(info.name), Offset: values + int64(info.offset), Len: length,
		DType: name, Encoding: encoding, Readable: readable,
	}}, nil
}
