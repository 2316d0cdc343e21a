package enrichment

import (
	"math"
	"math/bits"
)

// Score says where a set's tokens stand in one feature's ranking. For a set that is
// empty or holds every token, and where all weights are equal and nothing ranks, ES and AUC
// are NaN and PeakRank is −1.
type Score struct {
	// ES is the enrichment score max |S(r)|, from 0 to 1 and without a sign. S(r)
	// sums over the first r tokens 1/m for each of the m members and −1/(n−m) for
	// each other token: the two-sample Kolmogorov–Smirnov distance between the
	// weights of members and of the others. Equal weights are one place, so S is looked
	// at only where the weight changes.
	ES float64
	// Promoted tells that the extreme is positive: members gather at the top. Where
	// S goes as far down as up, the set counts as promoted.
	Promoted bool
	// AUC is the probability that a member outranks another token, the Mann–Whitney
	// U of the members over m(n−m), where one of equal weight is outranked by half.
	AUC float64
	// PeakRank is the rank of the member at which S turns: its leading edge are the
	// members down to it if promoted, and from it on if suppressed, and so all members
	// of equal weight. Of several such members it is the one nearest to the end in
	// question; where S is 0 wherever it is looked at, there is none and it is −1.
	PeakRank int32
}

// undefined is the score where there is none.
var undefined = Score{ES: math.NaN(), AUC: math.NaN(), PeakRank: -1}

// Scores sets into[i] to the score of set i in the ranking that r made last. It
// panics unless that is of as many tokens, and there is one score a set.
//
// S(r)·m(n−m) is the integer h·n − r·m with h the members among the first r tokens,
// so scores are exact up to the last division, and depend on nothing but the ranks and
// which of them have equal weights.
func (s *Sets) Scores(r *Ranker, into []Score) {
	if len(r.order) != s.tokens || r.members != nil && r.members != s.split() {
		panic(panicRanks)
	}
	if len(into) != s.Len() {
		panic(panicScores)
	}
	if r.flat() {
		for set := range into {
			into[set] = undefined
		}
		return
	}
	s.matrix.scores(s, r, into)
	from := s.matrix.sets(s)
	if from == s.Len() {
		return
	}
	bitmap, release := s.borrowBitmap()
	defer release()
	members, ranks := s.members, []int32(nil)
	if r.members != nil {
		members, ranks = r.members.ofSets, r.room.ranks
	} else {
		ranks = r.inverse()
	}
	for set := from; set < s.Len(); set++ {
		into[set] = s.score(s.part(members, set), ranks, r.ties, bitmap)
	}
}

// score scores one set by itself: ranks, of its members among others, and ties are a
// ranker's, bitmap is room.
func (s *Sets) score(members, ranks, ties []int32, bitmap []uint64) Score {
	if !s.defined(len(members)) {
		return undefined
	}
	marked := rankBits{bitmap, 0, 1}
	twice := 2*mark(members, ranks, bitmap) + marked.sharedRanks(ties)
	walk := unweightedWalk{n: int64(s.tokens), m: int64(len(members))}
	walk.over(bitmap)
	walk.heed(ties, marked)
	return s.scoreOf(len(members), twice, walk)
}

// scoreOf returns the score of a set of m tokens from twice the sum of its members'
// ranks, where equal weights share the mean of theirs, and a finished walk.
func (s *Sets) scoreOf(size int, twiceRankSum int64, walk unweightedWalk) Score {
	if !s.defined(size) {
		return undefined
	}
	n, m := int64(s.tokens), int64(size)
	pairs := m * (n - m)
	// The h-th member at rank r has n−1−r tokens below it, m−h of them members.
	twiceOutranked := 2*m*(n-1) - twiceRankSum - m*(m-1)
	score := Score{
		ES:       float64(walk.highest) / float64(pairs),
		Promoted: true,
		AUC:      float64(twiceOutranked) / float64(2*pairs),
		PeakRank: walk.highestRank,
	}
	if -walk.lowest > walk.highest {
		score.ES = float64(-walk.lowest) / float64(pairs)
		score.Promoted = false
		score.PeakRank = walk.lowestRank
	}
	return score
}

// mark sets the bits at the members' ranks and clears all others: the cheapest way
// to have members in the order of their ranks. It returns the sum of their ranks.
//
// Ranks are gathered some at a time before their bits are set. In one loop, a
// processor that has seen two members share a word waits with each bit for the
// rank before it, which is in L2: measured, half as fast.
func mark(members, ranks []int32, bitmap []uint64) (sum int64) {
	clear(bitmap)
	var gathered [256]uint32
	for len(members) > 0 {
		n := min(len(members), len(gathered))
		for i, position := range members[:n] {
			rank := uint32(ranks[position])
			gathered[i] = rank
			sum += int64(rank)
		}
		for _, rank := range gathered[:n] {
			bitmap[rank/64] |= 1 << (rank % 64)
		}
		members = members[n:]
	}
	return sum
}

// unweightedWalk follows the running sum S(r)·m(n−m). It rises at members only, so
// its maximum comes just after one and its minimum just before one. Of the two, the one
// further from 0 is exact.
type unweightedWalk struct {
	n, m                    int64
	highest, lowest         int64
	highestRank, lowestRank int32
}

// over walks all ranks, 64 at a time. The sums between words, which population
// counts give, come close to the extremes; only the few words that may go beyond
// are looked into.
func (w *unweightedWalk) over(bitmap []uint64) {
	n, m := w.n, w.m
	var sum, highest, lowest int64
	for _, word := range bitmap[:len(bitmap)-1] {
		sum += int64(bits.OnesCount64(word))*n - 64*m
		highest, lowest = max(highest, sum), min(lowest, sum)
	}
	reached := max(highest, -lowest) // the other extreme only matters if it goes further
	w.highest, w.lowest = reached-1, min(1-reached, 0)
	sum = 0
	for i, word := range bitmap {
		hits := int64(bits.OnesCount64(word))
		if sum+hits*(n-m) > w.highest || sum-(64-hits)*m <= w.lowest {
			w.within(word, int32(i)*64, sum)
		}
		sum += hits*n - 64*m
	}
}

// within walks the members among 64 ranks from firstRank on, where the running sum
// is sum.
func (w *unweightedWalk) within(word uint64, firstRank int32, sum int64) {
	for ; word != 0; word &= word - 1 {
		offset := bits.TrailingZeros64(word)
		before := sum - int64(offset)*w.m
		if before <= w.lowest {
			w.lowest, w.lowestRank = before, firstRank+int32(offset)
		}
		if after := before + w.n - w.m; after > w.highest {
			w.highest, w.highestRank = after, firstRank+int32(offset)
		}
		sum += w.n
	}
}
