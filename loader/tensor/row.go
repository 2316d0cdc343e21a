package tensor

import "fmt"

// Values are those of a stored tensor in row-major order, as float32.
type Values interface {
	// ReadFloats reads the values from … from+len(dst)-1 to dst. A range outside the
	// tensor is an error.
	ReadFloats(from int, dst []float32) error
}

// Row returns the n values of a vector as a matrix of one row.
func Row(values Values, n int) Matrix { return row{values, n} }

type row struct {
	values Values
	n      int
}

func (r row) Rows() int { return 1 }
func (r row) Cols() int { return r.n }

func (r row) ReadRows(from int, dst []float32) error {
	if err := CheckRows(fmt.Sprintf("vector of %d values", r.n), from, len(dst), 1, r.n); err != nil {
		return err
	}
	return r.values.ReadFloats(0, dst)
}
