package compute

import (
	"fmt"
	"math"
)

// The texts of panics: each is a mistake of the calling code, never of a file.
const (
	panicRows       = "compute: rows are not a whole number of d_model values inside the vocabulary"
	panicBuilt      = "compute: Builder used after Build"
	panicDirections = "compute: directions are not a whole number of d_model values"
	panicDirection  = "compute: direction does not have d_model values"
	panicToken      = "compute: token id outside the vocabulary"
	panicOutput     = "compute: output does not have one value for each direction and token"
	panicTopK       = "compute: TopK is negative"
)

// NonFiniteError is returned for a weight that is NaN or infinite.
type NonFiniteError struct {
	Matrix   string  // "unembedding" or "directions"
	Row      int     // token id, or index of the direction in the call
	Position int     // index within the row, below d_model
	Value    float32 // NaN, +Inf or -Inf
}

func (e *NonFiniteError) Error() string {
	return fmt.Sprintf("compute: %s: expected finite weights, found %v at row %d, position %d",
		e.Matrix, e.Value, e.Row, e.Position)
}

// checkFinite returns a [*NonFiniteError] for the first weight of rows
// [n, dModel] that is not finite; firstRow is the number that its first row has.
func checkFinite(matrix string, rows []float32, dModel, firstRow int) error {
	for i, v := range rows {
		if isFinite(v) {
			continue
		}
		return &NonFiniteError{Matrix: matrix, Row: firstRow + i/dModel, Position: i % dModel, Value: v}
	}
	return nil
}

func isFinite(v float32) bool {
	const exponent = 0xff << 23
	return math.Float32bits(v)&exponent != exponent
}
