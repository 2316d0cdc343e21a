package enrichment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saedb/saedb/internal/compute"
)

// awkwardWeights have ties of all kinds, both zeros, infinities, and ranges of which most
// of the weights take a small part.
func awkwardWeights(n int) map[string][]float32 {
	inf, negativeZero := float32(math.Inf(1)), float32(math.Copysign(0, -1))
	special := []float32{inf, -inf, negativeZero, 0, math.MaxFloat32, -math.MaxFloat32, math.SmallestNonzeroFloat32, 1, 1.5}
	random := rand.New(rand.NewPCG(uint64(n), 6))
	all := map[string][]float32{
		"distinct": normalWeights(n, 31),
		"ties":     roundedWeights(n, 32),
		"equal":    make([]float32, n),
	}
	for _, name := range []string{"special", "zeros", "outlier", "clusters", "exponents", "a run"} {
		weights := normalWeights(n, 33)
		for i := range weights {
			switch name {
			case "special":
				weights[i] = special[random.IntN(len(special))]
			case "zeros":
				weights[i] = []float32{0, negativeZero, weights[i]}[random.IntN(3)]
			case "clusters":
				weights[i] = 1e-6*weights[i] + float32(i%3)
			case "exponents":
				weights[i] *= float32(math.Pow(2, float64(random.IntN(200)-100)))
			case "a run":
				if i > n/2 {
					weights[i] = 0.25
				}
			}
		}
		if name == "outlier" {
			weights[random.IntN(n)] = -1e30
		}
		all[name] = weights
	}
	return all
}

// splitAt takes some tokens for members: one, few, many or all.
func splitAt(n, m int, seed uint64) *split {
	inside := make([]bool, n)
	for _, position := range rand.New(rand.NewPCG(seed, 7)).Perm(n)[:m] {
		inside[position] = true
	}
	return splitTokens(inside, m)
}

// Members have the ranks that they have where all tokens are ranked, and so have the runs
// of equal weights that they are in, with any instructions and buffers of any former use.
func TestMemberRanksAreThoseOfAll(t *testing.T) {
	for _, n := range []int{1, 2, 3, 17, 64, 300, 5003} {
		for name, weights := range awkwardWeights(n) {
			everyInstructions(func() {
				all, few := NewRanker(n), NewRanker(n)
				_, ranks := all.Rank(weights)
				for _, m := range []int{n, 1, 2, 5, n / 7, n / 3, n - 1} {
					if m < 1 || m > n {
						continue
					}
					p := splitAt(n, m, uint64(n+m))
					few.sortMembers(weights, p)
					for number, position := range p.members {
						if got := few.room.ranks[number]; got != ranks[position] {
							t.Fatalf("%s, instructions %d, %d of %d members: position %d has rank %d, want %d",
								name, instructions, m, n, position, got, ranks[position])
						}
					}
					if want := runsWith(all, p.members); !slices.Equal(few.ties, want) {
						t.Fatalf("%s, instructions %d, %d of %d members: runs %v, want %v", name, instructions, m, n, few.ties, want)
					}
					if few.flat() != all.flat() {
						t.Fatalf("%s, %d of %d members: flat %v, want %v", name, m, n, few.flat(), all.flat())
					}
				}
			})
		}
	}
}

// runsWith returns the runs of equal weights that hold a member.
func runsWith(r *Ranker, members []int32) []int32 {
	runs := []int32{}
	for i := 0; i < len(r.ties); i += 2 {
		if slices.ContainsFunc(members, func(position int32) bool {
			rank := r.inverse()[position]
			return rank >= r.ties[i] && rank <= r.ties[i+1]
		}) {
			runs = append(runs, r.ties[i], r.ties[i+1])
		}
	}
	return runs
}

// More others than a 16-bit count holds lie between two members, and as many members as
// are ranked alone at most.
func TestMemberRanksOfALargeVocabulary(t *testing.T) {
	const n = 200_003
	weights := normalWeights(n, 34)
	for i := 1000; i < 150_000; i++ {
		weights[i] = 0.5
	}
	all, few := NewRanker(n), NewRanker(n)
	_, ranks := all.Rank(weights)
	for _, m := range []int{1, 2, 300, math.MaxUint16} {
		p := splitAt(n, m, uint64(m))
		few.sortMembers(weights, p)
		for number, position := range p.members {
			if got := few.room.ranks[number]; got != ranks[position] {
				t.Fatalf("%d members: position %d has rank %d, want %d", m, position, got, ranks[position])
			}
		}
		if want := runsWith(all, p.members[:min(m, 300)]); m <= 300 && !slices.Equal(few.ties, want) {
			t.Errorf("%d members: runs %v, want %v", m, few.ties, want)
		}
	}
}

