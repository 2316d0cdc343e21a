package sae

import (
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Map is a matrix of a language model that takes the space of a decoder to the
// residual stream.
type Map struct {
	Matrix tensor.Matrix // [d_in, d_model]: W_O with its heads flattened, or W_out
	Name   string        // "W_O" or "W_out", and its tensor, for Scale
	Files  []string      // that it is in
}

// Mapped returns s with every row of its decoder times a matrix:
//
//	W_dec [d_sae, d_in] · W [d_in, d_model]
//
// in float64, rounded once. It takes over s: closing it closes s. The matrix is read
// here, and held as float64. Source: to_resid_direction in
// transformer_lens_wrapper.py of SAEDashboard.
func Mapped(s SAE, by Map) (SAE, error) {
	info := s.Info()
	in, out := by.Matrix.Rows(), by.Matrix.Cols()
	if info.DModel != in {
		e := &fault.Error{
			Op: opRead, Subject: info.Path, Expected: fmt.Sprintf("rows of %d values, as %s has rows", in, by.Name),
			Found: fmt.Sprint(info.DModel), Hint: "is it an SAE of another model?",
		}
		if info.Space == AttentionValues {
			e.Hint = "where several heads read the same values, as with grouped queries, the values have no way of their own to the residual stream; " + e.Hint
		}
		return nil, e
	}
	m := &mapped{described: described{s, info}, matrix: blas64.General{Rows: in, Cols: out, Stride: out, Data: make([]float64, in*out)}}
	row := make([]float32, out)
	for i := range in {
		if err := by.Matrix.ReadRows(i, row); err != nil {
			return nil, fault.At(opRead, by.Name, err)
		}
		if at := tensor.FirstNonFinite(row); at >= 0 {
			return nil, &fault.Error{
				Op: opRead, Subject: by.Name, Problem: fmt.Sprintf("row %d, column %d", i, at), Expected: "finite weights", Found: fmt.Sprint(row[at]),
			}
		}
		for j, v := range row {
			m.matrix.Data[i*out+j] = float64(v)
		}
	}
	m.info.DModel, m.info.Space = out, ResidualStream
	m.info.Scale += "; mapped by " + by.Name
	m.info.Files = append(slices.Clone(info.Files), by.Files...)
	return m, nil
}

type mapped struct {
	described
	matrix blas64.General
}

// mappedRows are multiplied at a time: enough for Gemm to reuse the matrix from
// cache, few enough that their float64 are small beside it.
const mappedRows = 256

func (m *mapped) ReadDecoder(from int, dst []float32) error {
	in, out := m.matrix.Rows, m.matrix.Cols
	subject := m.info.Path + ": decoder, " + m.info.Scale
	if err := tensor.CheckRows(subject, from, len(dst), m.info.DSAE, out); err != nil {
		return fault.At(opRead, "", err)
	}
	rows := len(dst) / out
	read := make([]float32, min(rows, mappedRows)*in)
	a := blas64.General{Cols: in, Stride: in, Data: make([]float64, len(read))}
	c := blas64.General{Cols: out, Stride: out, Data: make([]float64, min(rows, mappedRows)*out)}
	for done := 0; done < rows; done += mappedRows {
		n := min(mappedRows, rows-done)
		if err := m.SAE.ReadDecoder(from+done, read[:n*in]); err != nil {
			return err
		}
		for i, v := range read[:n*in] {
			a.Data[i] = float64(v)
		}
		a.Rows, c.Rows = n, n
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, a, m.matrix, 0, c)
		for i, v := range c.Data[:n*out] {
			dst[done*out+i] = float32(v)
		}
	}
	return checkFinite(subject, from, dst, out)
}
