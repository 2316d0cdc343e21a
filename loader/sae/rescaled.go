package sae

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Scales at which a decoder can be read. They change means and standard
// deviations of logit weights in proportion; skewness, kurtosis, rankings and
// enrichment are the same at all.
const (
	AsStored = "as-stored" // the rows of the file, times a finetuning factor where there is one
	UnitNorm = "unit-norm" // rows of length 1, as Neuronpedia's dashboards use
	SAELens  = "saelens"   // the rows that SAELens has after loading: activation norm folded in
)

// Decoders lists the scales, the default first.
func Decoders() []string { return []string{AsStored, UnitNorm, SAELens} }

// Rescaled returns s with its decoder at another scale, and s itself when there is
// nothing to change. Its Info says what was done. It takes over s: closing it closes s.
func Rescaled(s SAE, decoder string) (SAE, error) {
	info := s.Info()
	switch {
	case decoder == "" || decoder == AsStored:
		return s, nil
	case !slices.Contains(Decoders(), decoder):
		return nil, &fault.Error{Op: opRead, Subject: "decoder", Expected: "one of " + strings.Join(Decoders(), ", "), Found: fmt.Sprintf("%q", decoder)}
	case decoder == UnitNorm:
		info.Scale = strings.Replace(info.Scale, scaleAsStored, UnitNorm, 1)
		return &rescaled{described: described{s, info}}, nil
	}
	factor := cmp.Or(info.SAELensScale, 1)
	info.Scale = fmt.Sprintf("%s (rows × %.9g)", strings.Replace(info.Scale, scaleAsStored, SAELens, 1), factor)
	return &rescaled{described{s, info}, factor}, nil
}

// rescaled is an SAE whose rows are multiplied by factor or, when that is 0,
// divided by their lengths.
type rescaled struct {
	described
	factor float64
}

// ReadDecoder rounds each value once: lengths and products are float64. A row of
// zeros stays one at any scale.
func (r *rescaled) ReadDecoder(from int, dst []float32) error {
	if err := r.SAE.ReadDecoder(from, dst); err != nil {
		return err
	}
	d := r.info.DModel
	for row := range len(dst) / d {
		x := dst[row*d : (row+1)*d]
		factor := r.factor
		if factor == 0 {
			factor = inverseLength(x)
		}
		for i, v := range x {
			x[i] = float32(float64(v) * factor)
		}
	}
	return checkFinite(r.info.Path+": decoder at scale "+r.info.Scale, from, dst, d)
}

// inverseLength is 1/‖x‖, and 0 for a vector of zeros.
func inverseLength(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return 0
	}
	return 1 / math.Sqrt(sum)
}
