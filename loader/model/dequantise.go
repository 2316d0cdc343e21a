package model

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/safetensors"
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
	// highest code stands for, 0 or one more than the highest, differs between the
	// kernels of that format, and is an error.
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
	if at := slices.Index(zeros, m.highest); at >= 0 {
		return &fault.Error{
			Subject: m.subject, Problem: fmt.Sprintf("the zero point of row %d, group %d", from+at/m.zeros.Cols(), at%m.zeros.Cols()),
			Expected: fmt.Sprintf("a stored one below %g", m.highest), Found: fmt.Sprintf("%g, which the kernels of this format read differently", m.highest),
			Hint: "convert the checkpoint to gptq_v2, or load the one that it was made from",
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
		Subject: f.subject, Problem: "the unembedding is quantised (" + how + ")", Expected: expected, Found: found, Hint: quantisedHint, Err: errNoUnembedding,
	}
}

// open opens a matrix as it is stored, and says how in a word: its data type, or what it
// was dequantised from.
func (f form) open(q quantisation, part func(name string) (*safetensors.Tensor, error)) (tensor.Matrix, string, error) {
	t, err := part(f.tensor)
	if err != nil {
		return nil, "", err
	}
	f.subject = t.Stored().Subject
	opened := map[string]*safetensors.Tensor{}
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
	case t.Stored().Encoding == nil && scale != nil:
		return nil, "", f.unreadable("codes of type "+t.DType+" with scales", "codes of type F8_E4M3 or F8_E5M2", t.DType)
	}
	m, err := t.Matrix()
	if t.Stored().Encoding == nil && len(t.Shape) == 2 {
		err = amended(err, func(e *fault.Error) {
			e.Hint = "the unembedding is quantised, or no matrix of floats: " + quantisedHint
		})
	}
	return m, t.DType, err
}

