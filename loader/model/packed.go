package model

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/saedb/saedb/loader/tensor"
)

const (
	packedBits = 4
	perWord    = 32 / packedBits // codes in one int32

	howGPTQ, howAWQ = "GPTQ", "AWQ"
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

// openPacked opens a matrix of GPTQ or AWQ, [d_vocab, d_model], which is stored as what the
// layer multiplies, [d_model, d_vocab]: in words of codes of eight rows by GPTQ, and of
// eight columns by AWQ. Scales and words of zero points are [groups, d_vocab] in both.
func (f form) openPacked(q quantisation, t *tensor.Tensor, opened map[string]*tensor.Tensor) (tensor.Matrix, string, error) {
	scales, zeros := opened[scalesEnding], opened[zerosEnding]
	how, err := f.checkPacked(q, t, scales, zeros)
	if err != nil {
		return nil, "", err
	}
	groups, rows := scales.Shape[0], scales.Shape[1]
	cols := t.Len() * perWord / rows
	m := &dequantised{block: 1, highest: 1<<packedBits - 1, subject: zeros.Subject}
	order := awqOrder
	if how == howGPTQ {
		order = inOrder
		if m.fromOne, err = f.zeroConvention(q); err != nil {
			return nil, "", err
		}
	}
	if m.group, err = f.groups(q, how, cols, groups, opened[groupsEnding]); err != nil {
		return nil, "", err
	}
	if how == howGPTQ {
		m.codes = &columnWords{words: t.As(order, cols, rows), rows: rows, cols: cols}
	} else if m.codes, err = t.As(order, cols, rows).Transposed(); err != nil {
		return nil, "", err
	}
	if m.zeros, err = zeros.As(order, groups, rows).Transposed(); err != nil {
		return nil, "", err
	}
	if m.scales, err = scales.Transposed(); err != nil {
		return nil, "", err
	}
	return m, how + " with 4 bits", nil
}

// checkPacked says whether codes are GPTQ's or AWQ's, which the configuration has to, and
// holds the shapes of the tensors against each other.
func (f form) checkPacked(q quantisation, codes, scales, zeros *tensor.Tensor) (how string, err error) {
	how = map[string]string{"gptq": howGPTQ, "awq": howAWQ}[q.method]
	refuse := func(expected, found string) (string, error) {
		return "", f.unreadable(cmp.Or(how, "GPTQ or AWQ"), expected, found)
	}
	stored := fmt.Sprintf("%s of %s %s, %s of %s %s, %s of shape %s", codesEnding, codes.DType, describe(codes.Shape),
		zerosEnding, zeros.DType, describe(zeros.Shape), scalesEnding, describe(scales.Shape))
	if codes.DType != "I32" || zeros.DType != "I32" || len(codes.Shape) != 2 || len(scales.Shape) != 2 || len(zeros.Shape) != 2 ||
		codes.Len() == 0 || scales.Len() == 0 {
		return refuse("matrices of I32 words, and their scales", stored)
	}
	groups, rows, words := scales.Shape[0], scales.Shape[1], codes.Shape[1]
	if how == howAWQ {
		words *= perWord
	}
	switch {
	case how == "":
		return refuse("quant_method gptq or awq in "+configFile+", which says how codes are stored", fmt.Sprintf("%q", q.method))
	case how == howAWQ && q.version != "" && q.version != "gemm":
		return refuse("version gemm in "+configFile, q.version)
	case q.bits != 0 && q.bits != packedBits:
		return refuse("4 bits", fmt.Sprintf("%d bits in %s", q.bits, configFile))
	case rows%perWord != 0:
		return refuse(fmt.Sprintf("a vocabulary that is a multiple of %d, as words of 4 bits make it", perWord), fmt.Sprint(rows))
	case words != rows || zeros.Shape[0] != groups || zeros.Shape[1]*perWord != rows:
		return refuse("words of 8 codes of 4 bits for each of the scales", stored)
	}
	return how, nil
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
	return false, f.unreadable(howGPTQ, "checkpoint_format gptq or gptq_v2 in "+configFile, q.format)
}

// groups gives each column its group, by g_idx or by the size of groups.
func (f form) groups(q quantisation, how string, cols, groups int, index *tensor.Tensor) ([]int, error) {
	if index == nil {
		size := q.groupSize
		if size == -1 || size == 0 && groups == 1 {
			size = cols
		}
		if size <= 0 || over(cols, size) != groups {
			expected := fmt.Sprintf("group_size in %s that makes %d groups of %d columns", configFile, groups, cols)
			return nil, f.unreadable(how, expected, fmt.Sprint(q.groupSize))
		}
		return runs(cols, size), nil
	}
	if index.DType != "I32" || index.Len() != cols {
		expected := fmt.Sprintf("%s with an I32 for each of %d columns", groupsEnding, cols)
		return nil, f.unreadable(how, expected, index.DType+" "+describe(index.Shape))
	}
	numbers := make([]float32, cols)
	if err := index.As(wholeNumbers, cols).ReadFloats(0, numbers); err != nil {
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
	words      *tensor.Tensor
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
