package tensor

import (
	"fmt"
	"slices"

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

// Matrix returns a tensor [rows, cols] as a matrix. Another number of dimensions, a
// dimension of 0, a type that is not read and values in a Scattered order are errors.
func (t *Tensor) Matrix() (Matrix, error) { return t.matrix(false) }

// Transposed returns a tensor [cols, rows] as the matrix [rows, cols]; errors are those of
// Matrix.
func (t *Tensor) Transposed() (Matrix, error) { return t.matrix(true) }

func (t *Tensor) matrix(transpose bool) (Matrix, error) {
	if len(t.Shape) != 2 || t.Len() == 0 {
		return nil, t.unfit("a matrix", fmt.Sprintf("shape %v", t.Shape))
	}
	if err := t.checkOrder(ColumnMajor, "values stored row by row or column by column"); err != nil {
		return nil, err
	}
	v := view{t, t.Shape[0], t.Shape[1]}
	if transpose {
		v.rows, v.cols = v.cols, v.rows
	}
	if transpose != (t.Order == ColumnMajor) {
		return &transposed{v}, nil
	}
	return &matrix{view: v, stride: v.cols}, nil
}

// Row returns a tensor of one dimension as a matrix of one row. Another number of
// dimensions, no values, a type that is not read and another order are errors.
func (t *Tensor) Row() (Matrix, error) {
	if len(t.Shape) != 1 || t.Len() == 0 {
		return nil, t.unfit("a vector", fmt.Sprintf("shape %v", t.Shape))
	}
	return t.rowMajor(0, t.Len(), 1, t.Len())
}

// Slice returns one matrix of a tensor of three dimensions: that at index along axis 0 or 1,
// of the other two dimensions in their order. Another number of dimensions, an index that is
// not there, a type that is not read and another order than RowMajor are errors.
func (t *Tensor) Slice(axis, index int) (Matrix, error) {
	s := t.Shape
	if len(s) != 3 || t.Len() == 0 {
		return nil, t.unfit("a tensor of three dimensions", fmt.Sprintf("shape %v", s))
	}
	if index < 0 || index >= s[axis] {
		return nil, t.unfit(fmt.Sprintf("an index below %d along dimension %d", s[axis], axis), fmt.Sprint(index))
	}
	if axis == 0 {
		return t.rowMajor(index*s[1]*s[2], s[2], s[1], s[2])
	}
	return t.rowMajor(index*s[2], s[1]*s[2], s[0], s[2])
}

func (t *Tensor) rowMajor(first, stride, rows, cols int) (Matrix, error) {
	if err := t.checkOrder(RowMajor, "values in row-major order"); err != nil {
		return nil, err
	}
	return &matrix{view{t, rows, cols}, first, stride}, nil
}

// view is a matrix of some of the values of a tensor.
type view struct {
	values     *Tensor
	rows, cols int
}

func (v *view) Rows() int { return v.rows }
func (v *view) Cols() int { return v.cols }

// matrix is a view whose row r begins at value first + r·stride of what is stored.
type matrix struct {
	view
	first, stride int
}

func (m *matrix) ReadRows(from int, dst []float32) error {
	if err := CheckRows(m.values.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return fault.At(m.values.Op, "", err)
	}
	if m.stride == m.cols {
		return m.values.read(m.first+from*m.cols, dst)
	}
	for row := range slices.Chunk(dst, m.cols) {
		if err := m.values.read(m.first+from*m.stride, row); err != nil {
			return err
		}
		from++
	}
	return nil
}

// transposed is a view whose columns are what is stored as rows: reading n of its rows takes
// cols reads of n values each, and memory for 16·n values.
type transposed struct{ view }

// transposedColumns of a transposed matrix are read at a time: as many float32 as
// fill a cache line, so that a line of the result is written once.
const transposedColumns = 16

func (m *transposed) ReadRows(from int, dst []float32) error {
	if err := CheckRows(m.values.Subject, from, len(dst), m.rows, m.cols); err != nil {
		return fault.At(m.values.Op, "", err)
	}
	n := len(dst) / m.cols
	columns := make([]float32, transposedColumns*n)
	for c := 0; c < m.cols; c += transposedColumns {
		width := min(transposedColumns, m.cols-c)
		for i := range width {
			if err := m.values.read((c+i)*m.rows+from, columns[i*n:(i+1)*n]); err != nil {
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

// Stored returns the tensor that a matrix is a view of, and whether the matrix's rows are its
// columns as they are stored; nil for a matrix that is none of this package's.
func Stored(m Matrix) (t *Tensor, turned bool) {
	switch m := m.(type) {
	case *matrix:
		return m.values, false
	case *transposed:
		return m.values, true
	}
	return nil, false
}
