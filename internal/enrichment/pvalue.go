package enrichment

import "math"

// Where p-values are exact at any distance: for small sets, whose distances lie far apart,
// and in vocabularies small enough to follow the running sum from rank to rank. Where p is
// close to 1, above e^nearOne, the expansion's error shows in its logarithm and few paths
// stay inside, so that more is exact.
const (
	mostExact, mostExactNearOne             = 16, 64
	smallVocabulary, smallVocabularyNearOne = 1024, 4096
	nearOne                                 = -0.4
	// Nearer still, with fewer paths.
	vocabularyNearestOne, nearestOne = 16384, -0.01
)

// LogPValue returns the natural logarithm of a score's two-sided p-value, by
// [LogKolmogorovSmirnov]; NaN for a set that has no score. score is one that
// [Sets.Scores] gave for the set.
func (s *Sets) LogPValue(set int, score Score) float64 {
	m := s.Size(set)
	if !s.defined(m) || math.IsNaN(score.ES) {
		return math.NaN()
	}
	return LogKolmogorovSmirnov(m, s.tokens, score.ES)
}

// LogKolmogorovSmirnov returns the natural logarithm of the probability that m
// tokens drawn from n, 0 < m < n, without regard to their weights have a two-sample
// Kolmogorov–Smirnov distance of at least es. The logarithm keeps apart what
// float64 would round to 0.
//
// It is exact for up to 16 members, or other tokens, in vocabularies of at most 1,024
// tokens, and for es above 1/2 (see [logOneSided]); otherwise it is an asymptotic
// expansion, which errs by less than 1 % of the logarithm, or by 10⁻⁶ where that is more. Ties are not allowed for: with
// them scores are smaller, and the p-value is an upper bound.
//
// Tokens are not drawn at random in truth: unembeddings of like tokens are alike. So small
// values describe and do not prove.
func LogKolmogorovSmirnov(m, n int, es float64) float64 {
	fewer := min(m, n-m) // a set and its complement have the same distance
	drawn, rest := int64(fewer), int64(n-fewer)
	// A distance is a whole number of 1/m(n−m), so rounding finds it exactly.
	distance := int64(math.Round(es * float64(drawn) * float64(rest)))
	switch {
	case distance <= 0:
		return 0
	case 2*distance > drawn*rest:
		return math.Ln2 + logOneSided(drawn, int64(n), distance)
	case fewer <= mostExact:
		return math.Log(newLatticePaths(drawn, int64(n), distance).outside())
	case n <= smallVocabulary:
		return math.Log(outsideByRank(drawn, int64(n), distance))
	}
	expanded := logAsymptotic(drawn, int64(n), distance)
	switch {
	case expanded > nearOne && fewer <= mostExactNearOne:
		return math.Log1p(-newLatticePaths(drawn, int64(n), distance).within())
	case expanded > nearOne && n <= smallVocabularyNearOne, expanded > nearestOne && n <= vocabularyNearestOne:
		return math.Log(outsideByRank(drawn, int64(n), distance))
	}
	return expanded
}

// logAsymptotic returns log 2Σ(−1)^{k−1}e^{−2k²y}, Kolmogorov's limit, with z² + zw/3 and
// what is of order 1/e beyond that for y. Here e = m(n−m)/n is the effective size, z = √e·es, and
// w = (n+m)/√(m(n−m)n), m being the smaller part; z·w/3 is Hodges' correction for finite
// samples (Arkiv för Matematik 3, 1958, eq. 5.3).
//
// For z above 0.9 it is z²(2u/9 + 16u²/135 + 3536u³/42525) − (2+f)es²/9, with f = e/n and
// u = (1−f)es². The series is the rate of large deviations: Fedotov, Harremoës and Topsøe
// (IEEE Trans. Inf. Theory 49, 2003) give the least divergence of two distributions at a
// distance, es = V/2; for sampling without replacement 1−f scales es² in it. Below it is
// w²/36 + ((1−f)(3z⁴ − s²) + (1−4f)sz²)/(18e(s − z²)), with s = π²/4. That and −2es²/9 are the
// one-sample expansion's term of order 1/e (Pelz and Good, J. R. Stat. Soc. B 38, 1976)
// where f is 0, and that of C(2m, m−k)/C(2m, m), which two samples of m have, where it is 1/4.
//
// Distances are multiples of the greatest common divisor of m and n. Half of one is taken
// off, as of any sum on a lattice.
func logAsymptotic(m, n, distance int64) float64 {
	drawn, rest, all := float64(m), float64(n-m), float64(n)
	effective := drawn * rest / all
	es := (float64(distance) - float64(commonDivisor(m, n))/2) / (drawn * rest)
	w := (rest + 2*drawn) / math.Sqrt(drawn*rest*all)
	square := effective * es * es
	y := square + math.Sqrt(square)*w/3
	share := effective / all // from 0 to 1/4
	const s = math.Pi * math.Pi / 4
	if square < 0.9*0.9 {
		y += w*w/36 + ((1-share)*(3*square*square-s*s)+(1-4*share)*s*square)/(18*effective*(s-square))
	} else {
		u := (1 - share) * es * es
		y += square*u*(2./9+u*(16./135+u*3536./42525)) - (2+share)/9*es*es
	}
	switch {
	case y <= 0:
		return 0
	case y < 0.5: // the limit's other form, of which 1 − p is precise
		first := math.Exp(-math.Pi * math.Pi / (8 * y))
		return math.Log1p(-math.Sqrt(2*math.Pi/y) * (first + math.Pow(first, 9)))
	}
	// The first term is taken out, so that it may be below the range of float64.
	var others float64
	for k, sign := 2., -1.; ; k, sign = k+1, -sign {
		term := math.Exp(-2 * (k*k - 1) * y)
		others += sign * term
		if term < 1e-17 {
			return min(math.Ln2-2*y+math.Log1p(others), 0)
		}
	}
}

func commonDivisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
