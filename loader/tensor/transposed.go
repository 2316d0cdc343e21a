package tensor

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
)

// transposedColumns of a transposed matrix are read at a time: as many float32 as
// fill a cache line, so that a line of the result is written once.
const transposedColumns = 16

// Transposed returns s, whose shape is that of a stored tensor [cols, rows], as
// the matrix [rows, cols]. It is an error when the shape has not two dimensions,
// or one of them is 0.
//
// Rows of the matrix are columns of what is stored: reading n of them takes cols
// reads of n values each, and memory for 16·n values.
func (s *Stored) Transposed(shape []int) (Matrix, error) {
	if err := s.checkMatrix(shape); err != nil {
		return nil, err
	}
	return &transposed{values: s, rows: shape[1], cols: shape[0]}, nil
}

type transposed struct {
	values     *Stored // [cols, rows]
	rows, cols int
}

func (m *transposed) Rows() int { return m.rows }
func (m *transposed) Cols() int { return m.cols }

func (m *transposed) ReadRows(from int, dst []float32) error {
	if err := CheckRows(m.values.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return err
	}
	n := len(dst) / m.cols
	columns := make([]float32, transposedColumns*n)
	for c := 0; c < m.cols; c += transposedColumns {
		width := min(transposedColumns, m.cols-c)
		for i := range width {
			if err := m.values.ReadFloats((c+i)*m.rows+from, columns[i*n:(i+1)*n]); err != nil {
				return err
			}
		}
		for r := range n {
			row := dst[r*m.cols+c:]
			for i := range width {
				row[i] = columns[i*n+r]
			}
		}
	}
	return nil
}

// Slice returns one matrix of s, whose shape is that of a stored tensor with three
// dimensions: that at index along axis 0 or 1, of the other two dimensions in
// their order. Another number of dimensions and an index that is not there are errors.
func (s *Stored) Slice(shape []int, axis, index int) (Matrix, error) {
	if len(shape) != 3 || shape[0] == 0 || shape[1] == 0 || shape[2] == 0 {
		return nil, &fault.Error{Subject: s.Subject, Expected: "a tensor of three dimensions", Found: fmt.Sprintf("shape %v", shape)}
	}
	if index < 0 || index >= shape[axis] {
		return nil, &fault.Error{
			Subject: s.Subject, Expected: fmt.Sprintf("an index below %d along dimension %d", shape[axis], axis), Found: fmt.Sprint(index),
		}
	}
	if err := s.readable(); err != nil {
		return nil, err
	}
	m := &slice{values: s, rows: shape[1-axis], cols: shape[2]}
	if axis == 0 {
		m.first, m.stride = index*shape[1]*shape[2], shape[2]
	} else {
		m.first, m.stride = index*shape[2], shape[1]*shape[2]
	}
	return m, nil
}

// slice is a matrix whose row r begins at value first + r·stride of what is stored.
type slice struct {
	values        *Stored
	first, stride int
	rows, cols    int
}

func (m *slice) Rows() int { return m.rows }
func (m *slice) Cols() int { return m.cols }

func (m *slice) ReadRows(from int, dst []float32) error {
	if err := CheckRows(m.values.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return err
	}
	if m.stride == m.cols {
		return m.values.ReadFloats(m.first+from*m.cols, dst)
	}
	for r := range len(dst) / m.cols {
		if err := m.values.ReadFloats(m.first+(from+r)*m.stride, dst[r*m.cols:(r+1)*m.cols]); err != nil {
			return err
		}
	}
	return nil
}
