package sae

import (
	"math"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"gonum.org/v1/gonum/mat"
)

// ArchitectureHeads is the Architecture of the singular directions of a block's heads.
const ArchitectureHeads = "attention_heads"

// Directionlike are the architectures that are no SAE's.
var Directionlike = []string{ArchitectureDirections, ArchitectureNeurons, ArchitectureHeads}

// SingularDirections are the right singular vectors of W_V·W_O of a head, each times its singular
// value, the largest first [d_head, d_model]: what the head writes of the directions that it reads
// most. values has W_Vᵀ and out W_O, [d_head, d_model] both. A vector's sign is that with which its
// component of the largest magnitude is positive. Source: Millidge and Black, The Singular Value
// Decompositions of Transformer Weight Matrices are Highly Interpretable (2022).
func SingularDirections(values, out []float32, dModel int) ([]float32, error) {
	width := len(out) / dModel
	read, readFactor, err := thin(values, width, dModel)
	if err != nil {
		return nil, err
	}
	written, writtenFactor, err := thin(out, width, dModel)
	if err != nil {
		return nil, err
	}
	// W_V·W_O is read·(readFactor·writtenFactorᵀ)·writtenᵀ.
	var between mat.Dense
	between.Mul(readFactor, writtenFactor.T())
	var inner mat.SVD
	if read == nil || !inner.Factorize(&between, mat.SVDThin) {
		return nil, undecomposed()
	}
	var right, vectors mat.Dense
	inner.VTo(&right)
	vectors.Mul(written, &right) // [d_model, d_head]
	directions := make([]float32, len(out))
	for i, sigma := range inner.Values(nil) {
		sign, largest := 1.0, 0.0
		for j := range dModel {
			if v := vectors.At(j, i); math.Abs(v) > largest {
				largest, sign = math.Abs(v), math.Copysign(1, v)
			}
		}
		for j := range dModel {
			directions[i*dModel+j] = float32(sign * sigma * vectors.At(j, i))
		}
	}
	return directions, nil
}

// thin decomposes the transpose of rows [width, dModel] into orthonormal columns [dModel, width]
// and a factor [width, width], whose product it is.
func thin(rows []float32, width, dModel int) (columns, factor *mat.Dense, err error) {
	whole := mat.NewDense(dModel, width, nil)
	for i := range width {
		for j := range dModel {
			whole.Set(j, i, float64(rows[i*dModel+j]))
		}
	}
	var svd mat.SVD
	if !svd.Factorize(whole, mat.SVDThin) {
		return nil, nil, undecomposed()
	}
	columns, factor = new(mat.Dense), new(mat.Dense)
	var right mat.Dense
	svd.UTo(columns)
	svd.VTo(&right)
	factor.Mul(mat.NewDiagDense(width, svd.Values(nil)), right.T())
	return columns, factor, nil
}

func undecomposed() error {
	return &fault.Error{Problem: "the singular value decomposition of a head does not converge"}
}

// Made is a matrix of rows that are in memory.
type Made struct {
	Values []float32 // [rows, Width]
	Width  int
}

// Rows and Cols are its sizes.
func (m *Made) Rows() int { return len(m.Values) / m.Width }
func (m *Made) Cols() int { return m.Width }

// ReadRows is that of [tensor.Matrix].
func (m *Made) ReadRows(from int, dst []float32) error {
	if err := tensor.CheckRows("rows in memory", from, len(dst), m.Rows(), m.Width); err != nil {
		return err
	}
	copy(dst, m.Values[from*m.Width:])
	return nil
}
