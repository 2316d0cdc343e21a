package enrichment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// benchmarkSets has 100 sets with 307,000 members of 50,257 tokens: many small ones
// and a few with a good part of the vocabulary, as token sets are.
func benchmarkSets(b *testing.B, n int) *Sets {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	members := make([][]int32, 100)
	for i := range members {
		size := 5 + i*i*i*n/4_030_000
		for _, position := range random.Perm(n)[:min(size, n)] {
			members[i] = append(members[i], int32(position))
		}
	}
	return newSets(b, n, members)
}

func BenchmarkRank(b *testing.B) {
	for _, n := range []int{50257, 262144} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			weights := normalWeights(n, 1)
			ranker := NewRanker(n)
			for b.Loop() {
				ranker.sort(weights)
			}
		})
	}
}

func BenchmarkScores(b *testing.B) {
	for _, n := range []int{50257, 262144} {
		sets := benchmarkSets(b, n)
		scores := make([]Score, sets.Len())
		ranker := NewRanker(n)
		ranker.Rank(normalWeights(n, 1))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				sets.Scores(ranker, scores)
			}
			b.ReportMetric(float64(len(sets.members)), "members")
		})
	}
}

func BenchmarkLogPValue(b *testing.B) {
	for _, m := range []int{3, 10, 16, 17, 1000} {
		b.Run(fmt.Sprint(m), func(b *testing.B) {
			es := 1.2 / math.Sqrt(float64(m)) // about p = 0.1
			for b.Loop() {
				LogKolmogorovSmirnov(m, 50257, min(es, 1))
			}
		})
	}
}

func BenchmarkWeightedScores(b *testing.B) {
	const n = 50257
	sets, weights := benchmarkSets(b, n), normalWeights(n, 1)
	ranker, wide := ranked(weights), widened(weights)
	scores := make([]WeightedScore, sets.Len())
	for b.Loop() {
		weighting := Weighting{Exponent: 1, Permutations: 1000, Workers: 1}
		if err := sets.WeightedScores(b.Context(), weighting, wide, ranker, scores); err != nil {
			b.Fatal(err)
		}
	}
}