// openScaled opens a matrix of 8-bit floats [rows, cols] and its scale: of all values, of
// each row, or of blocks of rows and columns.
func (f form) openScaled(q quantisation, t *safetensors.Tensor, values *tensor.Encoding, scale *safetensors.Tensor) (tensor.Matrix, string, error) {
	switch {
	case scale == nil:
		return nil, "", f.unreadable(t.DType, "its scale, "+scaleEnding+" or "+inverseEnding, "none")
	case f.parts[zeroPointEnding] != "":
		return nil, "", f.unreadable(t.DType, "a scale without zero points", f.parts[zeroPointEnding])
	case len(t.Shape) != 2 || t.Len() == 0:
		return nil, "", f.unreadable(t.DType, "a matrix", "shape "+describe(t.Shape))
	}
	rows, cols := t.Shape[0], t.Shape[1]
	block, width, shape := rows, cols, []int{1, 1}
	switch perRow := len(scale.Shape) == 1 || len(scale.Shape) == 2 && scale.Shape[1] == 1; {
	case scale.Len() == 1:
	case perRow && scale.Shape[0] == rows:
		block, shape = 1, []int{rows, 1}
	default:
		if block, width = q.scaleBlock(); block <= 0 || width <= 0 {
			return nil, "", f.unreadable(t.DType, "a scale of one value or of one for each row, or weight_block_size in "+configFile, "a scale of shape "+describe(scale.Shape))
		}
		shape = []int{over(rows, block), over(cols, width)}
		if !slices.Equal(scale.Shape, shape) {
			return nil, "", f.unreadable(t.DType, fmt.Sprintf("a scale of shape %s, for blocks of %d rows and %d columns", describe(shape), block, width), describe(scale.Shape))
		}
	}
	m := &dequantised{block: block, group: runs(cols, width)}
	codes := t.Stored()
	codes.Encoding = values
	var err error
	if m.codes, err = codes.Matrix(t.Shape); err != nil {
		return nil, "", err
	}
	if m.scales, err = scale.Stored().Matrix(shape); err != nil {
		return nil, "", err
	}
	return m, t.DType + " with scales", nil
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

const (
	packedBits = 4
	perWord    = 32 / packedBits // codes in one int32
)

// Words of 8 codes, the lowest bits first. AWQ has the columns 0, 2, 4, 6, 1, 3, 5, 7 of
// eight in that order. Sources: QuantLinear.pack of AutoGPTQ; AWQ_ORDER of AutoAWQ,
// awq/utils/packing_utils.py.
var (
	inOrder  = words([perWord]int{0, 1, 2, 3, 4, 5, 6, 7})
	awqOrder = words([perWord]int{0, 2, 4, 6, 1, 3, 5, 7})
)

func words(order [perWord]int) *tensor.Encoding {
	return &tensor.Encoding{Name: "I32", Values: perWord, Bytes: 4, Decode: func(dst []float32, src []byte) {
		for ; len(src) > 0; dst, src = dst[perWord:], src[4:] {
			word := binary.LittleEndian.Uint32(src)
			for _, at := range order {
				dst[at] = float32(word & (1<<packedBits - 1))
				word >>= packedBits
			}
		}
	}}
}

// openPacked opens a matrix of GPTQ or AWQ, [d_vocab, d_model], whose codes are stored by
// the columns of what the layer multiplies: with the scales [groups, d_vocab] they tell the
// two apart, and the number of bits.
func (f form) openPacked(q quantisation, t *safetensors.Tensor, opened map[string]*safetensors.Tensor) (tensor.Matrix, string, error) {
	scales, zeros := opened[scalesEnding], opened[zerosEnding]
	how := "GPTQ or AWQ"
	if t.DType != "I32" || zeros.DType != "I32" || len(t.Shape) != 2 || len(scales.Shape) != 2 || len(zeros.Shape) != 2 || scales.Len() == 0 || t.Len() == 0 {
		return nil, "", f.unreadable(how, "matrices of I32 words and their scales", fmt.Sprintf("%s %s, %s %s, scales %s", t.DType, describe(t.Shape), zeros.DType, describe(zeros.Shape), describe(scales.Shape)))
	}
	groups, rows := scales.Shape[0], scales.Shape[1]
	m := &dequantised{block: 1, highest: 1<<packedBits - 1, subject: zeros.Stored().Subject}
	codes, packed := t.Stored(), [2]int{t.Shape[0] * perWord, rows}
	order := inOrder
	var err error
	switch q.method {
	case "gptq":
		how = "GPTQ"
		if m.fromOne, err = f.zeroConvention(q); err != nil {
			return nil, "", err
		}
	case "awq":
		how, order = "AWQ", awqOrder
		packed = [2]int{t.Shape[0], t.Shape[1] * perWord}
		if q.version != "" && q.version != "gemm" {
			return nil, "", f.unreadable(how, "version gemm in "+configFile, q.version)
		}
	default:
		return nil, "", f.unreadable(how, "quant_method gptq or awq in "+configFile+", which says how zero points are stored", fmt.Sprintf("%q", q.method))
	}
	switch {
	case rows%perWord != 0:
		return nil, "", f.unreadable(how, fmt.Sprintf("a vocabulary that is a multiple of %d, as words of 4 bits make it", perWord), fmt.Sprint(rows))
	case q.bits != 0 && q.bits != packedBits:
		return nil, "", f.unreadable(how, "4 bits", fmt.Sprintf("%d bits in %s", q.bits, configFile))
	case packed[1] != rows || zeros.Shape[0] != groups || zeros.Shape[1]*perWord != rows || t.Len() != packed[0]*packed[1]/perWord:
		return nil, "", f.unreadable(how, fmt.Sprintf("words of 8 codes of 4 bits, for scales of shape %s", describe(scales.Shape)),
			fmt.Sprintf("%s of shape %s, %s of shape %s", codesEnding, describe(t.Shape), zerosEnding, describe(zeros.Shape)))
	}
	cols := packed[0]
	if m.group, err = f.groups(q, how, cols, groups, opened[groupsEnding]); err != nil {
		return nil, "", err
	}
	codes.Encoding, codes.Len = order, t.Len()*perWord
	if q.method == "awq" {
		m.codes, err = codes.Transposed([]int{cols, rows})
	} else {
		m.codes = &columnWords{words: codes, rows: rows, cols: cols}
	}
	if err != nil {
		return nil, "", err
	}
	stored := zeros.Stored()
	stored.Encoding, stored.Len = order, zeros.Len()*perWord
	if m.zeros, err = stored.Transposed([]int{groups, rows}); err != nil {
		return nil, "", err
	}
	if m.scales, err = scales.Transposed(); err != nil {
		return nil, "", err
	}
	return m, how + " with 4 bits", nil
}

// zeroConvention reports whether zero points are stored less one, as in GPTQ's first
// format, which is the one that a configuration means that names none.
func (f form) zeroConvention(q quantisation) (fromOne bool, err error) {
	switch q.format {
	case "", "gptq":
		return true, nil
	case "gptq_v2":
		return false, nil
	}
	return false, f.unreadable("GPTQ", "checkpoint_format gptq or gptq_v2 in "+configFile, q.format)
}

// groups gives each column its group, by g_idx or by the size of groups.
func (f form) groups(q quantisation, how string, cols, groups int, index *safetensors.Tensor) ([]int, error) {
	if index == nil {
		size := q.groupSize
		if size == -1 || size == 0 && groups == 1 {
			size = cols
		}
		if size <= 0 || over(cols, size) != groups {
			return nil, f.unreadable(how, fmt.Sprintf("group_size in %s that makes %d groups of %d columns", configFile, groups, cols), fmt.Sprint(q.groupSize))
		}
		return runs(cols, size), nil
	}
	if index.DType != "I32" || index.Len() != cols {
		return nil, f.unreadable(how, fmt.Sprintf("%s with an I32 for each of %d columns", groupsEnding, cols), index.DType+" "+describe(index.Shape))
	}
	stored, numbers := index.Stored(), make([]float32, cols)
	stored.Encoding = wholeNumbers
	if err := stored.ReadFloats(0, numbers); err != nil {
		return nil, err
	}
	group, used := make([]int, cols), make([]bool, groups)
	for i, n := range numbers {
		if n < 0 || int(n) >= groups {
			return nil, f.unreadable(how, fmt.Sprintf("%s below %d", groupsEnding, groups), fmt.Sprint(n))
		}
		group[i] = int(n)
		used[group[i]] = true
	}
	if slices.Contains(used, false) {
		return nil, f.unreadable(how, fmt.Sprintf("columns of all %d groups in %s", groups, groupsEnding), "groups without any")
	}
	return group, nil
}

// wholeNumbers reads an I32 as a number. Those beyond 2^24, which float32 rounds, are no
// groups of any matrix.
var wholeNumbers = &tensor.Encoding{Name: "I32", Values: 1, Bytes: 4, Decode: func(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = float32(int32(binary.LittleEndian.Uint32(src[4*i:])))
	}
}}

// columnWords is the matrix [rows, cols] of codes whose words [cols/8, rows] hold eight
// columns of a row each.
type columnWords struct {
	words      *tensor.Stored
	rows, cols int
}

func (m *columnWords) Rows() int { return m.rows }
func (m *columnWords) Cols() int { return m.cols }

func (m *columnWords) ReadRows(from int, dst []float32) error {
	if err := tensor.CheckRows(m.words.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return err
	}
	n := len(dst) / m.cols
	codes := make([]float32, n*perWord)
	for word := range m.cols / perWord {
		if err := m.words.ReadFloats((word*m.rows+from)*perWord, codes); err != nil {
			return err
		}
		for row := range n {
			copy(dst[row*m.cols+word*perWord:], codes[row*perWord:(row+1)*perWord])
		}
	}
	return nil
}
