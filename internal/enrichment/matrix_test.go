package enrichment

import (
	"fmt"
	"slices"
	"testing"
)

// everyInstructions calls f with each of the instructions that this processor has.
func everyInstructions(f func()) {
	best := instructions
	defer func() { instructions = best }()
	for instructions = 0; instructions <= best; instructions++ {
		f()
	}
}

// Sets in a matrix have the scores that they have one by one, with any instructions,
// in full columns and in others.
func TestMatrixScoresAsOneByOne(t *testing.T) {
	for _, n := range []int{2, 3, 63, 64, 65, 128, 500, 5003} {
		for name, weights := range map[string][]float32{"distinct": normalWeights(n, 8), "ties": roundedWeights(n, 9)} {
			sets := newSets(t, n, randomSets(weights, 64+64+20, uint64(n)))
			if got := sets.matrix.sets(sets); got != sets.Len() {
				t.Fatalf("%d of %d sets are in the matrix", got, sets.Len())
			}
			ranker, got := NewRanker(n), make([]Score, sets.Len())
			_, ranks := ranker.Rank(weights)
			everyInstructions(func() {
				sets.Scores(ranker, got)
				for set, score := range got {
					bitmap, release := sets.borrowBitmap()
					if want := sets.score(sets.Members(set), ranks, ranker.ties, bitmap); !sameScore(score, want) {
						t.Errorf("%d %s, instructions %d, set %d of %d: got %+v, want %+v", n, name, instructions, set, sets.Size(set), score, want)
					}
					release()
				}
			})
		}
	}
}

// Few sets, and those beyond the memory of columns, are not in the matrix.
func TestMatrixIsBounded(t *testing.T) {
	const n = 100_000
	for _, c := range []struct{ sets, want int }{{15, 0}, {16, 16}, {64 + 15, 64}, {64 * 90, 64 * 83}} {
		t.Run(fmt.Sprint(c.sets), func(t *testing.T) {
			sets := newSets(t, n, slices.Repeat([][]int32{{1, 2}}, c.sets))
			if got := sets.matrix.sets(sets); got != c.want {
				t.Errorf("%d sets are in the matrix, want %d", got, c.want)
			}
		})
	}
}
