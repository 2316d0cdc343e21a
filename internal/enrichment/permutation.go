package enrichment

import (
	"context"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// nullScores returns the scores of random sets: [size][permutation], for ascending
// sizes. One permutation's sets are each part of the next larger, so that tokens are
// drawn once for all; each is a uniform draw by itself.
//
// A permutation depends on the seed and its number alone, and its first tokens do
// not depend on how many are drawn after them.
func (w Weighting) nullScores(ctx context.Context, steps []float64, ties []int32, sizes []int) ([][]float64, error) {
	null := make([][]float64, len(sizes))
	for i := range null {
		null[i] = make([]float64, w.Permutations)
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(w.workers(), w.Permutations) {
		group.Go(func() {
			p := newPermuter(steps, ties)
			for ctx.Err() == nil {
				permutation := int(next.Add(1)) - 1
				if permutation >= w.Permutations {
					return
				}
				p.score(rand.NewPCG(w.Seed, uint64(permutation)), sizes, func(size int, es float64) {
					null[size][permutation] = es
				})
			}
		})
	}
	group.Wait()
	return null, ctx.Err()
}

// permuter draws random sets of ranks.
type permuter struct {
	steps   []float64
	ties    []int32
	ranks   []int32 // 0 … n−1 between permutations
	bitmap  []uint64
	swapped []int32 // what each of the first ranks was swapped with
}

func newPermuter(steps []float64, ties []int32) *permuter {
	p := &permuter{steps: steps, ties: ties, ranks: make([]int32, len(steps)), bitmap: make([]uint64, (len(steps)+63)/64)}
	for rank := range p.ranks {
		p.ranks[rank] = int32(rank)
	}
	return p
}

// score reports the score of one random set of each size. It is a Fisher–Yates
// shuffle that stops at the largest size, and is then undone.
func (p *permuter) score(source *rand.PCG, sizes []int, report func(size int, es float64)) {
	clear(p.bitmap)
	swapped := p.swapped[:0]
	total := 0.
	for size, m := range sizes {
		for i := len(swapped); i < m; i++ {
			// The high half of the product is below n−i, and uniform within n/2⁶⁴.
			draw, _ := bits.Mul64(source.Uint64(), uint64(len(p.ranks)-i))
			other := i + int(draw)
			p.ranks[i], p.ranks[other] = p.ranks[other], p.ranks[i]
			swapped = append(swapped, int32(other))
			rank := p.ranks[i]
			p.bitmap[rank/64] |= 1 << (rank % 64)
			total += p.steps[rank]
		}
		report(size, weightedScoreOf(p.bitmap, p.steps, p.ties, m, total).ES)
	}
	p.swapped = swapped
	for i, other := range slices.Backward(swapped) {
		p.ranks[i], p.ranks[other] = p.ranks[other], p.ranks[i]
	}
}
