// Package tensor reads stored tensors as float32, whatever file they are in.
//
// A file format says where a tensor's values are and how they are encoded
// ([Stored]); this package turns a range of them into float32 with positioned
// reads and bounded memory.
package tensor

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/saedb/saedb/internal/fault"
)

// Matrix is a stored matrix, read as float32 row by row.
// It is safe for concurrent use.
type Matrix interface {
	Rows() int
	Cols() int
	// ReadRows reads len(dst)/Cols() rows, the first of them row from, to dst
	// [rows, Cols()]. It is an error when len(dst) is not a multiple of Cols() or
	// the rows do not exist.
	ReadRows(from int, dst []float32) error
}

// Matrix returns s, whose shape is that of a stored tensor, as a matrix. It is an
// error when the shape has not two dimensions, or one of them is 0.
func (s *Stored) Matrix(shape []int) (Matrix, error) {
	if err := s.checkMatrix(shape); err != nil {
		return nil, err
	}
	return &matrix{values: s, rows: shape[0], cols: shape[1]}, nil
}

// checkMatrix returns an error unless shape is a matrix's and s can be read.
func (s *Stored) checkMatrix(shape []int) error {
	if len(shape) != 2 || shape[0] == 0 || shape[1] == 0 {
		return &fault.Error{Subject: s.Subject, Expected: "a matrix", Found: fmt.Sprintf("shape %v", shape)}
	}
	return s.readable()
}

type matrix struct {
	values     *Stored // [rows, cols]
	rows, cols int
}

func (m *matrix) Rows() int { return m.rows }
func (m *matrix) Cols() int { return m.cols }

func (m *matrix) ReadRows(from int, dst []float32) error {
	if err := CheckRows(m.values.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return err
	}
	return m.values.ReadFloats(from*m.cols, dst)
}

// CheckRows returns an error that names subject unless n values are whole rows,
// from row from on, of a matrix [rows, cols].
func CheckRows(subject string, from, n, rows, cols int) error {
	if n%cols != 0 {
		return &fault.Error{
			Subject: subject, Expected: fmt.Sprintf("room for whole rows of %d values", cols), Found: fmt.Sprintf("%d values", n),
		}
	}
	if from < 0 || from > rows-n/cols {
		return &fault.Error{
			Subject: subject, Expected: fmt.Sprintf("rows below %d", rows), Found: fmt.Sprintf("%d rows from row %d on", n/cols, from),
		}
	}
	return nil
}

// Count returns the product of dimensions as a file gives them: 1 for none. It
// reports false when the product, or a dimension, is more than an int holds.
func Count(dimensions []uint64) (int, bool) {
	product := uint64(1)
	for _, n := range dimensions {
		high, low := bits.Mul64(product, n)
		if high != 0 || low > math.MaxInt || n > math.MaxInt {
			return 0, false
		}
		product = low
	}
	return int(product), true
}
