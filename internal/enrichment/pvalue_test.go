package enrichment

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// The figures are scipy's: testdata/ks_2samp.py.
func TestPValuesAgreeWithSciPy(t *testing.T) {
	for _, row := range goldenRows(t, "testdata/ks_2samp.csv") {
		n, m, es := int(number(t, row["n"])), int(number(t, row["m"])), number(t, row["es"])
		want := math.Log(number(t, row["p_exact"]))
		got := LogKolmogorovSmirnov(m, n, es)
		allowed := 1e-10 * max(1, -want)
		if !exactly(m, n, es, got) {
			allowed = 0.01 * max(-want, 1e-4)
		}
		if !(math.Abs(got-want) <= allowed) {
			t.Errorf("m=%d n=%d es=%v: log p %v, want %v ± %v", m, n, es, got, want, allowed)
		}
		if row["ranks"] != "" {
			weights := make([]float32, n)
			for i := range weights {
				weights[i] = float32(-i)
			}
			if score := scoresOf(t, weights, [][]int32{positions(t, row["ranks"])})[0]; math.Abs(score.ES-es) > 1e-12 {
				t.Errorf("m=%d n=%d: ES %v, want %v", m, n, score.ES, es)
			}
		}
	}
}

// exactly tells whether the logarithm of a p-value is a count, and no expansion.
func exactly(m, n int, es, logP float64) bool {
	fewer := min(m, n-m)
	counted := es > 0.5 && (n <= smallVocabulary || float64(fewer)*(1-es) < mostCounted-1)
	nearest := logP > nearestOne && n <= vocabularyNearestOne
	return counted || es <= 0.5 && (fewer <= mostExact || n <= smallVocabulary || nearest || logP > nearOne && (fewer <= mostExactNearOne || n <= smallVocabularyNearOne))
}

// P-values are within 1 % of the logarithm of those that counting paths gives (or 10⁻⁶), for sets
// and vocabularies of any size and every distance; where they are exact, to float64's digits.
func TestPValuesAgreeWithCounts(t *testing.T) {
	worst := 0.
	for _, n := range []int{33, 70, 101, 200, 503, 1000, 1024, 1025, 1031, 1500, 2047, 2050, 4097, 5003, 20000} {
		for _, m := range []int{1, 2, 5, 16, 17, 20, 33, 50, 64, 65, 100, 200, 512, 1000, 2000} {
			if 2*m > n || n*m > 11_000_000 || testing.Short() && n*m > 300_000 {
				continue
			}
			for _, es := range []float64{0.005, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.51, 0.6, 0.7, 0.85, 0.95, 1} {
				// The distances there are: multiples of the greatest common divisor.
				if es > 0.1 && n*m > 3_000_000 {
					break
				}
				pairs, step := int64(m)*int64(n-m), commonDivisor(int64(m), int64(n))
				distance := max(int64(es*float64(pairs))/step, 1) * step
				want := countedLogP(int64(m), int64(n), distance)
				if want < -640 {
					continue // its terms leave the range of float64
				}
				at := float64(distance) / float64(pairs)
				got := LogKolmogorovSmirnov(m, n, at)
				off := math.Abs(got-want) / max(-want, 1e-4) // 1 % of which is 10⁻⁶
				if exactly(m, n, at, got) {
					if off > 1e-8 {
						t.Errorf("m=%d n=%d es=%v: log p %v, want %v", m, n, at, got, want)
					}
				} else if worst = max(worst, off); off > 0.01 {
					t.Errorf("m=%d n=%d es=%v: log p %v, want %v, off by %.2g of it", m, n, at, got, want, off)
				}
			}
		}
	}
	t.Logf("largest error of the expansion: %.2g of log p", worst)
}

