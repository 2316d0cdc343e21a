package baseline

import (
	"math"
	"slices"
)

// LeastDirections is how many random directions a null needs: its tail begins at their
// 99 % quantile.
const LeastDirections = 200

// tailBegins is the part of the random directions beyond which a Gaussian tail stands in
// for counting.
const tailBegins = 0.01

// Null is a token set's null distribution: what random directions score in it.
type Null struct {
	// Scores are enrichment scores of random directions, descending, and Counts how many of
	// all score at least that. Of the highest all are there, of the others some: see keep.
	Scores []float32
	Counts []int32
	// Directions is how many random directions there were.
	Directions int
	// Threshold is the score at which the tail begins. Location and Scale are the mean and the
	// standard deviation of its Gaussian, in units of [Shift].
	Threshold, Location, Scale float64
	// Median is the median score.
	Median float64
	// AUCScale is the root mean square of Φ⁻¹(auc), whose mean is 0 by symmetry: a
	// direction and its opposite are as likely.
	AUCScale float64
	// Resolution is the least score above 0 that there is, 1/m(n−m) for m members of n
	// tokens; a perfect score counts as half of that less.
	Resolution float64
}

// Shift returns δ(es) = 2 Φ⁻¹((1 + es)/2), the shift between two Gaussians of unit variance
// whose Kolmogorov–Smirnov distance is es.
func Shift(es float64) float64 {
	if es > 0.5 { // where 1 − es is exact and Erfinv is not
		return 2 * math.Sqrt2 * math.Erfcinv(1-es)
	}
	return 2 * math.Sqrt2 * math.Erfinv(es)
}

