package compute

import "math"

// Moments describe the distribution of each feature's logit weights z over the
// tokens, one value a feature: mean(z), the population standard deviation
// √mean((z-mean)²), skewness mean(((z-mean)/std)³) and Pearson kurtosis
// mean(((z-mean)/std)⁴), which is 3 for a normal distribution.
//
// Where all logit weights are equal to within the rounding of a float64 product,
// Std is 0 and Skewness and Kurtosis are NaN: see zeroSpread for the criterion.
type Moments struct {
	Mean, Std, Skewness, Kurtosis []float64
}

// powerSums are Σx, Σx², Σx³, Σx⁴ of deviations x from a mean known beforehand.
// That mean only has to be right to well within a standard deviation: what is left
// of it, Σx/n, is taken off in closed form.
type powerSums struct {
	first, second, third, fourth float64
}

func (s *powerSums) add(x float64) {
	square := x * x
	s.first += x
	s.second += square
	s.third += square * x
	s.fourth += square * square
}

// addProducts adds x + offset for each product x.
func (s *powerSums) addProducts(products []float32, offset float64) {
	sums := *s
	for _, x := range products {
		sums.add(float64(x) + offset)
	}
	*s = sums
}

// addCosines adds (x + shift)·inverse - mean for each product x and its token's
// inverse norm.
func (s *powerSums) addCosines(products []float32, inverse []float64, shift, mean float64) {
	sums := *s
	inverse = inverse[:len(products)]
	for j, x := range products {
		sums.add((float64(x)+shift)*inverse[j] - mean)
	}
	*s = sums
}

// finite reports whether no sum is infinite or NaN.
func (s *powerSums) finite() bool {
	for _, sum := range []float64{s.first, s.second, s.third, s.fourth} {
		if math.IsInf(sum, 0) || math.IsNaN(sum) {
			return false
		}
	}
	return true
}

// variance returns the population variance of n values.
func (s *powerSums) variance(n int) float64 {
	mean := s.first / float64(n)
	return max(s.second/float64(n)-mean*mean, 0)
}

// shape returns the standard deviation, skewness and kurtosis of n values: 0, NaN
// and NaN when the deviation is at most zero.
//
// With mₖ = Σxᵏ/n, the central moments are m₂-m₁², m₃-3m₁m₂+2m₁³ and
// m₄-4m₁m₃+6m₁²m₂-3m₁⁴. m₁ is a rounding error here, so nothing cancels.
func (s *powerSums) shape(n int, zero float64) (std, skewness, kurtosis float64) {
	variance := s.variance(n)
	std = math.Sqrt(variance)
	if std <= zero {
		return 0, math.NaN(), math.NaN()
	}
	count := float64(n)
	m1, m2, m3, m4 := s.first/count, s.second/count, s.third/count, s.fourth/count
	third := m3 - 3*m1*m2 + 2*m1*m1*m1
	fourth := m4 - 4*m1*m3 + 6*m1*m1*m2 - 3*m1*m1*m1*m1
	return std, third / (variance * std), fourth / (variance * variance)
}
