package enrichment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// lMomentsOf is Hosking's probability weighted moments bᵣ of values in ascending order, and
// λ₂ = 2b₁-b₀, λ₃ = 6b₂-6b₁+b₀, λ₄ = 20b₃-30b₂+12b₁-b₀.
func lMomentsOf(values []float64) LMoments {
	x := slices.Clone(values)
	slices.Sort(x)
	n := len(x)
	var b [4]float64
	for j := range x {
		share := 1 / float64(n)
		for r := range b {
			b[r] += share * (x[j] - x[0])
			share *= float64(j-r) / float64(n-1-r)
		}
	}
	second := 2*b[1] - b[0]
	return LMoments{second, (6*b[2] - 6*b[1] + b[0]) / second, (20*b[3] - 30*b[2] + 12*b[1] - b[0]) / second}
}

// TestLMoments: by the definition, over all choices of 2, 3 and 4 values, and by what
// scipy.stats.lmoment 1.17 gives, of values in any order.
func TestLMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 9))
	of := func(values []float64) LMoments {
		ranker := NewRanker(len(values))
		ranker.sortExact(values, false)
		return lMoments(ranker.order, values, 1)
	}
	near := func(got, want LMoments) bool {
		return math.Abs(got.Scale-want.Scale) <= 1e-13*want.Scale && math.Abs(got.Skewness-want.Skewness) <= 1e-13 && math.Abs(got.Kurtosis-want.Kurtosis) <= 1e-13
	}
	for n := 4; n <= 14; n++ {
		values := make([]float64, n)
		for i := range values {
			values[i] = math.Exp(2*r.NormFloat64()) - float64(r.IntN(2))
		}
		second := overChoices(values, []float64{-1, 1}) / 2
		want := LMoments{second, overChoices(values, []float64{1, -2, 1}) / 3 / second, overChoices(values, []float64{-1, 3, -3, 1}) / 4 / second}
		if got := of(values); !near(got, want) {
			t.Errorf("%v: %v, want %v", values, got, want)
		}
	}
	for _, c := range []struct {
		values []float64
		want   LMoments
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, LMoments{11. / 6, 0, 0}},
		{[]float64{0.5, -2, 8, 8, 8, -3.25, 100}, LMoments{16.05952380952381, 0.7583395107487031, 0.7627872498146748}},
		{[]float64{0.001, 0, 0, 0, 0, 5}, LMoments{0.8334333333333334, 0.9998400191976964, 0.9996000479942422}},
		{[]float64{-7, -1, -1, 0, 2.5, 3, 11, 40}, LMoments{7.205357142857142, 0.5514250309789337, 0.578686493184638}},
	} {
		if got := of(c.values); !near(got, c.want) {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	// One value has no distance, two no skewness, three no kurtosis, equal ones neither.
	for n := 1; n <= 3; n++ {
		got := of([]float64{3, 1, 2}[:n])
		if math.IsNaN(got.Scale) != (n < 2) || math.IsNaN(got.Skewness) != (n < 3) || !math.IsNaN(got.Kurtosis) {
			t.Errorf("%d values: %v", n, got)
		}
	}
	if got := of([]float64{0.1, 0.1, 0.1, 0.1, 0.1}); got.Scale != 0 || !math.IsNaN(got.Skewness) || !math.IsNaN(got.Kurtosis) {
		t.Errorf("equal values: %v", got)
	}
}

// overChoices is the mean, over all choices of len(terms) values, of their sum by terms, in
// ascending order.
func overChoices(values, terms []float64) float64 {
	x := slices.Clone(values)
	slices.Sort(x)
	var sum, choices float64
	var choose func(from, chosen int, so float64)
	choose = func(from, chosen int, so float64) {
		if chosen == len(terms) {
			sum, choices = sum+so, choices+1
			return
		}
		for i := from; i < len(x); i++ {
			choose(i+1, chosen+1, so+terms[chosen]*x[i])
		}
	}
	choose(0, 0, 0)
	return sum / choices
}
