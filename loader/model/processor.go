package model

import (
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tensor"
)

// processor computes rows of the processed unembedding, W_Uᵀ [d_vocab, d_model].
//
// With the stored row x of token t, the norm's weight w and d = d_model:
//
//	y = x ⊙ w
//	y = y - mean over d of y      LayerNorm, folded
//	y = y - mean over t of y      unless logits are soft-capped
//
// Source: transformer_lens/weight_processing.py, fold_layer_norm and center_unembed.
type processor struct {
	stored     tensor.Matrix // [d_vocab, d_model]
	subject    string        // file and tensor, in errors
	weight     []float64     // w [d_model]
	centerRows bool          // over d_model
	mean       []float64     // over the vocabulary [d_model], zeros when not taken off
}

// newProcessor reads the whole unembedding once, for the mean over the vocabulary
// and to find values that are not finite.
func newProcessor(s *stored) (*processor, error) {
	p := &processor{
		stored: s.unembedding, subject: s.subject,
		weight: make([]float64, s.info.DModel), centerRows: s.info.Processing.CenteredOverDModel,
	}
	for i := range p.weight {
		p.weight[i] = 1
		if s.weight != nil {
			p.weight[i] = float64(s.weight[i]) + s.info.Processing.NormOffset
		}
	}
	mean, err := p.meanRow()
	if err != nil {
		return nil, err
	}
	if !s.info.Processing.CenteredOverVocab {
		clear(mean)
	}
	p.mean = mean
	return p, nil
}

// readRows reads processed rows; see [Unembedding.ReadRows].
func (p *processor) readRows(from int, dst []float32) error {
	if err := p.stored.ReadRows(from, dst); err != nil {
		return err
	}
	d := p.stored.Cols()
	for row := range len(dst) / d {
		x := dst[row*d : (row+1)*d]
		center := p.rowCenter(x)
		for i, v := range x {
			x[i] = float32(float64(v)*p.weight[i] - center - p.mean[i])
			if !finite(x[i]) {
				return &fault.Error{
					Subject: p.subject, Problem: fmt.Sprintf("row %d, column %d", from+row, i),
					Expected: "a float32 after processing", Found: fmt.Sprint(x[i]),
				}
			}
		}
	}
	return nil
}

// rowCenter is the mean over d_model of x ⊙ w, where it is taken off, and else 0.
func (p *processor) rowCenter(x []float32) float64 {
	if !p.centerRows {
		return 0
	}
	var sum float64
	for i, v := range x {
		sum += float64(v) * p.weight[i]
	}
	return sum / float64(len(x))
}

func finite(v float32) bool {
	return math.Abs(float64(v)) <= math.MaxFloat32
}
