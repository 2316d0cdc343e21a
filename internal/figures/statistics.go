package figures

import (
	"math"
	"sort"
)

// quantile returns the p-quantile of sorted values, interpolated linearly between
// the two nearest, as DuckDB's quantile_cont does; NaN of none.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	below := int(math.Floor(at))
	above := min(below+1, len(sorted)-1)
	return sorted[below] + (at-float64(below))*(sorted[above]-sorted[below])
}

func sortedCopy(values []float64) []float64 {
	s := append([]float64(nil), values...)
	sort.Float64s(s)
	return s
}

// edges returns bins+1 edges of bins of equal width from the smallest to the
// largest of the values; of equal width in log10 when log.
func edges(low, high float64, bins int, log bool) []float64 {
	if log {
		low, high = math.Log10(low), math.Log10(high)
	}
	if low == high {
		low, high = low-0.5, high+0.5
	}
	e := make([]float64, bins+1)
	for i := range e {
		e[i] = low + (high-low)*float64(i)/float64(bins)
	}
	if log {
		for i := range e {
			e[i] = math.Pow(10, e[i])
		}
	}
	return e
}

// bin counts values in [edges[i], edges[i+1]), the last bin closed; values beyond
// the ends, which rounding of the ends can make, count in the end's bin.
func bin(values, edges []float64) []int {
	counts := make([]int, len(edges)-1)
	for _, v := range values {
		counts[binOf(v, edges)]++
	}
	return counts
}

func binOf(v float64, edges []float64) int {
	i := sort.Search(len(edges), func(i int) bool { return edges[i] > v }) - 1
	return min(max(i, 0), len(edges)-2)
}

// defaultBins is the number of bins by Freedman and Diaconis's rule, width
// 2·IQR·n^(-1/3), between 10 and 120.
func defaultBins(sorted []float64) int {
	n := len(sorted)
	if n < 2 {
		return 10
	}
	width := 2 * (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / math.Cbrt(float64(n))
	if width <= 0 {
		return 30
	}
	return int(min(max(math.Ceil((sorted[n-1]-sorted[0])/width), 10), 120))
}

// box returns Tukey's box plot of sorted values, and where the outliers below and
// above end and begin: sorted[:below] and sorted[above:].
func box(sorted []float64) (b Box, below, above int) {
	b.Count = len(sorted)
	b.Q1, b.Median, b.Q3 = quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)
	reach := 1.5 * (b.Q3 - b.Q1)
	below = sort.SearchFloat64s(sorted, b.Q1-reach)
	above = sort.Search(len(sorted), func(i int) bool { return sorted[i] > b.Q3+reach })
	b.Low, b.High = sorted[below], sorted[above-1]
	return b, below, above
}
