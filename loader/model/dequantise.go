package model

import (
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// dequantised is a matrix [rows, cols] of values scale·(code − zero), in float32. It is
// safe for concurrent use.
type dequantised struct {
	codes  tensor.Matrix // [rows, cols]
	scales tensor.Matrix // [⌈rows/block⌉, groups]
	zeros  tensor.Matrix // as scales; nil for none
	block  int           // rows that share a row of scales
	group  []int         // of each column
	// fromOne: zeros are stored less one, as GPTQ's first format has it. What a stored
	// highest code stands for, one more as AutoGPTQ reads it or 0 as GPTQModel writes it,
	// differs between libraries, and is an error.
	fromOne bool
	highest float32 // the highest code
	subject string
}

func (m *dequantised) Rows() int { return m.codes.Rows() }
func (m *dequantised) Cols() int { return m.codes.Cols() }

func (m *dequantised) ReadRows(from int, dst []float32) error {
	if err := m.codes.ReadRows(from, dst); err != nil || len(dst) == 0 {
		return err
	}
	cols, groups := m.Cols(), m.scales.Cols()
	first, last := from/m.block, (from+len(dst)/cols-1)/m.block
	scales := make([]float32, (last-first+1)*groups)
	if err := m.scales.ReadRows(first, scales); err != nil {
		return err
	}
	zeros := make([]float32, len(scales))
	if m.zeros != nil {
		if err := m.readZeros(first, zeros); err != nil {
			return err
		}
	}
	for row := 0; row*cols < len(dst); row++ {
		at := ((from+row)/m.block - first) * groups
		x, scale, zero := dst[row*cols:(row+1)*cols], scales[at:at+groups], zeros[at:at+groups]
		for i, g := range m.group {
			x[i] = scale[g] * (x[i] - zero[g])
		}
	}
	return nil
}

func (m *dequantised) readZeros(from int, zeros []float32) error {
	if err := m.zeros.ReadRows(from, zeros); err != nil || !m.fromOne {
		return err
	}
	groups := m.zeros.Cols()
	if at := slices.Index(zeros, m.highest); at >= 0 {
		return &fault.Error{
			Subject: m.subject, Problem: fmt.Sprintf("the zero point of row %d, group %d", from+at/groups, at%groups),
			Expected: fmt.Sprintf("a stored one below %g", m.highest),
			Found:    fmt.Sprintf("%g, which libraries take for different zero points", m.highest),
			Hint:     "convert the checkpoint to gptq_v2, or load the one that it was made from",
		}
	}
	for i := range zeros {
		zeros[i]++
	}
	return nil
}

// unreadable is the error of a quantised matrix whose tensors do not fit together.
func (f form) unreadable(how, expected, found string) error {
	return &fault.Error{
		Subject: f.subject, Problem: "it is quantised (" + how + ")",
		Expected: expected, Found: found, Hint: quantisedHint, Err: errNoUnembedding,
	}
}

// open opens a matrix as it is stored, and says how in a word: its data type, or what it
// was dequantised from.
func (f form) open(q quantisation, part func(name string) (*tensor.Tensor, error)) (tensor.Matrix, string, error) {
	t, err := part(f.tensor)
	if err != nil {
		return nil, "", err
	}
	f.subject = t.Subject
	opened := map[string]*tensor.Tensor{}
	for _, ending := range []string{scaleEnding, inverseEnding, zerosEnding, scalesEnding, groupsEnding} {
		if f.parts[ending] != "" {
			if opened[ending], err = part(f.parts[ending]); err != nil {
				return nil, "", err
			}
		}
	}
	var values *tensor.Encoding
	switch t.DType {
	case tensor.F8E4M3.Name:
		values = tensor.F8E4M3
	case tensor.F8E5M2.Name:
		values = tensor.F8E5M2
	}
	scale := opened[inverseEnding]
	if scale == nil {
		scale = opened[scaleEnding]
	}
	switch {
	case f.packed:
		return f.openPacked(q, t, opened)
	case values != nil:
		return f.openScaled(q, t, values, scale)
	case t.Encoding == nil && scale != nil:
		return nil, "", f.unreadable("codes of type "+t.DType+" with scales", "codes of type F8_E4M3 or F8_E5M2", t.DType)
	}
	m, err := t.Matrix()
	if t.Encoding == nil && len(t.Shape) == 2 {
		err = amended(err, func(e *fault.Error) {
			e.Hint = "it is quantised, or no matrix of floats: " + quantisedHint
		})
	}
	return m, t.DType, err
}

// openScaled opens a matrix of 8-bit floats [rows, cols] and its scale: of all values, of
// each row, or of blocks of rows and columns.
func (f form) openScaled(
	q quantisation, t *tensor.Tensor, values *tensor.Encoding, scale *tensor.Tensor,
) (tensor.Matrix, string, error) {
	switch {
	case scale == nil:
		return nil, "", f.unreadable(t.DType, "its scale, "+scaleEnding+" or "+inverseEnding, "none")
	case f.parts[zeroPointEnding] != "":
		return nil, "", f.unreadable(t.DType, "a scale without zero points", f.parts[zeroPointEnding])
	case len(t.Shape) != 2 || t.Len() == 0:
		return nil, "", f.unreadable(t.DType, "a matrix", "shape "+describe(t.Shape))
	}
	block, width, err := f.blocks(q, t, scale)
	if err != nil {
		return nil, "", err
	}
	rows, cols := t.Shape[0], t.Shape[1]
	m := &dequantised{block: block, group: runs(cols, width)}
	if m.codes, err = t.As(values, t.Shape...).Matrix(); err != nil {
		return nil, "", err
	}
	if m.scales, err = scale.As(scale.Encoding, over(rows, block), over(cols, width)).Matrix(); err != nil {
		return nil, "", err
	}
	return m, t.DType + " with scales", nil
}

// blocks is how many rows and columns of t share a value of scale.
func (f form) blocks(q quantisation, t, scale *tensor.Tensor) (rows, cols int, err error) {
	shape, of := scale.Shape, t.Shape
	switch perRow := len(shape) == 1 || len(shape) == 2 && shape[1] == 1; {
	case scale.Len() == 1:
		return of[0], of[1], nil
	case perRow && shape[0] == of[0]:
		return 1, of[1], nil
	}
	rows, cols = q.scaleBlock()
	if rows <= 0 || cols <= 0 {
		return 0, 0, f.unreadable(t.DType, "a scale of one value or of one for each row, or weight_block_size in "+configFile,
			"a scale of shape "+describe(shape))
	}
	if want := []int{over(of[0], rows), over(of[1], cols)}; !slices.Equal(shape, want) {
		expected := fmt.Sprintf("a scale of shape %s, for blocks of %d rows and %d columns", describe(want), rows, cols)
		return 0, 0, f.unreadable(t.DType, expected, describe(shape))
	}
	return rows, cols, nil
}

// scaleBlock is the rows and columns of a block with a scale of its own, 0 where the
// configuration does not say.
func (q quantisation) scaleBlock() (rows, cols int) {
	switch {
	case len(q.block) == 2:
		return q.block[0], q.block[1]
	case q.groupSize > 0:
		return 1, q.groupSize
	}
	return 0, 0
}

func over(n, by int) int { return (n + by - 1) / by }

// runs gives each of n columns the number of its run of size columns.
func runs(n, size int) []int {
	group := make([]int, n)
	for i := range group {
		group[i] = i / size
	}
	return group
}
