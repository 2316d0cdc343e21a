package sae

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

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
	encoder  *encoderSource
	scaling  []float32 // factor of each feature's row [d_sae], nil when all are 1
	sparsity func() ([]float32, error)
	close    func() error
}

func (s *stored) Info() Info { return s.info.own() }

func (s *stored) Close() error { return s.close() }

func (s *stored) LogSparsity() ([]float32, error) {
	if s.sparsity == nil {
		return nil, nil
	}
	return s.sparsity()
}

func (s *stored) ReadDecoder(from int, dst []float32) error {
	d := s.info.DModel
	if err := s.decoder.ReadRows(from, dst); err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if s.scaling != nil {
		for row := range len(dst) / d {
			factor := s.scaling[from+row]
			for i := row * d; i < (row+1)*d; i++ {
				dst[i] *= factor
			}
		}
	}
	return checkFinite(s.subject, from, dst, d)
}

// openSafetensors makes an SAE of a safetensors file, of which take fills in what info does not
// say and takes the decoder. Files that were read before it are in info.
func openSafetensors(path string, info Info, take func(s *stored, file *tensor.File) error) (SAE, error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, fault.At(opRead, path, err)
	}
	info.Files = append(info.Files, path)
	return taken(file, info, func(s *stored) error { return take(s, file) })
}

// taken makes an SAE of an open file, as take fills it in, and closes the file where it cannot.
// What follows from the hook point in info is set before.
func taken(file *tensor.File, info Info, take func(s *stored) error) (SAE, error) {
	s := &stored{info: info, close: file.Close}
	s.info.Scale = cmp.Or(info.Scale, scaleAsStored)
	s.setHook(info.Hook)
	if err := take(s); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
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
func (s *stored) takeDecoder(file *tensor.File, name string, isTransposed bool, sizes expected) error {
	s.subject = file.Subject(name)
	if !file.Has(name) {
		return &fault.Error{
			Op: opRead, Subject: s.subject, Problem: "is missing", Hint: "is this a file of the format " + s.info.Format + "?",
		}
	}
	t, err := file.Tensor(name)
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if err := s.checkDecoder(t, t.Shape, isTransposed, sizes); err != nil {
		return err
	}
	read := t.Matrix
	if isTransposed {
		read = t.Transposed
	}
	decoder, err := read()
	s.encoder = encoderBeside(file, name, isTransposed)
	return s.setDecoder(decoder, t.DType, err)
}

// takeSlice takes one matrix of a tensor for the decoder: that at index of the count
// along axis, in a tensor [count, d_sae, d_model] or [d_sae, count, d_model].
func (s *stored) takeSlice(file *tensor.File, name string, axis, index, count int, sizes expected) error {
	s.subject = file.Subject(name)
	t, err := file.Tensor(name)
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	if len(t.Shape) != 3 || t.Shape[axis] != count {
		want := fmt.Sprintf("shape [%d, d_sae, d_model]", count)
		if axis == 1 {
			want = fmt.Sprintf("shape [d_sae, %d, d_model]", count)
		}
		return &fault.Error{Op: opRead, Subject: s.subject, Expected: want, Found: fmt.Sprint(t.Shape)}
	}
	if err := s.checkDecoder(t, []int{t.Shape[1-axis], t.Shape[2]}, asIs, sizes); err != nil {
		return err
	}
	m, err := t.Slice(axis, index)
	return s.setDecoder(m, t.DType, err)
}

// shapeOf returns the shape of a tensor, nil when there is none.
func shapeOf(file *tensor.File, name string) []int {
	t, err := file.Tensor(name)
	if err != nil {
		return nil
	}
	return t.Shape
}

// hasMatrices reports whether there are tensors of two dimensions by these names.
func hasMatrices(file *tensor.File, names ...string) bool { return haveDimensions(2, file, names) }

// hasVectors reports whether there are tensors of one dimension by these names.
func hasVectors(file *tensor.File, names ...string) bool { return haveDimensions(1, file, names) }

func haveDimensions(n int, file *tensor.File, names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return len(shapeOf(file, name)) != n })
}

// biasSizes returns the sizes of a decoder that biases of the encoder, one value a feature, and
// of the decoder give: the first that is there of each.
func biasSizes(file *tensor.File, ofEncoder, ofDecoder []string) expected {
	var sources []string
	length := func(names []string) int {
		for _, name := range names {
			if shape := shapeOf(file, name); len(shape) == 1 {
				sources = append(sources, name)
				return shape[0]
			}
		}
		return 0
	}
	sizes := expected{features: length(ofEncoder), dModel: length(ofDecoder)}
	sizes.source = strings.Join(sources, " and ")
	return sizes
}

// onePerFeature reads a tensor [d_sae].
func (s *stored) onePerFeature(file *tensor.File, name string) ([]float32, error) {
	subject := file.Subject(name)
	t, err := file.Tensor(name)
	if err != nil {
		return nil, fault.At(opRead, subject, err)
	}
	if !slices.Equal(t.Shape, []int{s.info.DSAE}) {
		return nil, &fault.Error{
			Op: opRead, Subject: subject, Expected: fmt.Sprintf("shape [%d], one value a feature", s.info.DSAE), Found: fmt.Sprint(t.Shape),
		}
	}
	values := make([]float32, s.info.DSAE)
	return values, fault.At(opRead, subject, t.ReadFloats(0, values))
}

// setDecoder makes a matrix [d_sae, d_model] the decoder, unless it could not be opened.
func (s *stored) setDecoder(decoder tensor.Matrix, dtype string, err error) error {
	if err != nil {
		return fault.At(opRead, s.subject, err)
	}
	s.decoder = decoder
	s.info.DSAE, s.info.DModel, s.info.DType = decoder.Rows(), decoder.Cols(), dtype
	return nil
}

// checkDecoder returns an error unless the type of t, and shape, are those of a decoder of
// these sizes.
func (s *stored) checkDecoder(t *tensor.Tensor, shape []int, isTransposed bool, sizes expected) error {
	found := fmt.Sprintf("%s %v", t.DType, shape)
	if t.Encoding == nil {
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
	s.setDecoder(rows, dtype, nil)
	return s
}

// checkFinite returns an error that names the first value of rows which is NaN
// or infinite. The first row is that of feature from.
func checkFinite(subject string, from int, rows []float32, d int) error {
	i := tensor.FirstNonFinite(rows)
	if i < 0 {
		return nil
	}
	return &fault.Error{
		Op: opRead, Subject: subject, Problem: fmt.Sprintf("feature %d, position %d", from+i/d, i%d),
		Expected: "a finite float32", Found: fmt.Sprint(rows[i]),
		Hint: "the file is damaged, or its training diverged",
	}
}
