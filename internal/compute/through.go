package compute

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Through takes directions through two matrices of a head, into its space and out of it again. It
// is immutable.
type Through struct {
	in, out blas64.General // [d_head, d_model]
}

// NewThrough makes one of the matrices in and out [d_head, d_model], row by row: in has what each
// dimension of the head reads, out what each writes.
func NewThrough(in, out []float32, dModel int) *Through {
	if len(in) != len(out) || dModel < 1 || len(in) == 0 || len(in)%dModel != 0 {
		panic("compute: matrices that are not of one head")
	}
	general := func(values []float32) blas64.General {
		g := blas64.General{Rows: len(values) / dModel, Cols: dModel, Stride: dModel, Data: make([]float64, len(values))}
		widen(g.Data, values)
		return g
	}
	return &Through{general(in), general(out)}
}

// Bytes is the memory that it takes.
func (t *Through) Bytes() int64 { return 8 * int64(len(t.in.Data)+len(t.out.Data)) }

// Pass writes outᵀ·in·direction of each of the directions [n, d_model] to to [n, d_model]. Sums
// are float64's, rounded to float32 at the end.
func (t *Through) Pass(ctx context.Context, directions, to []float32) error {
	d, width := t.in.Cols, t.in.Rows
	if len(directions)%d != 0 || len(to) != len(directions) {
		panic(panicDirection)
	}
	const rows = 64
	return inParallel(ctx, len(directions)/d, rows, 0, func(_ context.Context, from, end int) error {
		n := end - from
		block := blas64.General{Rows: n, Cols: d, Stride: d, Data: make([]float64, n*d)}
		inside := blas64.General{Rows: n, Cols: width, Stride: width, Data: make([]float64, n*width)}
		widen(block.Data, directions[from*d:end*d])
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, block, t.in, 0, inside)
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, inside, t.out, 0, block)
		for i, v := range block.Data {
			to[from*d+i] = float32(v)
		}
		return nil
	})
}

// widen copies as many float32 as fit to float64.
func widen(to []float64, from []float32) {
	for i := range to {
		to[i] = float64(from[i])
	}
}
