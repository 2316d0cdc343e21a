package enrichment

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestQValues(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct{ p, want []float64 }{
		"none":        {nil, nil},
		"one":         {[]float64{0.3}, []float64{0.3}},
		"a later one": {[]float64{0.01, 0.04, 0.03, 0.02}, []float64{0.04, 0.04, 0.04, 0.04}},
		// Benjamini and Hochberg's own example, by R's p.adjust.
		"published": {
			[]float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1},
			[]float64{0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645, 0.0765, 0.486,
				0.5811818181818182, 0.714875, 0.7532307692307693, 0.8132142857142857, 1},
		},
		"ties":     {[]float64{0.5, 0.1, 0.1}, []float64{0.5, 0.15, 0.15}},
		"NaN":      {[]float64{nan, 0.2, nan, 0.1}, []float64{nan, 0.2, nan, 0.2}},
		"extremes": {[]float64{0, 1, 1}, []float64{0, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			logP := make([]float64, len(c.p))
			for i, p := range c.p {
				logP[i] = math.Log(p)
			}
			q, logQ := QValues(c.p), LogQValues(logP)
			for i, want := range c.want {
				for _, got := range []float64{q[i], math.Exp(logQ[i])} {
					if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-14 {
						t.Errorf("p %v: got %v, want %v", c.p[i], got, want)
					}
				}
			}
		})
	}
}

func TestQValuesKeepTheOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	p := make([]float64, 500)
	for i := range p {
		p[i] = math.Pow(random.Float64(), 3)
	}
	q := QValues(p)
	for i := range p {
		for j := range p {
			if p[i] <= p[j] && q[i] > q[j] {
				t.Fatalf("p %v ≤ %v, but q %v > %v", p[i], p[j], q[i], q[j])
			}
		}
		if q[i] < p[i] || q[i] > 1 {
			t.Fatalf("p %v has q %v", p[i], q[i])
		}
	}
}
