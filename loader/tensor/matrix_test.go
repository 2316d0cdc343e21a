package tensor

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// counting is a stored tensor with the values 0, 1, 2, ….
func counting(shape ...int) *Tensor {
	counted := &Tensor{Subject: "f: tensor x", Shape: shape, Encoding: F32}
	var raw bytes.Buffer
	for i := range counted.Len() {
		binary.Write(&raw, binary.LittleEndian, float32(i))
	}
	counted.Source = bytes.NewReader(raw.Bytes())
	return counted
}

// Any rows of any shape, read in any portions, are the stored columns.
func TestTransposed(t *testing.T) {
	for _, shape := range [][]int{{1, 1}, {1, 7}, {7, 1}, {15, 4}, {16, 9}, {37, 21}} {
		m, err := counting(shape...).Transposed()
		if err != nil {
			t.Fatal(err)
		}
		if m.Rows() != shape[1] || m.Cols() != shape[0] {
			t.Fatalf("%v: [%d, %d]", shape, m.Rows(), m.Cols())
		}
		for from := range m.Rows() + 1 {
			for rows := range m.Rows() - from + 1 {
				dst := make([]float32, rows*m.Cols())
				if err := m.ReadRows(from, dst); err != nil {
					t.Fatal(err)
				}
				for i, v := range dst {
					if r, c := from+i/m.Cols(), i%m.Cols(); v != float32(c*shape[1]+r) {
						t.Fatalf("%v: row %d, column %d is %v", shape, r, c, v)
					}
				}
			}
		}
	}
}

func TestSlice(t *testing.T) {
	shape := []int{3, 4, 5}
	s := counting(shape...)
	for axis, want := range []func(index, row, col int) int{
		func(index, row, col int) int { return index*20 + row*5 + col },
		func(index, row, col int) int { return row*20 + index*5 + col },
	} {
		for index := range shape[axis] {
			m, err := s.Slice(axis, index)
			if err != nil {
				t.Fatal(err)
			}
			if m.Rows() != shape[1-axis] || m.Cols() != 5 {
				t.Fatalf("axis %d: [%d, %d]", axis, m.Rows(), m.Cols())
			}
			dst := make([]float32, (m.Rows()-1)*5)
			if err := m.ReadRows(1, dst); err != nil {
				t.Fatal(err)
			}
			for i, v := range dst {
				if v != float32(want(index, 1+i/5, i%5)) {
					t.Fatalf("axis %d, index %d: %v", axis, index, dst)
				}
			}
		}
	}
}

// What cannot be seen so is an error that says why.
func TestTransposedAndSliceErrors(t *testing.T) {
	s := counting(60)
	_, vector := s.Transposed()
	_, flat := s.As(F32, 6, 10).Slice(0, 0)
	_, beyond := s.As(F32, 3, 4, 5).Slice(1, 4)
	m, err := s.As(F32, 6, 10).Transposed()
	if err != nil {
		t.Fatal(err)
	}
	for want, err := range map[string]error{
		"expected a matrix, found shape [60]":                       vector,
		"expected a tensor of three dimensions, found shape [6 10]": flat,
		"expected an index below 4 along dimension 1, found 4":      beyond,
		"expected rows below 10, found 2 rows from row 9 on":        m.ReadRows(9, make([]float32, 12)),
		"expected room for whole rows of 6 values, found 7 values":  m.ReadRows(0, make([]float32, 7)),
		"expected values of type F32, F16, found I64":               second((&Tensor{Shape: []int{2, 2}, DType: "I64", Readable: []string{"F32", "F16"}}).Transposed()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

func second[T any](_ T, err error) error { return err }
