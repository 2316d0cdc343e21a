package enrichment

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
)

// Weighting says how weighted enrichment is computed.
type Weighting struct {
	// Exponent is p in |x|^p, the step of a member with logit weight x; 1 in GSEA, and
	// 0 makes all members equal.
	Exponent float64
	// Permutations is how many random sets of each size the scores are compared with.
	// None leaves NES and PValue NaN.
	Permutations int
	// Seed chooses the random sets. The same seed gives the same results, whatever
	// the number of workers and whatever other sets there are of other sizes.
	Seed uint64
	// Workers bounds the goroutines; 0 means GOMAXPROCS.
	Workers int
}

// WeightedScore is a set's score by gene set enrichment analysis (GSEA; Subramanian
// et al., PNAS 102, 2005) with tokens for genes and logit weights for correlations.
// For a set that is empty or holds every token, and where all weights are equal, all figures
// are NaN and PeakRank −1.
type WeightedScore struct {
	// ES is the extreme of the running sum S(r) that adds |x|^p/Σ|x|^p for a member
	// of weight x and −1/(n−m) for another token: positive if members gather at the
	// top. Where S goes as far down as up, it is positive. Members that all weigh 0
	// count as equal.
	ES float64
	// NES is ES over the mean size of the scores of random sets of m tokens with the
	// same sign, 0 counting as positive; NaN if there are none of that sign.
	NES float64
	// PValue is (1 + those at least as extreme)/(1 + those of the same sign): as
	// fgsea has it, and so never 0.
	PValue float64
	// PeakRank is the rank of the member at which S turns, as in [Score].
	PeakRank int32
}

// Promoted reports whether members gather at the top.
func (w WeightedScore) Promoted() bool { return w.ES >= 0 }

// WeightedLeadingEdge is [Sets.LeadingEdge] for a weighted score.
func (s *Sets) WeightedLeadingEdge(set int, score WeightedScore, ranks []int32) []int32 {
	return s.edge(set, score.Promoted(), score.PeakRank, ranks)
}

// WeightedScores sets into[i] to the weighted score of set i, for the n weights of a
// feature and the order and ranks that [Ranker.Rank] gave them. It returns an error
// for weights or an exponent out of range, or ctx's when that ends; it panics if
// lengths do not fit.
//
// It takes time with Permutations times the sizes of the different sets together.
func (s *Sets) WeightedScores(ctx context.Context, w Weighting, weights []float32, order, ranks []int32, into []WeightedScore) error {
	switch {
	case len(weights) != s.tokens:
		panic(panicWeights)
	case len(order) != s.tokens || len(ranks) != s.tokens:
		panic(panicRanks)
	case len(into) != s.Len():
		panic(panicScores)
	}
	steps, err := w.steps(weights, order)
	if err != nil {
		return err
	}
	sizes := s.sizes()
	null, err := w.nullScores(ctx, steps, sizes)
	if err != nil {
		return err
	}
	bitmap, release := s.borrowBitmap()
	defer release()
	nothing := flat(weights, order)
	for set := range into {
		m := s.Size(set)
		if !s.defined(m) || nothing {
			into[set] = WeightedScore{ES: math.NaN(), NES: math.NaN(), PValue: math.NaN(), PeakRank: -1}
			continue
		}
		mark(s.Members(set), ranks, bitmap)
		score := weightedScore(bitmap, steps, m)
		size, _ := slices.BinarySearch(sizes, m)
		score.NES, score.PValue = compareToNull(score.ES, null[size])
		into[set] = score
	}
	return nil
}

// steps returns |x|^p by rank, in units of the greatest: neither over- nor underflow
// of the power then matters, and scores do not depend on the unit.
func (w Weighting) steps(weights []float32, order []int32) ([]float64, error) {
	if !(w.Exponent >= 0) || math.IsInf(w.Exponent, 0) {
		return nil, fmt.Errorf("enrichment: expected a finite exponent that is not negative, found %v", w.Exponent)
	}
	if w.Permutations < 0 {
		return nil, fmt.Errorf("enrichment: expected a number of permutations, found %d", w.Permutations)
	}
	var greatest float64
	for position, weight := range weights {
		size := math.Abs(float64(weight))
		if math.IsInf(size, 0) || math.IsNaN(size) {
			return nil, fmt.Errorf("enrichment: expected finite logit weights, found %v at position %d", weight, position)
		}
		greatest = max(greatest, size)
	}
	if greatest == 0 {
		greatest = 1
	}
	steps := make([]float64, len(order))
	for rank, position := range order {
		steps[rank] = math.Pow(math.Abs(float64(weights[position]))/greatest, w.Exponent)
	}
	return steps, nil
}

// sizes returns the different sizes of sets with a score, ascending.
func (s *Sets) sizes() []int {
	var sizes []int
	for set := range s.Len() {
		if m := s.Size(set); s.defined(m) {
			sizes = append(sizes, m)
		}
	}
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

// compareToNull returns NES and p-value of a score among those of random sets. Sums
// are taken in the order of the permutations.
func compareToNull(es float64, null []float64) (nes, p float64) {
	if len(null) == 0 {
		return math.NaN(), math.NaN()
	}
	var sum, sameSign, extreme float64
	for _, random := range null {
		if (random >= 0) != (es >= 0) {
			continue
		}
		sameSign++
		sum += math.Abs(random)
		if math.Abs(random) >= math.Abs(es) {
			extreme++
		}
	}
	return es / (sum / sameSign), (1 + extreme) / (1 + sameSign)
}

func (w Weighting) workers() int {
	if w.Workers > 0 {
		return w.Workers
	}
	return runtime.GOMAXPROCS(0)
}
