package enrichment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saedb/saedb/internal/compute"
)

// TestRankCorrelation: by the definition, over pairs of values, ties among them, and by what
// scipy.stats.spearmanr 1.17 gives.
func TestRankCorrelation(t *testing.T) {
	of := func(x, y []float64) float64 {
		ranker := NewRanker(len(x))
		ranker.sortExact(x, false)
		a := ranker.meanRanks(nil)
		ranker.sortExact(y, false)
		return correlation(a, ranker.meanRanks(nil))
	}
	for _, c := range []struct {
		x, y []float64
		want float64
	}{
		{[]float64{1, 2, 3, 4, 5}, []float64{5, 6, 7, 8, 7}, 0.8207826816681233},
		{[]float64{1, 2, 3}, []float64{3, 2, 1}, -1},
		{[]float64{0.1, -3, 40, 2, 2}, []float64{0.1, -3, 40, 2, 2}, 1},
		{[]float64{1, 1, 1}, []float64{1, 2, 3}, math.NaN()},
	} {
		if got := of(c.x, c.y); math.Abs(got-c.want) > 1e-15 || math.IsNaN(got) != math.IsNaN(c.want) {
			t.Errorf("%v, %v: %v, want %v", c.x, c.y, got, c.want)
		}
	}
	r := rand.New(rand.NewPCG(19, 4))
	for range 100 {
		x, y := make([]float64, 2+r.IntN(40)), []float64{}
		for i := range x {
			x[i] = float64(r.IntN(10))
			y = append(y, x[i]+float64(r.IntN(20)))
		}
		if got, want := of(x, y), spearman(x, y); math.Abs(got-want) > 1e-13 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("%v, %v: %v, want %v", x, y, got, want)
		}
	}
}

// spearman is Pearson's correlation of mean ranks, which are counted value by value.
func spearman(x, y []float64) float64 {
	halves := func(values []float64) []float64 {
		ranks := make([]float64, len(values))
		for i, v := range values {
			for _, other := range values {
				switch {
				case other < v:
					ranks[i]++
				case other == v:
					ranks[i] += 0.5
				}
			}
		}
		return ranks
	}
	a, b := halves(x), halves(y)
	mean := func(values []float64) (m float64) {
		for _, v := range values {
			m += v / float64(len(values))
		}
		return m
	}
	ma, mb := mean(a), mean(b)
	var ab, aa, bb float64
	for i := range a {
		ab, aa, bb = ab+(a[i]-ma)*(b[i]-mb), aa+(a[i]-ma)*(a[i]-ma), bb+(b[i]-mb)*(b[i]-mb)
	}
	if aa < 1e-9 || bb < 1e-9 {
		return math.NaN()
	}
	return ab / math.Sqrt(aa*bb)
}

// TestRankCorrelations: pairs of directions, more than are held at once, against float64 products.
func TestRankCorrelations(t *testing.T) {
	const d, vocabulary, pairs = 8, 40000, 120
	r := rand.New(rand.NewPCG(3, 4))
	random := func(n int) []float32 {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(r.NormFloat64())
		}
		return values
	}
	rows := random(vocabulary * d)
	builder, err := compute.NewBuilder(vocabulary, d)
	if err != nil {
		t.Fatal(err)
	}
	builder.SetRows(0, rows)
	u, err := builder.Build()
	if err != nil {
		t.Fatal(err)
	}
	if held := rankMemory / (2 * 4 * vocabulary); held >= pairs {
		t.Fatalf("%d pairs are held at once: too few to test more", held)
	}
	directions, others := random(pairs*d), random(pairs*d)
	copy(others[:d], directions[:d])
	clear(others[2*d : 3*d])
	told := 0
	got, err := RankCorrelations(t.Context(), u, directions, others, func(n int) { told += n })
	if err != nil || told != pairs || len(got) != pairs {
		t.Fatalf("%d of %d, told of %d: %v", len(got), pairs, told, err)
	}
	products := func(direction []float32) []float64 {
		values := make([]float64, vocabulary)
		for v := range values {
			for k, w := range direction {
				values[v] += float64(w) * float64(rows[v*d+k])
			}
		}
		return values
	}
	if got[0] != 1 || !math.IsNaN(got[2]) {
		t.Errorf("with itself %v, want 1; with a direction of zeros %v, want NaN", got[0], got[2])
	}
	for _, i := range []int{1, 50, pairs - 1} {
		ranksOf := func(values []float64) []float64 {
			sorted := slices.Sorted(slices.Values(values))
			ranks := make([]float64, len(values))
			for j, v := range values {
				rank, _ := slices.BinarySearch(sorted, v)
				ranks[j] = float64(rank)
			}
			return ranks
		}
		a, b := ranksOf(products(directions[i*d:(i+1)*d])), ranksOf(products(others[i*d:(i+1)*d]))
		var ab, aa float64
		for j := range a {
			x, y := a[j]-(vocabulary-1)/2.0, b[j]-(vocabulary-1)/2.0
			ab, aa = ab+x*y, aa+x*x
		}
		if want := ab / aa; math.Abs(got[i]-want) > 1e-6 {
			t.Errorf("pair %d: %v, want %v", i, got[i], want)
		}
	}
}
