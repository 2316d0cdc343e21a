package enrichment

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb/internal/compute"
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

// BenchmarkRankMembers ranks all tokens and the members of four sets alone, for weights
// that change, as branches learn those of one feature.
func BenchmarkRankMembers(b *testing.B) {
	const n, features = 50257, 32
	weights := make([]compute.Rankable, features)
	for i := range weights {
		weights[i] = compute.Rankable{Products: normalWeights(n, uint64(i)), Unit: 1}
	}
	for name, sizes := range fewSizes {
		for _, all := range []bool{true, false} {
			sets := fewSets(b, n, sizes, all)
			ranker, scores := NewRanker(n), make([]Score, sets.Len())
			for _, scored := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/all=%t/scored=%t", name, all, scored), func(b *testing.B) {
					for i := 0; b.Loop(); i++ {
						sets.rank(ranker, &weights[i%features])
						if scored {
							sets.Scores(ranker, scores)
						}
					}
				})
			}
		}
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

// fewSets are sets of given sizes, for whose scores all tokens are ranked, or members alone.
func fewSets(b *testing.B, n int, sizes []int, all bool) *Sets {
	b.Helper()
	random := rand.New(rand.NewPCG(3, 4))
	members := make([][]int32, len(sizes))
	for i, size := range sizes {
		for _, position := range random.Perm(n)[:size] {
			members[i] = append(members[i], int32(position))
		}
	}
	sets := newSets(b, n, members)
	if all {
		sets.split = func() *split { return nil }
	}
	return sets
}

// fewSizes are those of four small sets, and of the four of bench/enrichment.
var fewSizes = map[string][]int{"920-members": {50, 120, 250, 500}, "16224-members": {104, 1141, 4282, 10697}}

// BenchmarkFeatures takes whole features of GPT-2's shape, statistics alone and with sets.
func BenchmarkFeatures(b *testing.B) {
	const n, d, features = 50257, 768, 256
	builder, err := compute.NewBuilder(n, d)
	if err != nil {
		b.Fatal(err)
	}
	builder.SetRows(0, normalWeights(n*d, 1))
	u, err := builder.Build()
	if err != nil {
		b.Fatal(err)
	}
	directions := normalWeights(features*d, 2)
	bench := func(name string, visit compute.Visit) {
		b.Run(name, func(b *testing.B) {
			var summary compute.Summary
			from := processorTime(b)
			for b.Loop() {
				if err := u.Summarize(b.Context(), directions, compute.Options{TopK: 10, Cosine: true, Visit: visit}, &summary); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((processorTime(b)-from).Microseconds())/float64(features*b.N), "cpu-µs/feature")
		})
	}
	bench("statistics", nil)
	bench("visited", func(context.Context, int, *compute.Rankable) error { return nil })
	for name, sizes := range fewSizes {
		for _, all := range []bool{true, false} {
			sets := fewSets(b, n, sizes, all)
			bench(fmt.Sprintf("%s/all=%t", name, all), sets.Scorer(make([]Score, features*sets.Len())))
		}
	}
	many := benchmarkSets(b, n)
	bench("100-sets", many.Scorer(make([]Score, features*many.Len())))
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
