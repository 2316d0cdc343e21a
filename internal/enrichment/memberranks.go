package enrichment

// #include "native.h"
import "C"

import "runtime"

// split is the tokens that sets have, and all others.
//
// A score takes no more than its members' ranks. So where these are few, they alone are
// sorted, and it is counted how many others each of them has before it: a bucket of the
// range of weights and a comparison with the members in it tell between which two an
// other token lies. The ranks are those that sorting all tokens gives.
//
// For 15,000 of GPT-2's 50,257 tokens that takes little more than half of the time of
// ranking all, for 1,000 little more than a third.
type split struct {
	members, others []int32 // positions, ascending
	ofSets          []int32 // of the sets' members one after another: which of members each is
}

// mostMembersShare is the part of the tokens up to which ranking members alone is faster.
const mostMembersShare = 2

// newSplit returns nil where all tokens are to be ranked: where many are members, or sets
// are in a matrix, whose walk goes through all ranks. That depends on the sets alone.
func newSplit(s *Sets) *split {
	if s.matrix.sets(s) > 0 {
		return nil
	}
	inside, m := make([]bool, s.tokens), 0
	for _, position := range s.members {
		if !inside[position] {
			inside[position] = true
			m++
		}
	}
	if m == 0 || m > min(s.tokens/mostMembersShare, C.MOST_MEMBERS) {
		return nil
	}
	p := splitTokens(inside, m)
	numbers := make([]int32, s.tokens)
	for number, position := range p.members {
		numbers[position] = int32(number)
	}
	p.ofSets = make([]int32, len(s.members))
	for i, position := range s.members {
		p.ofSets[i] = numbers[position]
	}
	return p
}

// splitTokens puts tokens apart by whether they are one of m members.
func splitTokens(inside []bool, m int) *split {
	p := &split{members: make([]int32, 0, m), others: make([]int32, 0, len(inside)-m)}
	for position, member := range inside {
		if member {
			p.members = append(p.members, int32(position))
		} else {
			p.others = append(p.others, int32(position))
		}
	}
	return p
}

// memberRoom is a ranker's buffers for the ranks of members.
type memberRoom struct {
	gathered, grouped, sorted []float32
	slots, starts, counts     []uint16
	order, places             []uint16
	gaps, runs, ranks         []int32 // ranks [m] are by the members' numbers
	tied                      []C.struct_tied_others
	tiedAmong                 []uint8
}

// resize makes room for m members. tied is 0, as each call leaves it.
func (b *memberRoom) resize(m int) {
	if len(b.gathered) >= m {
		return
	}
	*b = memberRoom{
		gathered:  make([]float32, m),
		grouped:   make([]float32, m+C.MEMBER_LANES),
		sorted:    make([]float32, m+C.MEMBER_LANES),
		slots:     make([]uint16, m),
		starts:    make([]uint16, C.MEMBER_BUCKETS+2),
		counts:    make([]uint16, m+1),
		order:     make([]uint16, m),
		places:    make([]uint16, m),
		gaps:      make([]int32, m+1),
		tied:      make([]C.struct_tied_others, m),
		tiedAmong: make([]uint8, (m+C.TIED_AMONG-1)/C.TIED_AMONG),
		runs:      make([]int32, 2*m),
		ranks:     make([]int32, m),
	}
}

// sortMembers sets room.ranks to the ranks of p's members, which are those of [Ranker.Rank],
// and of ties those runs that hold a member. There is no order then, and no ranks of others.
func (r *Ranker) sortMembers(weights []float32, p *split) {
	if len(weights) != len(r.order) || len(p.members)+len(p.others) != len(weights) {
		panic(panicWeights)
	}
	b := &r.room
	b.resize(len(p.members))
	var pinner runtime.Pinner
	defer pinner.Unpin()
	ranker := r.native(&pinner)
	native := C.struct_member_ranks{
		members:      (*C.int32_t)(pinned(&pinner, p.members)),
		others:       (*C.int32_t)(pinned(&pinner, p.others)),
		m:            C.int64_t(len(p.members)),
		others_count: C.int64_t(len(p.others)),
		gathered:     (*C.float)(pinned(&pinner, b.gathered)),
		grouped:      (*C.float)(pinned(&pinner, b.grouped)),
		sorted:       (*C.float)(pinned(&pinner, b.sorted)),
		slots:        (*C.uint16_t)(pinned(&pinner, b.slots)),
		starts:       (*C.uint16_t)(pinned(&pinner, b.starts)),
		counts:       (*C.uint16_t)(pinned(&pinner, b.counts)),
		order:        (*C.uint16_t)(pinned(&pinner, b.order)),
		places:       (*C.uint16_t)(pinned(&pinner, b.places)),
		gaps:         (*C.int32_t)(pinned(&pinner, b.gaps)),
		tied:         pinned(&pinner, b.tied),
		tied_among:   (*C.uint8_t)(pinned(&pinner, b.tiedAmong)),
		runs:         (*C.int32_t)(pinned(&pinner, b.runs)),
	}
	runs := C.ranker_members(instructions, &ranker, &native, (*C.float)(&weights[0]), (*C.int32_t)(&b.ranks[0]))
	if runs < 0 {
		panic(panicNaN)
	}
	r.ranked, r.members, r.ties = false, p, b.runs[:2*runs]
}
