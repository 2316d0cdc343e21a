package test

import (
	"cmp"
	"math"
	"slices"
	"testing"
)

// logQValues returns for each p-value the least false discovery rate at which it
// is among the discoveries: the minimum over p_(j) ≥ p of p_(j)·n/j, with p_(j) the
// j-th smallest of n (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995); all as
// natural logarithms. A NaN stays NaN and is not one of the n. It is the oracle of
// the q-values that compute makes in SQL.
func logQValues(logP []float64) []float64 {
	logQ := make([]float64, len(logP))
	ascending := make([]int, 0, len(logP))
	for i, p := range logP {
		if math.IsNaN(p) {
			logQ[i] = p
			continue
		}
		ascending = append(ascending, i)
	}
	slices.SortFunc(ascending, func(a, b int) int { return cmp.Compare(logP[a], logP[b]) })
	n, least := float64(len(ascending)), 0.
	for j, i := range slices.Backward(ascending) {
		least = min(least, logP[i]+math.Log(n/float64(j+1)))
		logQ[i] = least
	}
	return logQ
}

func TestLogQValues(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct{ p, want []float64 }{
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
		logP := make([]float64, len(c.p))
		for i, p := range c.p {
			logP[i] = math.Log(p)
		}
		for i, got := range logQValues(logP) {
			if want := c.want[i]; math.IsNaN(got) != math.IsNaN(want) || math.Abs(math.Exp(got)-want) > 1e-14 {
				t.Errorf("%s: p %v: got %v, want %v", name, c.p[i], math.Exp(got), want)
			}
		}
	}
}

// TestScoresOfASetLieSideBySide: compute writes the scores of an SAE in the order of
// sets, and of features in a set, so that a query of one set reads little else.
func TestScoresOfASetLieSideBySide(t *testing.T) {
	var ordered bool
	if err := openExample(t).QueryRow(`SELECT bool_and((set_id, feature) > before) FROM (
			SELECT set_id, feature, lag((set_id, feature)) OVER (PARTITION BY sae_id ORDER BY rowid) AS before FROM stored_enrichment)`).Scan(&ordered); err != nil || !ordered {
		t.Errorf("the scores are out of order, %v", err)
	}
}
