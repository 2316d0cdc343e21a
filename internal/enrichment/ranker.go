package enrichment

import "math"

// Three digits of 11 bits cover the 32 bits of a key; a digit's counts are 8 KiB.
const (
	digitBits = 11
	digits    = 1 << digitBits
	digitMask = digits - 1
)

// Ranker ranks the logit weights of one feature at a time. It keeps its buffers
// from one feature to the next, so a goroutine needs one of its own.
type Ranker struct {
	order, ranks []int32
	front, back  []uint64 // the key in the high half, the position in the low one
	counts       [3][digits]int32
}

// NewRanker returns a ranker of n tokens.
func NewRanker(n int) *Ranker {
	return &Ranker{
		order: make([]int32, n),
		ranks: make([]int32, n),
		front: make([]uint64, n),
		back:  make([]uint64, n),
	}
}

// Rank sorts the n weights in descending order, equal ones (−0 and +0 too) by
// lower position. It returns the position at each rank and the rank of each
// position, both from 0 and both valid until the next call. It panics if weights
// are not n, or if one is NaN.
//
// The sort is a radix sort from the least significant digit; it is stable and its
// time does not depend on the weights.
func (r *Ranker) Rank(weights []float32) (order, ranks []int32) {
	if len(weights) != len(r.order) {
		panic(panicWeights)
	}
	r.count(weights)
	r.sort(weights)
	return r.order, r.ranks
}

// descending returns a key that is lower the higher weight is.
func descending(weight float32) uint32 {
	b := math.Float32bits(weight + 0) // −0 + 0 is +0
	// The bits of floats ascend with positive values and descend with negative ones.
	ascending := b ^ (uint32(int32(b)>>31) | 1<<31)
	return ^ascending
}

// count sets counts to where each digit's first key goes. It also refuses NaN,
// here because the sort would place it silently.
func (r *Ranker) count(weights []float32) {
	clear(r.counts[:])
	low, middle, high := &r.counts[0], &r.counts[1], &r.counts[2]
	for _, w := range weights {
		if w != w {
			panic(panicNaN)
		}
		key := descending(w)
		low[key&digitMask]++
		middle[key>>digitBits&digitMask]++
		high[key>>(2*digitBits)&digitMask]++
	}
	for d := range r.counts {
		var next int32
		for i, count := range &r.counts[d] {
			r.counts[d][i] = next
			next += count
		}
	}
}

func (r *Ranker) sort(weights []float32) {
	low, middle, high := &r.counts[0], &r.counts[1], &r.counts[2]
	front, back, order, ranks := r.front, r.back, r.order, r.ranks
	for i, w := range weights {
		key := descending(w)
		to := &low[key&digitMask]
		front[*to] = uint64(key)<<32 | uint64(i)
		*to++
	}
	for _, keyed := range front {
		to := &middle[keyed>>(32+digitBits)&digitMask]
		back[*to] = keyed
		*to++
	}
	for _, keyed := range back {
		to := &high[keyed>>(32+2*digitBits)&digitMask]
		position := int32(keyed)
		order[*to], ranks[position] = position, *to
		*to++
	}
}
