package torch

import (
	"fmt"
	"io"
	"math/bits"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// storageType is what the values of a storage are.
type storageType struct {
	dtype string // as safetensors calls it
	width int    // bytes of a value
}

// dataType is a type that a tensor gives to the bytes of a storage.
type dataType storageType

// storageTypes are the storages by their names in a pickle.
var storageTypes = map[string]storageType{
	"torch.FloatStorage":            {"F32", 4},
	"torch.HalfStorage":             {"F16", 2},
	"torch.BFloat16Storage":         {"BF16", 2},
	"torch.DoubleStorage":           {"F64", 8},
	"torch.LongStorage":             {"I64", 8},
	"torch.IntStorage":              {"I32", 4},
	"torch.ShortStorage":            {"I16", 2},
	"torch.CharStorage":             {"I8", 1},
	"torch.ByteStorage":             {"U8", 1},
	"torch.BoolStorage":             {"BOOL", 1},
	"torch.ComplexFloatStorage":     {"C64", 8},
	"torch.ComplexDoubleStorage":    {"C128", 16},
	"torch.UntypedStorage":          {"U8", 1},
	"torch.storage.UntypedStorage":  {"U8", 1},
	"torch.storage._UntypedStorage": {"U8", 1},
}

// dataTypes are the data types by their names in a pickle.
var dataTypes = map[string]dataType{
	"torch.float32":         {"F32", 4},
	"torch.float16":         {"F16", 2},
	"torch.bfloat16":        {"BF16", 2},
	"torch.float64":         {"F64", 8},
	"torch.int64":           {"I64", 8},
	"torch.int32":           {"I32", 4},
	"torch.int16":           {"I16", 2},
	"torch.int8":            {"I8", 1},
	"torch.uint8":           {"U8", 1},
	"torch.uint16":          {"U16", 2},
	"torch.uint32":          {"U32", 4},
	"torch.uint64":          {"U64", 8},
	"torch.bool":            {"BOOL", 1},
	"torch.complex64":       {"C64", 8},
	"torch.complex128":      {"C128", 16},
	"torch.float8_e4m3fn":   {"F8_E4M3", 1},
	"torch.float8_e5m2":     {"F8_E5M2", 1},
	"torch.float8_e4m3fnuz": {"F8_E4M3FNUZ", 1},
	"torch.float8_e5m2fnuz": {"F8_E5M2FNUZ", 1},
	"torch.float8_e8m0fnu":  {"F8_E8M0", 1},
}

// storage is a run of values in the file, shared by the tensors that view it.
type storage struct {
	storageType
	source io.ReaderAt
	offset int64 // in source
	bytes  int64
}

// rebuilt is a tensor as the pickle describes it, held against its storage.
type rebuilt struct {
	storage *storage
	storageType
	first   int64 // its first value in the storage
	shape   []int
	strides []int64
}

// rebuildTensor is _rebuild_tensor_v2(storage, offset, shape, strides, …), and
// _rebuild_tensor, which has no more than these.
func rebuildTensor(args tuple) (any, error) {
	if len(args) < 4 {
		return nil, errArguments
	}
	if unknown, ok := args[0].(*opaque); ok {
		return unknown, nil
	}
	s, ok := args[0].(*storage)
	if !ok {
		return nil, errArguments
	}
	return newRebuilt(s, s.storageType, args[1:4])
}

// rebuildTensorOfType is _rebuild_tensor_v3(storage, offset, shape, strides,
// requires_grad, hooks, dtype, …), of a storage of bytes.
func rebuildTensorOfType(args tuple) (any, error) {
	if len(args) < 7 {
		return nil, errArguments
	}
	for _, arg := range []any{args[0], args[6]} {
		if unknown, ok := arg.(*opaque); ok {
			return unknown, nil
		}
	}
	s, ok := args[0].(*storage)
	t, isType := args[6].(dataType)
	if !ok || !isType {
		return nil, errArguments
	}
	return newRebuilt(s, storageType(t), args[1:4])
}

// rebuildFromType is _rebuild_from_type_v2(function, class, arguments, state), for
// tensors with attributes: the attributes are left out.
func rebuildFromType(args tuple) (any, error) {
	if len(args) < 3 {
		return nil, errArguments
	}
	f, ok := args[0].(*function)
	inner, isTuple := args[2].(tuple)
	if !ok || !isTuple {
		return &opaque{name: callee(args[0])}, nil
	}
	switch f.name {
	case "torch._utils._rebuild_tensor_v2":
		return rebuildTensor(inner)
	case "torch._utils._rebuild_tensor_v3":
		return rebuildTensorOfType(inner)
	default:
		return &opaque{name: f.name}, nil
	}
}

// newRebuilt describes a tensor of offset, shape and strides, and holds it
// against its storage.
func newRebuilt(s *storage, t storageType, args tuple) (any, error) {
	first, ok := args[0].(int64)
	shape, isShape := integers(args[1])
	strides, areStrides := integers(args[2])
	if !ok || !isShape || !areStrides || len(shape) != len(strides) {
		return nil, errArguments
	}
	last, err := lastValue(first, shape, strides)
	if err != nil {
		return nil, err
	}
	if held := s.bytes / int64(t.width); last >= held {
		return nil, &fault.Error{
			Problem:  fmt.Sprintf("a tensor of shape %v and strides %v from value %d on", shape, strides, first),
			Expected: fmt.Sprintf("at most %d values, as its storage has", held), Found: fmt.Sprintf("%d", last+1),
			Hint: "the file is damaged",
		}
	}
	r := &rebuilt{storage: s, storageType: t, first: first, strides: strides, shape: make([]int, len(shape))}
	for i, n := range shape {
		r.shape[i] = int(n)
	}
	return r, nil
}

// lastValue returns the place in its storage of a tensor's last value, -1 for a
// tensor without values: first + Σ (shape−1)·stride.
func lastValue(first int64, shape, strides []int64) (int64, error) {
	unfit := &fault.Error{
		Problem: fmt.Sprintf("a tensor of shape %v and strides %v from value %d on", shape, strides, first),
		Found:   "negative or too large numbers", Hint: "the file is damaged",
	}
	dimensions := make([]uint64, len(shape))
	last, carry := uint64(first), uint64(0)
	for i, n := range shape {
		if n < 0 || strides[i] < 0 {
			return 0, unfit
		}
		dimensions[i] = uint64(n)
		if n == 0 {
			continue
		}
		high, low := bits.Mul64(uint64(n-1), uint64(strides[i]))
		last, carry = bits.Add64(last, low, 0)
		if high != 0 || carry != 0 {
			return 0, unfit
		}
	}
	count, ok := tensor.Count(dimensions)
	if !ok || first < 0 || int64(last) < 0 {
		return 0, unfit
	}
	if count == 0 {
		return -1, nil
	}
	return int64(last), nil
}

// order tells the order of r's values from its strides. That of a dimension
// of one value says nothing.
func (r *rebuilt) order() tensor.Order {
	if isRowMajor(r.shape, r.strides) {
		return tensor.RowMajor
	}
	if len(r.shape) == 2 && isRowMajor([]int{r.shape[1], r.shape[0]}, []int64{r.strides[1], r.strides[0]}) {
		return tensor.ColumnMajor
	}
	return tensor.Scattered
}

func isRowMajor(shape []int, strides []int64) bool {
	next := int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		if shape[i] == 0 {
			return true
		}
		if shape[i] != 1 && strides[i] != next {
			return false
		}
		next *= int64(shape[i])
	}
	return true
}

// tensor is what r describes, which subject names in errors.
func (r *rebuilt) tensor(subject string) *tensor.Tensor {
	t := &tensor.Tensor{
		Op: opRead, Subject: subject, DType: r.dtype, Shape: r.shape,
		Source: r.storage.source, Offset: r.storage.offset + r.first*int64(r.width), Order: r.order(),
		Encoding: tensor.Floats.Named(r.dtype), Readable: tensor.FloatNames, Layout: fmt.Sprintf("shape %v with strides %v", r.shape, r.strides),
	}
	if t.Encoding != nil {
		t.Hint = "call contiguous() on the tensor and save it again"
	}
	return t
}
