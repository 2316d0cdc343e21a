package sae

import (
	"math"
	"strings"
	"testing"
)

// Rows at every scale, against their definitions in float64.
func TestRescaled(t *testing.T) {
	rows := []float32{3, 4, 0, 0, -1e-30, 1e-30}
	weights := map[string]written{"W_dec": floats(rows, 3, 2)}
	tests := []struct {
		decoder, scale string
		factor         float64 // SAELensScale
		want           []float32
	}{
		{"", "as-stored", 0.5, rows},
		{AsStored, "as-stored", 0.5, rows},
		{UnitNorm, "unit-norm", 0.5, []float32{0.6, 0.8, 0, 0, -math.Sqrt2 / 2, math.Sqrt2 / 2}},
		{SAELens, "saelens (rows × 0.5)", 0.5, []float32{1.5, 2, 0, 0, -5e-31, 5e-31}},
		{SAELens, "saelens (rows × 1)", 0, rows},
	}
	for _, test := range tests {
		opened := open(t, writeSAE(t, `{}`, weights, nil)).(*stored)
		opened.info.SAELensScale = test.factor
		s, err := Rescaled(opened, test.decoder)
		if err != nil {
			t.Fatal(err)
		}
		if scale := s.Info().Scale; scale != test.scale {
			t.Errorf("%q: scale %q, expected %q", test.decoder, scale, test.scale)
		}
		for i, v := range readAll(t, s) {
			if v != test.want[i] {
				t.Errorf("%q: value %d is %v, expected %v", test.decoder, i, v, test.want[i])
			}
		}
	}
	_, err := Rescaled(open(t, writeSAE(t, `{}`, weights, nil)), "neuronpedia")
	if err == nil || !strings.Contains(err.Error(), "one of as-stored, unit-norm, saelens") {
		t.Errorf("an unknown scale: %v", err)
	}
}
