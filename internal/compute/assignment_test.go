package compute

import (
	"math"
	"math/rand/v2"
	"testing"
)

// bestOf is the greatest worth of any assignment of the rows from row on, by trying all.
func bestOf(candidates [][]Candidate, row int, taken map[int]bool) float64 {
	if row == len(candidates) {
		return 0
	}
	best := bestOf(candidates, row+1, taken)
	for _, c := range candidates[row] {
		if !taken[c.Column] {
			taken[c.Column] = true
			best = max(best, c.Worth+bestOf(candidates, row+1, taken))
			taken[c.Column] = false
		}
	}
	return best
}

// TestAssign: no assignment is worth more, as trying all of few says, and the dual variables of
// many: where profit + price is at least each worth, their sum bounds every assignment.
func TestAssign(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		rows, columns, small := 1+r.IntN(7), 1+r.IntN(7), true
		if seed >= 290 {
			rows, columns, small = 2000, 1500+r.IntN(1000), false
		}
		candidates := make([][]Candidate, rows)
		for i := range candidates {
			for _, j := range r.Perm(columns)[:r.IntN(min(columns, 20)+1)] {
				worth := 1 - r.Float64()
				if seed%2 == 0 {
					worth = math.Ceil(worth*4) / 4 // ties
				}
				candidates[i] = append(candidates[i], Candidate{j, worth})
			}
		}
		a, err := Assign(t.Context(), candidates, columns)
		if err != nil {
			t.Fatal(err)
		}
		var worth, dual float64
		taken := map[int]bool{}
		for i, j := range a.Columns {
			dual += a.Profits[i]
			for _, c := range candidates[i] {
				if a.Profits[i]+a.Prices[c.Column] < c.Worth-1e-12 {
					t.Fatalf("seed %d, row %d, column %d: profit %g and price %g, worth %g", seed, i, c.Column, a.Profits[i], a.Prices[c.Column], c.Worth)
				}
				if c.Column == j {
					worth += c.Worth
				}
			}
			if j >= 0 && taken[j] {
				t.Fatalf("seed %d: column %d twice", seed, j)
			}
			taken[j] = j >= 0
		}
		for _, price := range a.Prices {
			if price < 0 {
				t.Fatalf("seed %d: price %g", seed, price)
			}
			dual += price
		}
		if !(math.Abs(worth-dual) <= 1e-10) {
			t.Fatalf("seed %d: worth %g, bound %g", seed, worth, dual)
		}
		if small {
			if best := bestOf(candidates, 0, map[int]bool{}); !(math.Abs(worth-best) <= 1e-12) {
				t.Fatalf("seed %d: worth %g, best %g", seed, worth, best)
			}
		}
	}
}
