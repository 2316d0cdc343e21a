package sae

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
	"github.com/saedb/saedb/loader/tensor"
)

// scaleAsStored begins the Scale of a decoder whose rows are those of the file.
const scaleAsStored = "as-stored"

// stored is an SAE whose decoder is a matrix of an open file. Formats make one,
// fill in what they know of info, and let it take its decoder.
type stored struct {
	info     Info
	decoder  tensor.Matrix // W_dec [d_sae, d_model]
	subject  string        // file and tensor of the decoder, in errors
	scaling  []float32     // factor of each feature's row [d_sae], nil when all are 1
	sparsity func() ([]float32, error)
	close    func() error
}

func (s *stored) Info() Info {
	info := s.info
	info.Files = slices.Clone(info.Files)
	return info
}

func (s *stored) Close() error { return s.close() }

func (s *stored) LogSparsity() ([]float32, error) {
	if s.sparsity == nil {
		return nil, nil
	}
	return s.sparsity()
}

func (s *stored) ReadDecoder(from int, dst []float32) error {
	d := s.info.DModel
	rows, err := checkRows(s.subject, from, dst, s.info.DSAE, d)
	if err != nil {
		return err
	}
	if err := s.decoder.ReadRows(from, dst); err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if s.scaling != nil {
		for row := range rows {
			factor := s.scaling[from+row]
			for i := row * d; i < (row+1)*d; i++ {
				dst[i] *= factor
			}
		}
	}
	return checkFinite(s.subject, from, dst, d)
}

// storedTensor is a tensor of any kind of file.
type storedTensor interface {
	Matrix() (tensor.Matrix, error)
	Transposed() (tensor.Matrix, error)
}

// slicedTensor is one of three dimensions that a matrix can be taken of.
type slicedTensor interface {
	Slice(axis, index int) (tensor.Matrix, error)
}

// tensors are those of an open file of any kind.
type tensors interface {
	Path() string
	Has(name string) bool
	// find returns a tensor, its type as the file calls it, and its shape.
	find(name string) (t storedTensor, dtype string, shape []int, err error)
}

// safetensorsIn are the tensors of a safetensors file.
type safetensorsIn struct{ *safetensors.File }

func (f safetensorsIn) find(name string) (storedTensor, string, []int, error) {
	t, err := f.Tensor(name)
	if err != nil {
		return nil, "", nil, err
	}
	return t, t.DType, t.Shape, nil
}

// How a decoder lies in its file.
const (
	asIs       = false // [d_sae, d_model]
	transposed = true  // [d_model, d_sae]
)

// expected are the sizes of a decoder that a configuration gives, 0 where it is silent.
type expected struct {
	features, dModel int
	source           string // the configuration's name, in errors
}

// takeDecoder looks up the tensor name of file, which is the decoder, and holds
// its shape and type against what is expected.
func (s *stored) takeDecoder(file tensors, name string, isTransposed bool, sizes expected) error {
	s.subject = file.Path() + ": tensor " + name
	if !file.Has(name) {
		return &fault.Error{
			Op: opRead, Subject: s.subject, Problem: "is missing", Hint: "is this a file of the format " + s.info.Format + "?",
		}
	}
	t, dtype, shape, err := file.find(name)
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if err := s.checkDecoder(dtype, shape, isTransposed, sizes); err != nil {
		return err
	}
	read := t.Matrix
	if isTransposed {
		read = t.Transposed
	}
	decoder, err := read()
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	s.setDecoder(decoder, dtype)
	return nil
}

// takeSlice takes one matrix of a tensor for the decoder: that at index of the count
// along axis, in a tensor [count, d_sae, d_model] or [d_sae, count, d_model].
func (s *stored) takeSlice(file *safetensors.File, name string, axis, index, count int, sizes expected) error {
	s.subject = file.Path() + ": tensor " + name
	t, err := file.Tensor(name)
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	return s.takeSliceOf(t, t.DType, t.Shape, axis, index, count, sizes)
}

// takeSliceOf does the same with a tensor of a file of any kind, which s.subject names.
func (s *stored) takeSliceOf(t slicedTensor, dtype string, shape []int, axis, index, count int, sizes expected) error {
	if len(shape) != 3 || shape[axis] != count {
		want := fmt.Sprintf("shape [%d, d_sae, d_model]", count)
		if axis == 1 {
			want = fmt.Sprintf("shape [d_sae, %d, d_model]", count)
		}
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: want, Found: fmt.Sprint(shape)}
	}
	if err := s.checkDecoder(dtype, []int{shape[1-axis], shape[2]}, asIs, sizes); err != nil {
		return err
	}
	m, err := t.Slice(axis, index)
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	s.setDecoder(m, dtype)
	return nil
}

// biasSizes returns the sizes of a decoder that vectors of its file give, one value
// a feature and one a dimension. Where there are none they are silent.
func biasSizes(file tensors, features, dModel string) expected {
	length := func(name string) int {
		if !file.Has(name) {
			return 0
		}
		if _, _, shape, err := file.find(name); err == nil && len(shape) == 1 {
			return shape[0]
		}
		return 0
	}
	return expected{features: length(features), dModel: length(dModel), source: features + " and " + dModel}
}

// setDecoder makes a matrix [d_sae, d_model] the decoder.
func (s *stored) setDecoder(decoder tensor.Matrix, dtype string) {
	s.decoder = decoder
	s.info.DSAE, s.info.DModel, s.info.DType = decoder.Rows(), decoder.Cols(), dtype
}

// checkDecoder returns an error unless type and shape are those of a decoder of
// these sizes.
func (s *stored) checkDecoder(dtype string, shape []int, isTransposed bool, sizes expected) error {
	found := fmt.Sprintf("%s %v", dtype, shape)
	if !slices.Contains([]string{"F32", "F16", "BF16", "F64"}, dtype) {
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: "F32, F16, BF16 or F64", Found: found}
	}
	names, want := "[d_sae, d_model]", []int{sizes.features, sizes.dModel}
	if isTransposed {
		names = "[d_model, d_sae]"
		slices.Reverse(want)
	}
	if len(shape) != 2 || shape[0] < 1 || shape[1] < 1 {
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: "a matrix " + names, Found: found}
	}
	if (want[0] == 0 || want[0] == shape[0]) && (want[1] == 0 || want[1] == shape[1]) {
		return nil
	}
	e := &fault.Error{
		Op: opRead, Subject: s.subject, Found: fmt.Sprint(shape),
		Expected: fmt.Sprintf("shape [%s, %s] as in %s", sizeOrAny(want[0]), sizeOrAny(want[1]), sizes.source),
	}
	if want[0] == shape[1] && want[1] == shape[0] {
		e.Hint = "the tensor is transposed"
	}
	return e
}

func sizeOrAny(size int) string {
	if size == 0 {
		return "any"
	}
	return fmt.Sprint(size)
}

// baseName is the last element of a path, also of "." and the like.
func baseName(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	return filepath.Base(path)
}

// FromMatrix returns rows [d_sae, d_model] as an SAE, with what info says of them
// beside their sizes; dtype is their type on disk. It takes over what close closes.
func FromMatrix(info Info, rows tensor.Matrix, dtype string, close func() error) SAE {
	s := &stored{info: info, subject: info.Path + ": " + info.Scale, close: close}
	s.setDecoder(rows, dtype)
	return s
}
