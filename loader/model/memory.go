package model

import (
	"io"
	"math"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// FormatMemory is the format of a model that was handed over in memory.
const FormatMemory = "memory"

// Wanted returns those of a model's tensors that its unembedding and final norm
// are made of, given the text of its config.json and the names of all its tensors.
func Wanted(configuration []byte, names []string) ([]string, error) {
	return NeededTensors(configuration, names, Options{})
}

// FromTensors makes an unembedding of what is in memory: the text of a transformers
// model's config.json and the tensors that [Wanted] names, in the form of a
// safetensors file. It is processed as one from disk, by one of Processings.
func FromTensors(configuration []byte, file *tensor.File, processing string) (*Unembedding, error) {
	cfg, err := parseConfig(configuration, false)
	if err != nil {
		return nil, err
	}
	c := &checkpoint{dir: file.Path(), holder: map[string]string{}, opened: map[string]*tensor.File{file.Path(): file}}
	for _, name := range file.Names() {
		c.holder[name] = file.Path()
	}
	o := Options{Processing: processing}
	if err := o.check(); err != nil {
		return nil, fault.At(opRead, file.Path(), err)
	}
	s := &stored{info: Info{Path: file.Path()}}
	if err := c.fill(s, cfg, configFile, o); err != nil {
		return nil, fault.At(opRead, file.Path(), err)
	}
	return finished(s)
}

func finished(s *stored) (*Unembedding, error) {
	s.info.Format, s.info.Files = FormatMemory, nil
	rows, err := newProcessor(s)
	if err != nil {
		return nil, fault.At(opRead, s.info.Path, err)
	}
	return &Unembedding{info: s.info, stored: s, rows: rows}, nil
}

// AsIs says what is known of an unembedding that somebody else has processed.
type AsIs struct {
	Architecture string
	Tensor       string // its name in the file
	Transposed   bool   // it is [d_model, d_vocab], as in TransformerLens
	Norm         string // LayerNorm, RMSNorm, or empty where it is not known
	NormFolded   bool
}

// Processed makes an unembedding of one that is processed already, and takes it as
// it is. Whether it is centred is seen from its values.
func Processed(file *tensor.File, a AsIs) (*Unembedding, error) {
	subject := file.Path() + ": tensor " + a.Tensor
	t, err := file.Tensor(a.Tensor)
	if err != nil {
		return nil, fault.At(opRead, subject, err)
	}
	read := t.Matrix
	if a.Transposed {
		read = t.Transposed
	}
	s := &stored{subject: subject, file: closed{}}
	if s.unembedding, err = read(); err != nil {
		return nil, fault.At(opRead, subject, err)
	}
	if a.Norm == "" {
		a.Norm = "unknown"
	}
	s.info = Info{
		Path: file.Path(), Architecture: a.Architecture, DType: t.DType, DModel: s.unembedding.Cols(), DVocab: s.unembedding.Rows(),
		Processing: Processing{Mode: ProcessNone, UnembeddingTensor: a.Tensor, Norm: a.Norm, NormFolded: a.NormFolded},
	}
	if a.NormFolded {
		s.info.Processing.NormTensor = "in " + a.Tensor
	}
	u, err := finished(s)
	if err != nil {
		return nil, err
	}
	p := &u.info.Processing
	p.CenteredOverVocab, p.CenteredOverDModel, err = centered(s.unembedding)
	return u, fault.At(opRead, subject, err)
}

type closed struct{}

func (closed) Close() error { return nil }

var _ io.Closer = closed{}

// centered tells whether the means of a matrix [d_vocab, d_model] over its rows, and
// those of each row, are 0 but for rounding, which is judged by the root mean square
// of all values: a mean that was not taken off is far from a thousandth of it.
func centered(m tensor.Matrix) (overVocab, overDModel bool, err error) {
	const rounding = 1e-3
	d := m.Cols()
	sums, square, worst := make([]float64, d), 0.0, 0.0
	rows := make([]float32, max(readFloats/d, 1)*d)
	for from := 0; from < m.Rows(); from += len(rows) / d {
		part := rows[:min(len(rows)/d, m.Rows()-from)*d]
		if err := m.ReadRows(from, part); err != nil {
			return false, false, err
		}
		for at := 0; at < len(part); at += d {
			var sum float64
			for i, v := range part[at : at+d] {
				sum += float64(v)
				square += float64(v) * float64(v)
				sums[i] += float64(v)
			}
			worst = max(worst, math.Abs(sum)/float64(d))
		}
	}
	n := float64(m.Rows())
	limit := rounding * math.Sqrt(square/(n*float64(d)))
	overVocab = !slices.ContainsFunc(sums, func(sum float64) bool { return math.Abs(sum)/n > limit })
	return overVocab, worst <= limit, nil
}
