package enrichment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRankIsAStableDescendingSort(t *testing.T) {
	inf, negativeZero := float32(math.Inf(1)), float32(math.Copysign(0, -1))
	random := rand.New(rand.NewPCG(1, 1))
	few, bits := make([]float32, 3000), make([]float32, 3000)
	for i := range few {
		few[i] = float32(random.IntN(7)-3) / 2
		for bits[i] = float32(math.NaN()); bits[i] != bits[i]; {
			bits[i] = math.Float32frombits(random.Uint32())
		}
	}
	far, outlier, clusters := normalWeights(5000, 3), normalWeights(5000, 4), normalWeights(5000, 5)
	far[1234], outlier[4321] = 1e30, -300
	for i := range clusters {
		clusters[i] = 1e-4*clusters[i] + float32(i%3)
	}
	for name, weights := range map[string][]float32{
		"one far away":   far,      // beside which all others are in one place
		"an outlier":     outlier,  // beside which many are
		"clusters":       clusters, // likewise
		"no token":       {},
		"one token":      {3},
		"all equal":      make([]float32, 500),
		"both zeros":     {negativeZero, 0, -1, negativeZero, 1, 0},
		"extremes":       {math.MaxFloat32, -inf, math.SmallestNonzeroFloat32, inf, -math.SmallestNonzeroFloat32, -math.MaxFloat32, 0},
		"many ties":      few,
		"all exponents":  bits,
		"normal weights": normalWeights(5000, 3),
		"other digits":   normalWeights(1<<21+3, 3),
	} {
		t.Run(name, func(t *testing.T) {
			everyInstructions(func() {
				ranker := NewRanker(len(weights))
				ranker.Rank(make([]float32, len(weights))) // buffers that are not empty
				order, ranks := ranker.Rank(weights)
				if want := stableOrder(weights); !slices.Equal(order, want) {
					t.Fatalf("instructions %d: got %v, want %v", instructions, order, want)
				}
				for rank, position := range order {
					if ranks[position] != int32(rank) {
						t.Fatalf("instructions %d, position %d: rank %d, but is at %d", instructions, position, ranks[position], rank)
					}
				}
			})
		})
	}
}

func TestRankRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		weights []float32
		want    string
	}{
		"NaN":         {[]float32{1, float32(math.NaN()), 2}, panicNaN},
		"wrong count": {[]float32{1, 2}, panicWeights},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panicked with %v, want %q", got, c.want)
				}
			}()
			NewRanker(3).Rank(c.weights)
		})
	}
}
