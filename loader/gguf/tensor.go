package gguf

import (
	"fmt"
	"io"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

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

// values are those of all tensors of a file of size bytes.
type values struct {
	path      string
	source    io.ReaderAt
	begin     int64 // of the first, in source
	alignment int64
	size      int64
}

// place makes tensors of infos, by their names.
func (v *values) place(infos []tensorInfo) (map[string]*tensor.Tensor, error) {
	tensors := make(map[string]*tensor.Tensor, len(infos))
	for _, info := range infos {
		if tensors[info.name] != nil {
			return nil, &fault.Error{Problem: fmt.Sprintf("tensor %q is there twice", info.name)}
		}
		if info.offset%uint64(v.alignment) != 0 {
			return nil, &fault.Error{
				Problem:  fmt.Sprintf("offset of tensor %q", info.name),
				Expected: fmt.Sprintf("a multiple of %d", v.alignment), Found: fmt.Sprint(info.offset),
			}
		}
		t, err := v.tensor(info)
		if err != nil {
			return nil, err
		}
		tensors[info.name] = t
	}
	return tensors, nil
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

// tensor makes a tensor of info. The length of a type that is not read is not known, so that
// only its beginning is checked.
func (v *values) tensor(info tensorInfo) (*tensor.Tensor, error) {
	subject := fmt.Sprintf("tensor %q", info.name)
	length, ok := tensor.Count(info.dimensions)
	if !ok {
		return nil, &fault.Error{Problem: fmt.Sprintf("%s: shape %v is too large", subject, info.dimensions)}
	}
	shape := tensor.Shape(info.dimensions)
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
	if free := uint64(max(v.size-v.begin, 0)); !ok || info.offset > free || uint64(needed) > free-info.offset {
		return nil, &fault.Error{
			Problem:  subject + " lies beyond the end of the file",
			Expected: fmt.Sprintf("%d bytes of values from offset %d on", needed, info.offset), Found: fmt.Sprintf("%d bytes in all", free),
			Hint: "was it downloaded whole?",
		}
	}
	return &tensor.Tensor{
		Op: opRead, Subject: tensor.Subject(v.path, info.name), DType: name, Shape: shape,
		Source: v.source, Offset: v.begin + int64(info.offset), Encoding: encoding, Readable: readable,
	}, nil
}
