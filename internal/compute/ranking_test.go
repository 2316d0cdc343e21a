package compute

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRankingEqualsSorting(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	for range 200 {
		n, size := 1+r.IntN(60), r.IntN(20)
		all := make([]candidate, n)
		best := ranking{size: size}
		for i, position := range r.Perm(n) {
			all[i] = candidate{value: float64(r.IntN(8)), position: int32(position)} // many ties
			best.offer(all[i])
		}
		slices.SortFunc(all, func(a, b candidate) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		if got, want := best.sorted(), all[:min(n, size)]; !slices.Equal(got, want) {
			t.Fatalf("best %d of %d: got %v, want %v", size, n, got, want)
		}
	}
}

// Whatever errors within the bounds do, the shortlist has the best exact values.
func TestShortlistKeepsTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	for round := range 100 {
		const n, size, relative = 5000, 9, 0.02
		exact := make([]candidate, n)
		products, norms := make([]float32, n), make([]float32, n)
		for j := range n {
			exact[j] = candidate{value: r.NormFloat64() + float64(round%3*j)/n, position: int32(j)} // some rise
			norms[j] = float32(r.ExpFloat64())
			products[j] = float32(exact[j].value + 0.99*relative*float64(norms[j])*(2*r.Float64()-1))
		}
		list := newShortlist(size, 1)
		for from := 0; from < n; from += 130 {
			to := min(from+130, n)
			list.offer(from, products[from:to], norms[from:to], relative, 1e-6)
		}
		list.prune()
		if list.overflowed {
			t.Fatal("overflowed")
		}
		slices.SortFunc(exact, func(a, b candidate) int {
			if a.before(b) {
				return -1
			}
			return 1
		})
		for _, want := range exact[:size] {
			if !slices.ContainsFunc(list.candidates, func(c candidate) bool { return c.position == want.position }) {
				t.Fatalf("position %d is not in the shortlist", want.position)
			}
		}
	}
}

func TestShortlistOverflows(t *testing.T) {
	list := newShortlist(3, -1)
	equal, norms := make([]float32, 4096), make([]float32, 4096)
	list.offer(0, equal, norms, 0, 0)
	if !list.overflowed || list.candidates != nil {
		t.Errorf("4,096 ties: got overflowed %v with %d candidates, want true with none", list.overflowed, len(list.candidates))
	}
}
