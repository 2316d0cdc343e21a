package enrichment

import (
	"cmp"
	"math"
	"slices"
)

// QValues returns for each p-value the least false discovery rate at which it is
// among the discoveries: the minimum over p_(j) ≥ p of p_(j)·n/j, with p_(j) the
// j-th smallest of n (Benjamini and Hochberg, J. R. Stat. Soc. B 57, 1995). A NaN
// stays NaN and is not one of the n.
func QValues(p []float64) []float64 {
	return adjust(p, 1, func(p, factor float64) float64 { return p * factor })
}

// LogQValues is [QValues] with natural logarithms for p- and q-values.
func LogQValues(logP []float64) []float64 {
	return adjust(logP, 0, func(logP, factor float64) float64 { return logP + math.Log(factor) })
}

// adjust returns the q-values of p, on whichever scale scaled multiplies and
// greatest is a probability of 1.
func adjust(p []float64, greatest float64, scaled func(p, factor float64) float64) []float64 {
	q := make([]float64, len(p))
	ascending := make([]int, 0, len(p))
	for i, value := range p {
		if math.IsNaN(value) {
			q[i] = value
			continue
		}
		ascending = append(ascending, i)
	}
	slices.SortFunc(ascending, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	n, least := float64(len(ascending)), greatest
	for j, i := range slices.Backward(ascending) {
		least = min(least, scaled(p[i], n/float64(j+1)))
		q[i] = least
	}
	return q
}
