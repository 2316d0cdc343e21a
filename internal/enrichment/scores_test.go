package enrichment

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
)

// roundedWeights has many ties.
func roundedWeights(n int, seed uint64) []float32 {
	weights := normalWeights(n, seed)
	for i := range weights {
		weights[i] = float32(math.Round(float64(weights[i]) * 4))
	}
	return weights
}

func TestScoresAgreeWithTheDefinition(t *testing.T) {
	for _, n := range []int{2, 3, 10, 63, 64, 65, 128, 200, 1000} {
		for name, weights := range map[string][]float32{
			"distinct": normalWeights(n, uint64(n)),
			"ties":     roundedWeights(n, uint64(n)),
			"equal":    make([]float32, n),
		} {
			t.Run(fmt.Sprint(n, name), func(t *testing.T) {
				members := randomSets(weights, 40, uint64(n))
				for set, got := range scoresOf(t, weights, members) {
					if want := oracleScore(weights, members[set]); !sameScore(got, want) {
						t.Errorf("%d members: got %+v, want %+v", len(members[set]), got, want)
					}
				}
			})
		}
	}
}

func TestScoresOfKnownSets(t *testing.T) {
	weights := []float32{5, 4, 3, 2, 1}
	for _, c := range []struct {
		members []int32
		want    Score
	}{
		{[]int32{0, 1}, Score{ES: 1, Promoted: true, AUC: 1, PeakRank: 1}},
		{[]int32{3, 4}, Score{ES: 1, AUC: 0, PeakRank: 3}},
		{[]int32{2}, Score{ES: 0.5, Promoted: true, AUC: 0.5, PeakRank: 2}}, // up as far as down
		{[]int32{4, 4, 0, 4}, Score{ES: 0.5, Promoted: true, AUC: 0.5, PeakRank: 0}},
		{[]int32{1, 3, 4}, Score{ES: 2. / 3, AUC: 1. / 6, PeakRank: 3}},
		{nil, Score{ES: math.NaN(), AUC: math.NaN(), PeakRank: -1}},
		{[]int32{0, 1, 2, 3, 4}, Score{ES: math.NaN(), AUC: math.NaN(), PeakRank: -1}},
	} {
		if got := scoresOf(t, weights, [][]int32{c.members})[0]; !sameScore(got, c.want) {
			t.Errorf("%v: got %+v, want %+v", c.members, got, c.want)
		}
	}
	for _, members := range [][]int32{{}, {0}} {
		if got := scoresOf(t, []float32{1}, [][]int32{members})[0]; !math.IsNaN(got.ES) {
			t.Errorf("%v of one token: got %+v", members, got)
		}
	}
	if got := scoresOf(t, nil, [][]int32{nil})[0]; !math.IsNaN(got.ES) {
		t.Errorf("a set of no tokens: got %+v", got)
	}
}

// Going through the ranking from its other end turns the running sum upside down.
func TestReversedWeights(t *testing.T) {
	const n = 777
	weights := normalWeights(n, 5)
	reversed := make([]float32, n)
	for i, w := range weights {
		reversed[i] = -w
	}
	members := randomSets(weights, 60, 5)
	sets := newSets(t, n, members)
	forward, backward := scoresOf(t, weights, members), scoresOf(t, reversed, members)
	for set := range members {
		a, b := forward[set], backward[set]
		if a.ES != b.ES || math.Abs(a.AUC+b.AUC-1) > 1e-12 {
			t.Errorf("set %d: %+v and reversed %+v", set, a, b)
		}
		highest, lowest, _, _ := runningSum(weights, members[set], 0)
		if math.Abs(highest+lowest) < 1e-9 {
			continue // as far up as down: promoted either way
		}
		if a.Promoted == b.Promoted || a.PeakRank != n-1-b.PeakRank {
			t.Errorf("set %d: %+v and reversed %+v", set, a, b)
		}
		edge := leadingEdgeOf(sets, set, a, weights)
		opposite := leadingEdgeOf(sets, set, b, reversed)
		if slices.Reverse(opposite); !slices.Equal(edge, opposite) {
			t.Errorf("set %d: leading edge %v and reversed %v", set, edge, opposite)
		}
	}
}

func leadingEdgeOf(sets *Sets, set int, score Score, weights []float32) []int32 {
	_, ranks := NewRanker(len(weights)).Rank(weights)
	return sets.LeadingEdge(set, score, ranks)
}

func TestComplementHasTheSameScore(t *testing.T) {
	const n = 500
	weights := normalWeights(n, 6)
	members := randomSets(weights, 60, 6)
	others := make([][]int32, len(members))
	for set := range members {
		others[set] = complement(n, members[set])
	}
	theirs := scoresOf(t, weights, others)
	for set, ours := range scoresOf(t, weights, members) {
		if ours.ES != theirs[set].ES || math.Abs(ours.AUC+theirs[set].AUC-1) > 1e-12 {
			t.Errorf("%d members: %+v, the others %+v", len(members[set]), ours, theirs[set])
		}
	}
}

// Neither the order of sets and of members, nor duplicates, nor goroutines that use
// the same sets change a score.
func TestScoresDependOnTheSetAlone(t *testing.T) {
	const n = 3000
	weights := normalWeights(n, 7)
	members := randomSets(weights, 50, 7)
	want := scoresOf(t, weights, members)
	mixed := make([][]int32, len(members))
	for set := range members {
		twice := append(slices.Clone(members[set]), members[set]...)
		slices.Reverse(twice)
		mixed[len(mixed)-1-set] = twice
	}
	sets := newSets(t, n, mixed)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			ranker, scores := NewRanker(n), make([]Score, sets.Len())
			for range 5 {
				ranker.Rank(weights)
				sets.Scores(ranker, scores)
			}
			slices.Reverse(scores)
			if !slices.Equal(scores, want) {
				t.Error("scores differ from those of one goroutine")
			}
		})
	}
	group.Wait()
}

func TestLeadingEdge(t *testing.T) {
	weights := []float32{0, 9, 3, 7, 5, 1, 2, 8}
	members := [][]int32{{7, 1, 2, 0}, {0, 5, 6, 1}, {}}
	sets, scores := newSets(t, len(weights), members), scoresOf(t, weights, members)
	for set, want := range [][]int32{{1, 7}, {6, 5, 0}, nil} {
		if got := leadingEdgeOf(sets, set, scores[set], weights); !slices.Equal(got, want) {
			t.Errorf("set %d: got %v, want %v", set, got, want)
		}
	}
}

func TestScoresPanic(t *testing.T) {
	sets := newSets(t, 3, [][]int32{{1}})
	for _, c := range []struct {
		tokens, scores int
		want           string
	}{
		{2, 1, panicRanks},
		{3, 2, panicScores},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panicked with %v, want %q", got, c.want)
				}
			}()
			sets.Scores(NewRanker(c.tokens), make([]Score, c.scores))
		}()
	}
}
