package compute

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// Composition scores how much of directions comes through the heads of a block: for a head whose
// matrices in and out [d_head, d_model] lead into it and out of it,
//
//	‖outᵀ·in·w‖ / (‖outᵀ·in‖_F · ‖w‖)
//
// the norm of the product over the product of norms. Source: Elhage et al., A Mathematical
// Framework for Transformer Circuits (2021); compute_attention_composition of Gurnee et al.,
// Universal Neurons in GPT2 Language Models (2024). It is immutable.
type Composition struct {
	reader *Unembedding // rows of in, of all heads that have their own
	heads  []composed
	width  int
}

// composed is one head.
type composed struct {
	first    int            // its first row of reader
	gram     blas64.General // out·outᵀ [d_head, d_head]
	square   float64        // ‖outᵀ·in‖_F²
	mean, sd float64        // of the squared score of random directions
}

// HeadPlace is the place of a head's rows in each of the matrices, in heads.
type HeadPlace struct{ In, Out int }

// NewComposition makes one of the rows [heads·width, dModel] of all heads' in and out. A value
// that is not finite is an error.
func NewComposition(in, out []float32, places []HeadPlace, width, dModel int) (*Composition, error) {
	builder, err := NewBuilder(len(in)/dModel, dModel)
	if err != nil {
		return nil, err
	}
	builder.SetRows(0, in)
	c := &Composition{width: width}
	if c.reader, err = builder.Build(); err != nil {
		return nil, err
	}
	for _, place := range places {
		h := composed{first: place.In * width, gram: gram(out[place.Out*width*dModel:], width, dModel)}
		product := blas64.General{Rows: width, Cols: width, Stride: width, Data: make([]float64, width*width)}
		blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, gram(in[place.In*width*dModel:], width, dModel), h.gram, 0, product)
		var trace, squares float64 // of product, and of product²
		for i := range width {
			trace += product.Data[i*width+i]
			for j := range width {
				squares += product.Data[i*width+j] * product.Data[j*width+i]
			}
		}
		// Of w uniform on the sphere and A = MᵀM/‖M‖²: E(wᵀAw) = 1/d, and
		// E(wᵀAw)² = (1 + 2 tr A²)/(d·(d + 2)).
		d := float64(dModel)
		h.square, h.mean = trace, 1/d
		h.sd = math.Sqrt(max(0, 2*(d*squares/(trace*trace)-1)/(d*d*(d+2))))
		c.heads = append(c.heads, h)
	}
	return c, nil
}

// gram is rows·rowsᵀ of the first width rows.
func gram(rows []float32, width, dModel int) blas64.General {
	wide := blas64.General{Rows: width, Cols: dModel, Stride: dModel, Data: make([]float64, width*dModel)}
	widen(wide.Data, rows[:width*dModel])
	g := blas64.General{Rows: width, Cols: width, Stride: width, Data: make([]float64, width*width)}
	blas64.Gemm(blas.NoTrans, blas.Trans, 1, wide, wide, 0, g)
	return g
}

// Score writes the scores of the directions [n, d_model] to scores [n, heads], and to z how many
// standard deviations the square of each is above that of random directions, which is 1/d_model
// on average. A zero direction, and a head that leads to nothing, have NaN. Products with the
// head's own matrices are float32's, and sums of these float64's: a score errs by some 10⁻⁶ of
// itself.
func (c *Composition) Score(ctx context.Context, directions []float32, scores, z []float64) error {
	d, rows := c.reader.dModel, c.reader.vocab
	n := len(directions) / d
	products := make([]float32, n*rows)
	if err := c.reader.LogitWeights(ctx, directions, products); err != nil {
		return err
	}
	const size = 64
	return inParallel(ctx, n, size, 0, func(_ context.Context, from, to int) error {
		inside := blas64.General{Rows: to - from, Cols: c.width, Stride: c.width, Data: make([]float64, (to-from)*c.width)}
		mapped := blas64.General{Rows: to - from, Cols: c.width, Stride: c.width, Data: make([]float64, (to-from)*c.width)}
		for j, h := range c.heads {
			for i := range to - from {
				widen(inside.Data[i*c.width:(i+1)*c.width], products[(from+i)*rows+h.first:])
			}
			blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, inside, h.gram, 0, mapped)
			for i := range to - from {
				var square, length float64
				for k, v := range inside.Data[i*c.width : (i+1)*c.width] {
					square += v * mapped.Data[i*c.width+k]
				}
				for _, w := range directions[(from+i)*d : (from+i+1)*d] {
					length += float64(w) * float64(w)
				}
				share := max(0, square) / (h.square * length)
				scores[(from+i)*len(c.heads)+j] = math.Sqrt(share)
				z[(from+i)*len(c.heads)+j] = (share - h.mean) / h.sd
			}
		}
		return nil
	})
}