// countedLogP follows the running sum from rank to rank: what is beyond ±distance for the
// first time leaves, and what stays inside is summed apart, which is precise where p is
// near 1.
func countedLogP(m, n, distance int64) float64 {
	inside, left := make([]float64, m+2), 0.
	inside[0] = 1
	for rank := int64(1); rank <= n; rank++ {
		from := max((rank*m-distance)/n-1, 0)
		for h := min((rank*m+distance)/n+1, m); h >= from; h-- {
			p := inside[h] * float64(n-rank+1-(m-h)) / float64(n-rank+1)
			if h > 0 {
				p += inside[h-1] * float64(m-h+1) / float64(n-rank+1)
			}
			inside[h] = p
			if sum := h*n - rank*m; sum >= distance || -sum >= distance {
				left += inside[h]
				inside[h] = 0
			}
		}
	}
	if stayed := inside[m]; stayed < 0.5 {
		return math.Log1p(-stayed)
	}
	return math.Log(left)
}

// Of tiny sets, the counting above agrees with itself over integers.
func TestCountsAreThoseOfIntegers(t *testing.T) {
	for _, c := range [][2]int64{{3, 11}, {7, 30}, {20, 41}, {16, 64}} {
		m, n := c[0], c[1]
		for distance := int64(1); distance <= m*(n-m); distance += 1 + m*(n-m)/37 {
			inside := make([]*big.Int, m+1)
			for h := range inside {
				inside[h] = new(big.Int)
			}
			inside[0].SetInt64(1)
			for rank := int64(1); rank <= n; rank++ {
				for h := m; h >= 0; h-- {
					if h > 0 {
						inside[h].Add(inside[h], inside[h-1])
					}
					if sum := h*n - rank*m; sum >= distance || -sum >= distance {
						inside[h].SetInt64(0)
					}
				}
			}
			all := new(big.Int).Binomial(n, m)
			left, _ := new(big.Rat).SetFrac(new(big.Int).Sub(all, inside[m]), all).Float64()
			if got := math.Exp(countedLogP(m, n, distance)); math.Abs(got/left-1) > 1e-12 {
				t.Errorf("m=%d n=%d distance %d: p %v, want %v", m, n, distance, got, left)
			}
		}
	}
}

// Above one half, the sum of approximate shares is that of counted ones within 10⁻⁴.
func TestOneSidedSumAgreesWithCounts(t *testing.T) {
	for _, c := range [][2]int64{{60, 1031}, {100, 2047}, {300, 2000}, {333, 20000}, {512, 1025}, {700, 50257}, {1000, 262144}} {
		m, n := c[0], c[1]
		for _, es := range []float64{0.5001, 0.55, 0.6, 0.7, 0.8, 0.9, 0.97, 1} {
			distance := min(int64(es*float64(m*(n-m)))+1, m*(n-m))
			p := newOnePassage(m, n, distance)
			last := m - (distance+n-m-1)/(n-m)
			if got, want := p.ballot(last), p.counted(last); math.Abs(got-want) > 1e-4*-want {
				t.Errorf("m=%d n=%d es=%v: log p %v, want %v", m, n, es, got, want)
			}
		}
	}
}

// For tiny sets all draws can be counted.
func TestExactPValuesAgreeWithEnumeration(t *testing.T) {
	for n := 2; n <= 12; n++ {
		weights := make([]float32, n)
		var subsets [][]int32
		for i := range weights {
			weights[i] = float32(-i)
		}
		for mask := 1; mask < 1<<n-1; mask++ {
			var members []int32
			for rest := uint(mask); rest != 0; rest &= rest - 1 {
				members = append(members, int32(bits.TrailingZeros(rest)))
			}
			subsets = append(subsets, members)
		}
		bySize := make([][]float64, n)
		for i, score := range scoresOf(t, weights, subsets) {
			m := len(subsets[i])
			bySize[m] = append(bySize[m], score.ES)
		}
		for m := 1; m < n; m++ {
			seen := map[float64]bool{}
			for _, es := range bySize[m] {
				if seen[es] {
					continue
				}
				seen[es] = true
				extreme := 0
				for _, other := range bySize[m] {
					if other >= es {
						extreme++
					}
				}
				want := float64(extreme) / float64(len(bySize[m]))
				if got := math.Exp(LogKolmogorovSmirnov(m, n, es)); math.Abs(got/want-1) > 1e-12 {
					t.Fatalf("m=%d n=%d es=%v: p %v, want %v", m, n, es, got, want)
				}
			}
		}
	}
}

