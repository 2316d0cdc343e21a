package enrichment

import (
	"cmp"
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
	// As in [Score], S is looked at only where the weight changes.
	ES float64
	// NES is ES over the mean size of the scores of random sets of m tokens with the
	// same sign, 0 counting as positive; NaN if there are none of that sign, or all are 0.
	NES float64
	// PValue is (1 + those at least as extreme)/(1 + those of the same sign): as
	// fgsea has it, and so never 0. It is NaN if there are none of that sign, of which
	// the random sets then say nothing.
	PValue float64
	// QValue is PValue adjusted for all sets of the call that have one, by Benjamini and
	// Hochberg (J. R. Stat. Soc. B 57, 1995).
	QValue float64
	// PeakRank is the rank of the member at which S turns, as in [Score].
	PeakRank int32
}

// Promoted reports whether members gather at the top.
func (w WeightedScore) Promoted() bool { return w.ES >= 0 }

// WeightedLeadingEdge is [Sets.LeadingEdge] for a weighted score.
func (s *Sets) WeightedLeadingEdge(set int, score WeightedScore, ranks []int32) []int32 {
	return s.edge(set, score.Promoted(), score.PeakRank, ranks)
}

// WeightedScores sets into[i] to the weighted score of set i, for the n logit weights of
// a feature, which r has ranked last. It returns an error for weights or an exponent out
// of range, or ctx's when that ends; it panics if lengths do not fit.
//
// It takes time with Permutations times the sizes of the different sets together.
func (s *Sets) WeightedScores(ctx context.Context, w Weighting, weights []float64, r *Ranker, into []WeightedScore) error {
	switch {
	case len(weights) != s.tokens:
		panic(panicWeights)
	case len(r.order) != s.tokens || r.members != nil:
		panic(panicRanks)
	case len(into) != s.Len():
		panic(panicScores)
	}
	steps, err := w.steps(weights, r.order)
	if err != nil {
		return err
	}
	sizes := s.sizes()
	null, err := w.nullScores(ctx, steps, r.ties, sizes)
	if err != nil {
		return err
	}
	bitmap, release := s.borrowBitmap()
	defer release()
	ranks := r.inverse()
	for set := range into {
		m := s.Size(set)
		if !s.defined(m) || r.flat() {
			into[set] = WeightedScore{ES: math.NaN(), NES: math.NaN(), PValue: math.NaN(), PeakRank: -1}
			continue
		}
		mark(s.Members(set), ranks, bitmap)
		score := weightedScore(bitmap, steps, r.ties, m)
		size, _ := slices.BinarySearch(sizes, m)
		score.NES, score.PValue = compareToNull(score.ES, null[size])
		into[set] = score
	}
	adjust(into)
	return nil
}

// adjust sets QValue of all scores.
func adjust(scores []WeightedScore) {
	var tested []int
	for i, score := range scores {
		scores[i].QValue = math.NaN()
		if !math.IsNaN(score.PValue) {
			tested = append(tested, i)
		}
	}
	slices.SortFunc(tested, func(a, b int) int { return cmp.Compare(scores[a].PValue, scores[b].PValue) })
	q := 1.
	for place, i := range slices.Backward(tested) {
		q = min(q, scores[i].PValue*float64(len(tested))/float64(place+1))
		scores[i].QValue = q
	}
}

// steps returns |x|^p by rank, in units of the greatest: neither over- nor underflow
// of the power then matters, and scores do not depend on the unit.
func (w Weighting) steps(weights []float64, order []int32) ([]float64, error) {
	if !(w.Exponent >= 0) || math.IsInf(w.Exponent, 0) {
		return nil, fmt.Errorf("enrichment: expected a finite exponent that is not negative, found %v", w.Exponent)
	}
	if w.Permutations < 0 {
		return nil, fmt.Errorf("enrichment: expected a number of permutations, found %d", w.Permutations)
	}
	var greatest float64
	for position, weight := range weights {
		size := math.Abs(weight)
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
		steps[rank] = math.Pow(math.Abs(weights[position])/greatest, w.Exponent)
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
	nes, p = math.NaN(), math.NaN()
	if sameSign > 0 {
		p = (1 + extreme) / (1 + sameSign)
	}
	if sum > 0 {
		nes = es / (sum / sameSign)
	}
	return nes, p
}

func (w Weighting) workers() int {
	if w.Workers > 0 {
		return w.Workers
	}
	return runtime.GOMAXPROCS(0)
}