// NewNull returns the null of a set of members of so many tokens from the scores and the
// AUCs of random directions; scores that are NaN do not count. ok is false where too few
// are left, or where they do not differ from 0, which says nothing.
func NewNull(members, tokens int, scores []float32, aucs []float32) (n Null, ok bool) {
	sorted := make([]float32, 0, len(scores))
	for _, es := range scores {
		if !math.IsNaN(float64(es)) {
			sorted = append(sorted, es)
		}
	}
	if len(sorted) < LeastDirections || members <= 0 || members >= tokens {
		return Null{}, false
	}
	slices.SortFunc(sorted, func(a, b float32) int {
		switch {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	n = Null{
		Directions: len(sorted), Resolution: 1 / (float64(members) * float64(tokens-members)),
		Median: median(sorted), AUCScale: aucScale(aucs, members, tokens),
	}
	// The score that 1 % of the directions reach.
	n.Threshold = float64(sorted[int(math.Ceil(tailBegins*float64(len(sorted))))-1])
	shift := Shift(n.within(n.Threshold))
	n.Location = location(Shift(n.within(n.Median)), shift)
	// Φ⁻¹(0.995): a two-sided probability of 1 %.
	n.Scale = (shift - n.Location) / (math.Sqrt2 * math.Erfcinv(tailBegins))
	if !(n.Scale > 0) {
		return Null{}, false
	}
	n.keep(sorted)
	return n, true
}

// location is the mean of the Gaussian of the tail, given the median shift of random
// directions and the one that 1 % of them reach. Where directions move a set's tokens
// together, the shift is the absolute value of a Gaussian about 0: the tail's mean is 0, and
// the median is gaussianMedian of the shift at 1 %. Where nothing but the sampling of tokens
// moves them, scores are Kolmogorov's, whose median is kolmogorovMedian of that, and whose
// tail from there to 10⁻⁶ is within a tenth of a Gaussian's with a mean of
// kolmogorovLocation of it. Between the two the mean is linear in the median, which sets of
// real models and simulations of both effects together bear out (docs/chance.md).
func location(median, shift float64) float64 {
	const (
		gaussianMedian     = 0.2619 // Φ⁻¹(0.75) / Φ⁻¹(0.995)
		kolmogorovMedian   = 0.5085 // 0.82757 / 1.62762, quantiles of Kolmogorov's distribution
		kolmogorovLocation = 0.28
	)
	part := (median/shift - gaussianMedian) / (kolmogorovMedian - gaussianMedian)
	return kolmogorovLocation * min(max(part, 0), 1) * shift
}

func median(descending []float32) float64 {
	half := len(descending) / 2
	if len(descending)%2 == 1 {
		return float64(descending[half])
	}
	return (float64(descending[half-1]) + float64(descending[half])) / 2
}

// aucScale is the root mean square of Φ⁻¹(auc). An AUC of 0 or 1 counts as half a step
// of 1/m(n−m) from it.
func aucScale(aucs []float32, members, tokens int) float64 {
	step := 0.5 / (float64(members) * float64(tokens-members))
	sum, count := 0.0, 0
	sorted := slices.Sorted(slices.Values(aucs)) // so that the sum depends on no order
	for _, auc := range sorted {
		if a := float64(auc); !math.IsNaN(a) {
			z := math.Sqrt2 * math.Erfinv(2*min(max(a, step), 1-step)-1)
			sum += z * z
			count++
		}
	}
	if count == 0 {
		return math.NaN()
	}
	return math.Sqrt(sum / float64(count))
}

// keptAll and keptEvery say which order statistics are kept: the highest one eighth of the
// directions all, of the rest every eighth and the last. P-values between two that are
// kept are interpolated, and err by less than 2 %.
const keptAll, keptEvery = 8, 8

// keep stores the scores, which descend, with how many reach them.
func (n *Null) keep(sorted []float32) {
	all := len(sorted) / keptAll
	for i := range sorted {
		rest := i - all
		if i < all || rest%keptEvery == 0 || i == len(sorted)-1 {
			n.Scores, n.Counts = append(n.Scores, sorted[i]), append(n.Counts, int32(i+1))
		}
	}
	// Of equal scores the last tells how many reach them.
	for i := len(n.Scores) - 2; i >= 0; i-- {
		if n.Scores[i] == n.Scores[i+1] {
			n.Counts[i] = n.Counts[i+1]
		}
	}
}

// within is a score below a perfect one, whose shift would be infinite.
func (n *Null) within(es float64) float64 { return min(es, 1-n.Resolution/2) }

// Z returns how many standard deviations of the null's tail the shift of a score is from its
// mean. es is the enrichment score, from 0 to 1.
func (n *Null) Z(es float64) float64 { return (Shift(n.within(es)) - n.Location) / n.Scale }

// Log10P returns the decimal logarithm of a score's p-value: with R random directions of
// which c reach es, (1 + c)/(1 + R) below the score that 1 % of them reach, and above it
// 2 Φ(−z), a Gaussian tail of the shift that joins there, z being [Null.Z]. NaN for a score of NaN.
func (n *Null) Log10P(es float64) float64 {
	if math.IsNaN(es) {
		return es
	}
	if es > n.Threshold {
		return math.Min(log10TwoSided(n.Z(es)), math.Log10((1+tailBegins*float64(n.Directions))/float64(1+n.Directions)))
	}
	return math.Log10((1 + n.reaching(es)) / float64(1+n.Directions))
}

// reaching is how many random directions score at least es, interpolated between the scores
// that are kept.
func (n *Null) reaching(es float64) float64 {
	// The first kept score that is below es.
	i, _ := slices.BinarySearchFunc(n.Scores, es, func(score float32, es float64) int {
		if float64(score) >= es {
			return -1
		}
		return 1
	})
	switch i {
	case 0:
		return 0
	case len(n.Scores):
		return float64(n.Counts[i-1])
	}
	above, below := float64(n.Scores[i-1]), float64(n.Scores[i])
	reached, next := float64(n.Counts[i-1]), float64(n.Counts[i])
	if next-reached <= 1 || above == below {
		return reached
	}
	return reached + (next-1-reached)*(above-es)/(above-below)
}

// log10TwoSided is log10 of 2 Φ(−z) for z ≥ 0.
func log10TwoSided(z float64) float64 {
	if z < 20 {
		return math.Log10(math.Erfc(z / math.Sqrt2))
	}
	// 2 φ(z)/z (1 − 1/z² + 3/z⁴ − 15/z⁶): the asymptotic series of the tail (Abramowitz and Stegun,
	// 26.2.12); beyond 20 what is left out is below 10⁻⁸ of it.
	w := 1 / (z * z)
	return (-z*z/2 - math.Log(z) + math.Log(2/math.Sqrt(2*math.Pi)) + math.Log1p(-w+3*w*w-15*w*w*w)) / math.Ln10
}