func TestPValuesFallAsScoresRise(t *testing.T) {
	for _, n := range []int{100, 1009, 50257, 262144} {
		for _, m := range []int{1, 2, 7, 15, 16, 17, 18, 64, 65, 99, 1000, 40000} {
			if m >= n {
				continue
			}
			if got := LogKolmogorovSmirnov(m, n, 0); got != 0 {
				t.Errorf("m=%d n=%d: log p %v of a score of 0, want 0", m, n, got)
			}
			last := 0.
			for i := range 201 {
				es := float64(i) / 200
				got := LogKolmogorovSmirnov(m, n, es)
				if !(got <= last+1e-12) || math.IsInf(got, 0) {
					t.Fatalf("m=%d n=%d es=%v: log p %v, after %v", m, n, es, got, last)
				}
				last = got
				if other := LogKolmogorovSmirnov(n-m, n, es); other != got {
					t.Fatalf("m=%d n=%d es=%v: log p %v, of the complement %v", m, n, es, got, other)
				}
			}
		}
	}
}

// The most extreme score belongs to two sets of C(n, m).
func TestPValueOfPerfectSeparation(t *testing.T) {
	for _, m := range []int{1, 2, 10, 16, 17, 50, 1000, 25000} {
		const n = 50257
		logChoose := func() float64 {
			sum := 0.
			for i := range m {
				sum += math.Log(float64(n-i)) - math.Log(float64(i+1))
			}
			return sum
		}()
		if got, want := LogKolmogorovSmirnov(m, n, 1), math.Ln2-logChoose; math.Abs(got-want) > 1e-9*max(1, -want) {
			t.Errorf("m=%d: log p %v, want %v", m, got, want)
		}
	}
	sets := newSets(t, 3, [][]int32{{}, {0, 1, 2}, {0}})
	ranker, scores := NewRanker(3), make([]Score, 3)
	ranker.Rank([]float32{3, 2, 1})
	sets.Scores(ranker, scores)
	for set, want := range []float64{math.NaN(), math.NaN(), math.Log(2. / 3)} {
		got := sets.LogPValue(set, scores[set])
		if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
			t.Errorf("set %d: log p %v, want %v", set, got, want)
		}
	}
}

// Of random sets, a fraction α has p < α, but for the steps of small sets: those can
// only stay below. The uncorrected limit has .005, .026, .035 and .045 below 0.05 for
// 2, 5, 10 and 50 members.
func TestPValuesAreCalibrated(t *testing.T) {
	const n, draws = 5003, 10000
	random := rand.New(rand.NewPCG(11, 12))
	weights := make([]float32, n)
	for i, place := range random.Perm(n) {
		weights[i] = float32(place)
	}
	ranker := NewRanker(n)
	ranker.Rank(weights)
	for _, m := range []int{2, 5, 10, 16, 17, 50, 200} {
		members := make([][]int32, draws)
		for i := range members {
			for range m {
				// Draws with replacement would repeat tokens, so repeats are drawn again.
				members[i] = append(members[i], distinct(random, n, members[i]))
			}
		}
		sets, scores := newSets(t, n, members), make([]Score, draws)
		sets.Scores(ranker, scores)
		for _, alpha := range []float64{0.05, 0.01} {
			below := 0
			for set, score := range scores {
				if sets.LogPValue(set, score) < math.Log(alpha) {
					below++
				}
			}
			sigma := math.Sqrt(alpha * (1 - alpha) / draws)
			if got := float64(below) / draws; math.Abs(got-alpha) > 4*sigma {
				t.Errorf("m=%d: %v of random sets below %v, want it within %v", m, got, alpha, 4*sigma)
			}
		}
	}
}

func distinct(random *rand.Rand, n int, taken []int32) int32 {
again:
	draw := int32(random.IntN(n))
	for _, other := range taken {
		if draw == other {
			goto again
		}
	}
	return draw
}
