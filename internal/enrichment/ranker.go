package enrichment

// #include "native.h"
import "C"

import (
	"cmp"
	"math/bits"
	"runtime"
	"slices"

	"github.com/saedb/saedb/internal/compute"
)

// Ranker ranks the logit weights of one feature at a time. It keeps its buffers
// from one feature to the next, so a goroutine needs one of its own.
type Ranker struct {
	order, ranks []int32
	ranked       bool    // whether ranks are those of order
	ties         []int32 // the first and the last rank of each run of equal weights, ascending
	runs         []int32 // [n], the memory of ties
	half, sorted []uint64
	digits       [3]int // bits of the digits of a key, the lowest first
	counts       [3][]int32
	walk         matrixWalk
	members      *split // whose members' ranks alone are known; nil where all are
	room         memberRoom
}

// A digit of 11 bits has 8 KiB of counts.
const digitBits = 11

// NewRanker returns a ranker of n tokens.
func NewRanker(n int) *Ranker {
	r := &Ranker{
		order:  make([]int32, n),
		ranks:  make([]int32, n),
		half:   make([]uint64, n),
		sorted: make([]uint64, n),
		runs:   make([]int32, n),
	}
	// The highest digit goes into 32 bits with a position; the two others share what
	// is left of a key: 11, 10 and 11 bits up to two million tokens.
	high := min(digitBits, 32-bits.Len(uint(max(n, 1)-1)))
	low := (32 - high + 1) / 2
	r.digits = [3]int{low, 32 - high - low, high}
	for i, digit := range r.digits {
		r.counts[i] = make([]int32, 1<<max(digit, digitBits))
	}
	return r
}

// Rank sorts the n weights in descending order. Equal ones (−0 and +0 too) are one place
// in the ranking; among themselves they are in the order of their positions, on which
// nothing depends. It returns the position at each rank and the rank of each
// position, both from 0 and both valid until the next call. It panics if weights
// are not n, or if one is NaN.
//
// The sort is a radix sort from the least significant digit: of the weights' places
// between the greatest and the least where that tells nearly all apart, otherwise of
// their bits, which takes half as long again.
func (r *Ranker) Rank(weights []float32) (order, ranks []int32) {
	r.sort(weights)
	return r.order, r.inverse()
}

// sort sets order alone.
func (r *Ranker) sort(weights []float32) {
	if len(weights) != len(r.order) {
		panic(panicWeights)
	}
	r.ranked, r.ties, r.members = false, nil, nil
	if len(weights) == 0 {
		return
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	native := r.native(&pinner)
	runs := C.ranker_sort(instructions, &native, (*C.float)(&weights[0]), (*C.int32_t)(&r.order[0]))
	if runs < 0 {
		panic(panicNaN) // which the sort would place silently
	}
	r.ties = r.runs[:2*runs]
}

// native is a ranker's buffers for C, pinned. n is not 0.
func (r *Ranker) native(pinner *runtime.Pinner) C.struct_ranker {
	return C.struct_ranker{
		n:           C.int64_t(len(r.order)),
		low_bits:    C.int32_t(r.digits[0]),
		middle_bits: C.int32_t(r.digits[1]),
		low:         (*C.int32_t)(pinned(pinner, r.counts[0])),
		middle:      (*C.int32_t)(pinned(pinner, r.counts[1])),
		high:        (*C.int32_t)(pinned(pinner, r.counts[2])),
		half:        (*C.uint64_t)(pinned(pinner, r.half)),
		sorted:      (*C.uint64_t)(pinned(pinner, r.sorted)),
		ties:        (*C.int32_t)(pinned(pinner, r.runs)),
	}
}

// pinned returns where values begin, if there are any, for C to keep until pinner unpins.
func pinned[T any](pinner *runtime.Pinner, values []T) *T {
	if len(values) == 0 {
		return nil
	}
	pinner.Pin(&values[0])
	return &values[0]
}

// RankExact is [Ranker.Rank] for float64 weights, some ten times slower.
func (r *Ranker) RankExact(weights []float64) (order, ranks []int32) {
	r.sortExact(weights, false)
	return r.order, r.inverse()
}

// sortExact sets order and ties alone. nearly tells that order is nearly that of weights.
func (r *Ranker) sortExact(weights []float64, nearly bool) {
	if len(weights) != len(r.order) {
		panic(panicWeights)
	}
	r.ranked, r.ties, r.members = false, r.runs[:0], nil
	before := func(a, b int32) int {
		if byWeight := cmp.Compare(weights[b], weights[a]); byWeight != 0 {
			return byWeight
		}
		return cmp.Compare(a, b)
	}
	if !nearly || !insertionSort(r.order, before) {
		for position, weight := range weights {
			if weight != weight {
				panic(panicNaN)
			}
			r.order[position] = int32(position)
		}
		slices.SortFunc(r.order, before)
	}
	for rank := 1; rank < len(r.order); rank++ {
		if weights[r.order[rank]] != weights[r.order[rank-1]] {
			continue
		}
		if last := len(r.ties) - 1; last < 0 || r.ties[last] != int32(rank-1) {
			r.ties = append(r.ties, int32(rank-1), int32(rank-1))
		}
		r.ties[len(r.ties)-1] = int32(rank)
	}
}

// insertionSort sorts values of which nearly all are where they belong. It returns false
// where the others are far from there.
func insertionSort(values []int32, before func(a, b int32) int) bool {
	moves := 4 * len(values)
	for i := 1; i < len(values); i++ {
		to, value := i, values[i]
		for ; to > 0 && before(value, values[to-1]) < 0; to-- {
			values[to] = values[to-1]
		}
		values[to] = value
		if moves -= i - to; moves < 0 {
			return false
		}
	}
	return true
}

// RankLogitWeights ranks a direction's logit weights, as [Ranker.Rank] does.
func (r *Ranker) RankLogitWeights(weights *compute.Rankable) (order, ranks []int32) {
	r.sortLogitWeights(weights)
	return r.order, r.inverse()
}

func (r *Ranker) sortLogitWeights(weights *compute.Rankable) {
	if weights.Products != nil {
		r.sort(weights.Products)
	}
	if weights.Exact != nil {
		r.sortExact(weights.Exact, weights.Products != nil)
	}
}

// flat tells whether all weights are equal: nothing ranks then.
func (r *Ranker) flat() bool {
	return len(r.order) == 1 || len(r.ties) == 2 && int(r.ties[1]-r.ties[0]) == len(r.order)-1
}

// Place returns the rank that the weight at a rank has with all that are equal to it:
// the first of them.
func (r *Ranker) Place(rank int32) int32 {
	if run := runAt(r.ties, rank); run >= 0 {
		return r.ties[run]
	}
	return rank
}

// inverse returns the rank of each position.
func (r *Ranker) inverse() []int32 {
	if !r.ranked {
		for rank, position := range r.order {
			r.ranks[position] = int32(rank)
		}
		r.ranked = true
	}
	return r.ranks
}
