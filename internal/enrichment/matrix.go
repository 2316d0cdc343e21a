package enrichment

/*
#cgo CFLAGS: -O3 -Wno-psabi
#include "native.h"
*/
import "C"

import (
	"math/bits"
	"runtime"

	"golang.org/x/sys/cpu"
)

// matrix holds sets as bits, 64 sets a column: a word for each token. Scoring a
// column goes once through the ranking, whatever the sizes of its sets: in the order
// of ranks, 64 words at a time are transposed to a word of 64 ranks for each set, and
// eight sets at a time follow their running sums from word to word.
//
// For 100 sets of 306,000 members and GPT-2's vocabulary it takes less than a
// third of the time that marking each set's ranks takes.
type matrix struct {
	columns [][]uint64 // [tokens], for each 64 sets
	sizes   [][matrixSets]int64
}

const matrixSets = C.MATRIX_SETS

// instructions are what sorts and walks use. Results are whole numbers, the same with
// any; only tests change it.
var instructions = bestInstructions()

// bestInstructions are the fastest that this processor has, as Go finds out; see
// nativeKernels of internal/compute.
func bestInstructions() uint32 {
	x86 := cpu.X86
	switch {
	case x86.HasAVX512F && x86.HasAVX512DQ && x86.HasAVX512BW && x86.HasAVX512VBMI && x86.HasAVX512VPOPCNTDQ && x86.HasAVX512GFNI:
		return C.AVX512
	case x86.HasAVX2 && x86.HasBMI1 && x86.HasBMI2 && x86.HasPOPCNT:
		return C.AVX2
	}
	return C.PORTABLE
}

const (
	// A column costs about as much as 16 sets that are scored one by one.
	leastMatrixSets = 16
	// What columns may take, 8 bytes a token each; other sets are scored one by one.
	matrixBytes = 64 << 20
)

// newMatrix returns the matrix of as many of the first sets as are worth it.
func newMatrix(s *Sets) *matrix {
	m := &matrix{}
	for first := 0; s.Len()-first >= leastMatrixSets && 8*s.tokens*(len(m.columns)+1) <= matrixBytes; first += matrixSets {
		column := make([]uint64, s.tokens)
		var sizes [matrixSets]int64
		for set := first; set < min(first+matrixSets, s.Len()); set++ {
			sizes[set-first] = int64(s.Size(set))
			for _, position := range s.Members(set) {
				column[position] |= 1 << (set - first)
			}
		}
		m.columns, m.sizes = append(m.columns, column), append(m.sizes, sizes)
	}
	return m
}

// sets returns how many sets of s, the first ones, are in the matrix.
func (m *matrix) sets(s *Sets) int { return min(len(m.columns)*matrixSets, s.Len()) }

// matrixWalk is a ranker's room for walks over a matrix.
type matrixWalk struct {
	bits   []uint64
	hits   []uint8
	native C.struct_matrix_walk
}

// scores sets into to the scores of the sets in the matrix.
func (m *matrix) scores(s *Sets, r *Ranker, into []Score) {
	if len(m.columns) == 0 || s.tokens == 0 {
		return
	}
	w := &r.walk
	if w.hits == nil {
		w.bits = make([]uint64, (s.tokens+63)/64*matrixSets)
		w.hits = make([]uint8, len(w.bits))
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	pinner.Pin(&w.bits[0])
	pinner.Pin(&w.hits[0])
	w.native.bits = (*C.uint64_t)(&w.bits[0])
	w.native.hits = (*C.uint8_t)(&w.hits[0])
	for i, column := range m.columns {
		pinner.Pin(&column[0])
		pinner.Pin(&m.sizes[i][0])
		w.native.members, w.native.sizes = (*C.uint64_t)(&column[0]), (*C.int64_t)(&m.sizes[i][0])
		first := i * matrixSets
		w.native.sets = C.int32_t(min(s.Len()-first, matrixSets))
		C.matrix_walk(instructions, (*C.int32_t)(&r.order[0]), C.int64_t(s.tokens), &w.native)
		shared := sharedRanks(column, r)
		for set := first; set < min(first+matrixSets, s.Len()); set++ {
			into[set] = w.score(s, r, set, set-first, shared[set-first])
		}
	}
}

// score returns the score of a set at a bit of the column that was walked last; shared is
// what equal weights add to twice its rank sum.
func (w *matrixWalk) score(s *Sets, r *Ranker, set, bit int, shared int64) Score {
	c := &w.native
	walk := unweightedWalk{
		n: int64(s.tokens), m: int64(s.Size(set)),
		highest: int64(c.highest[bit]), lowest: int64(c.lowest[bit]),
		highestRank: int32(c.highest_rank[bit]), lowestRank: int32(c.lowest_rank[bit]),
	}
	if s.defined(s.Size(set)) {
		const lanes = C.MATRIX_LANES
		words := (s.tokens + 63) / 64
		walk.heed(r.ties, rankBits{w.bits, bit/lanes*words*lanes + bit%lanes, lanes})
	}
	return s.scoreOf(s.Size(set), 2*int64(c.rank_sum[bit])+shared, walk)
}

// sharedRanks is [rankBits.sharedRanks] for all sets of a column.
func sharedRanks(column []uint64, r *Ranker) (sums [matrixSets]int64) {
	for i := 0; i < len(r.ties); i += 2 {
		first, last := r.ties[i], r.ties[i+1]
		for rank := first; rank <= last; rank++ {
			by := int64(first+last) - 2*int64(rank)
			for sets := column[r.order[rank]]; sets != 0; sets &= sets - 1 {
				sums[bits.TrailingZeros64(sets)] += by
			}
		}
	}
	return sums
}
