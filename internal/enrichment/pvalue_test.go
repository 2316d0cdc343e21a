package enrichment

import (
	"math"
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
		allowed := 1e-11 * max(1, -want)
		if fewer := min(m, n-m); !exact(fewer, n) {
			allowed = expansionError(n, es, want)
			if asymptotic := math.Log(number(t, row["p_asymptotic"])); want > math.Log(1e-3) && math.Abs(got-want) > math.Abs(asymptotic-want)+0.005 {
				t.Errorf("m=%d n=%d es=%v: log p %v, SciPy's own approximation %v is nearer to %v", m, n, es, got, asymptotic, want)
			}
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

// expansionError is what logAsymptotic may err by: little, until its series in es²
// stops too early.
func expansionError(n int, es, logP float64) float64 {
	steps := 0.005
	if n < 5000 {
		steps = 0.05
	}
	if es < 0.55 {
		return steps + 0.001*math.Abs(logP)
	}
	return steps + 0.03*math.Abs(logP)
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
		for _, m := range []int{1, 2, 7, 15, 16, 17, 18, 99, 1000, 40000} {
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
	for _, m := range []int{1, 2, 10, 16} {
		const n = 50257
		logChoose := func() float64 {
			sum := 0.
			for i := range m {
				sum += math.Log(float64(n-i)) - math.Log(float64(i+1))
			}
			return sum
		}()
		if got, want := LogKolmogorovSmirnov(m, n, 1), math.Ln2-logChoose; math.Abs(got-want) > 1e-9 {
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