// Whether a set is scored with many others or with few changes nothing of its score.
func TestScoresOfFewSetsAreThoseOfAll(t *testing.T) {
	for _, n := range []int{9, 10, 64, 65, 500, 5003} {
		for name, weights := range awkwardWeights(n) {
			everyInstructions(func() {
				members := [][]int32{splitAt(n, 1, 1).members, splitAt(n, max(n/9, 1), 2).members, splitAt(n, max(n/8, 1), 3).members, {}}
				sets := newSets(t, n, members)
				if sets.split() == nil {
					t.Fatalf("all of %d tokens are ranked", n)
				}
				got, want := make([]Score, sets.Len()), scoresOf(t, weights, members)
				visit := sets.Scorer(got)
				if err := visit(t.Context(), 0, &compute.Rankable{Products: weights, Unit: 1}); err != nil {
					t.Fatal(err)
				}
				for set := range got {
					if fmt.Sprint(got[set]) != fmt.Sprint(want[set]) { // to the bit, NaN and all
						t.Errorf("%d %s, instructions %d, set %d: got %+v, want %+v", n, name, instructions, set, got[set], want[set])
					}
				}
			})
		}
	}
}

// What is ranked depends on the sets and the vocabulary alone.
func TestMembersAloneAreRankedWhereTheyAreFew(t *testing.T) {
	all := func(n int) []int32 { return splitAt(n, n, 1).members }
	for name, c := range map[string]struct {
		n       int
		members [][]int32
		want    int // members that are ranked alone; 0 where all tokens are
	}{
		"one":              {300, [][]int32{{7}}, 1},
		"the same twice":   {300, [][]int32{{7, 8}, {8, 9}, {9}}, 3},
		"half":             {300, [][]int32{all(300)[:90], all(300)[50:150]}, 150},
		"more":             {300, [][]int32{all(300)[:90], all(300)[50:151]}, 0},
		"every token":      {300, [][]int32{all(300)}, 0},
		"no member":        {300, [][]int32{{}, {}}, 0},
		"no set":           {300, nil, 0},
		"sets in a matrix": {300, slices.Repeat([][]int32{{7}}, leastMatrixSets), 0},
		"one token":        {1, [][]int32{{0}}, 0},
		"16 bits":          {200_000, [][]int32{all(200_000)[:math.MaxUint16+1]}, 0},
	} {
		got := 0
		if p := newSets(t, c.n, c.members).split(); p != nil {
			got = len(p.members)
			if both := slices.Sorted(slices.Values(slices.Concat(p.members, p.others))); !slices.Equal(both, all(c.n)) {
				t.Errorf("%s: members and others are not all tokens", name)
			}
		}
		if got != c.want {
			t.Errorf("%s: %d members are ranked alone, want %d", name, got, c.want)
		}
	}
}

func TestMemberRanksRefuse(t *testing.T) {
	sets := newSets(t, 6, [][]int32{{2, 4}})
	other := newSets(t, 6, [][]int32{{1, 2}})
	nan := float32(math.NaN())
	r := NewRanker(6)
	for name, c := range map[string]struct {
		call func()
		want string
	}{
		"NaN of a member":    {func() { r.sortMembers([]float32{1, 5, nan, 2, 3, 3}, sets.split()) }, panicNaN},
		"NaN of another":     {func() { r.sortMembers([]float32{1, 5, 2, 2, 3, nan}, sets.split()) }, panicNaN},
		"wrong count":        {func() { r.sortMembers([]float32{1, 5}, sets.split()) }, panicWeights},
		"another vocabulary": {func() { r.sortMembers(make([]float32, 6), splitAt(7, 2, 1)) }, panicWeights},
		"ranks of others":    {func() { r.sortMembers(make([]float32, 6), sets.split()); other.Scores(r, make([]Score, 1)) }, panicRanks},
		"all ranks are needed": {func() {
			r.sortMembers(make([]float32, 6), sets.split())
			_ = sets.WeightedScores(t.Context(), Weighting{Exponent: 1}, make([]float64, 6), r, make([]WeightedScore, 1))
		}, panicRanks},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panicked with %v, want %q", got, c.want)
				}
				weights := []float32{1, 5, 2, 2, 3, 3}
				r.sortMembers(weights, sets.split())
				if got := r.room.ranks; !slices.Equal(got, []int32{3, 1}) || !slices.Equal(r.ties, []int32{1, 2, 3, 4}) {
					t.Errorf("after it: ranks %v, runs %v", got, r.ties)
				}
			}()
			c.call()
		})
	}
}
