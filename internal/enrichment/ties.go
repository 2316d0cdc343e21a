package enrichment

import (
	"math/bits"
	"sort"
)

// Equal weights are one place in the ranking, and the order that a sort leaves them in
// must not show. Most rankings of float32 weights have a few such runs, which seldom
// matter: so a set is scored as if there were none, and again only where the running sum
// turns inside a run.

// rankBits is a set's members by rank: bit r%64 of word first + (r/64)·stride.
type rankBits struct {
	words         []uint64
	first, stride int
}

func (b rankBits) word(i int) uint64 { return b.words[b.first+i*b.stride] }

// sharedRanks returns what twice the rank sum of a set grows by when members share the
// mean rank of the run that they are in: Σ (first + last − 2·rank).
func (b rankBits) sharedRanks(ties []int32) (sum int64) {
	for i := 0; i < len(ties); i += 2 {
		first, last := ties[i], ties[i+1]
		for word := first / 64; word <= last/64; word++ {
			members := b.word(int(word)) & between(first-64*word, last-64*word)
			for ; members != 0; members &= members - 1 {
				sum += int64(first+last) - 2*int64(64*word+int32(bits.TrailingZeros64(members)))
			}
		}
	}
	return sum
}

// runAt returns where in ties the run of equal weights begins that a rank belongs to,
// and −1 for a weight that is equal to no other.
func runAt(ties []int32, rank int32) int {
	after := sort.Search(len(ties)/2, func(i int) bool { return ties[2*i] > rank })
	if after == 0 || ties[2*after-1] < rank {
		return -1
	}
	return 2 * (after - 1)
}

// between returns the bits from first to last, either of which may lie outside a word.
func between(first, last int32) uint64 {
	from, to := max(first, 0), min(last, 63)
	return ^uint64(0) >> (63 - to) >> from << from
}

// heed walks again where the running sum was seen to turn inside a run of ties.
func (w *unweightedWalk) heed(ties []int32, members rankBits) {
	promoted, peak := w.highest >= -w.lowest, w.highestRank
	if !promoted {
		peak = w.lowestRank
	}
	if turnsInside(ties, peak, promoted) {
		w.overPlaces(ties, members)
	}
}

// turnsInside tells whether a running sum turns inside a run of ties: just after the rank
// of its peak if promoted, and just before it if suppressed.
func turnsInside(ties []int32, peak int32, promoted bool) bool {
	boundary := peak
	if !promoted {
		boundary--
	}
	run := runAt(ties, boundary)
	return run >= 0 && boundary < ties[run+1]
}

// overPlaces walks all members as [unweightedWalk.over] does, but takes the sums before
// and after the run that a member is in. Of several members in a run, the first gives the
// sum before it and the last the one after it: the others' are less extreme.
func (w *unweightedWalk) overPlaces(ties []int32, members rankBits) {
	*w = unweightedWalk{n: w.n, m: w.m, highestRank: -1, lowestRank: -1}
	var above int64 // members so far
	for i := range (w.n + 63) / 64 {
		for word := members.word(int(i)); word != 0; word &= word - 1 {
			rank := int32(64*i) + int32(bits.TrailingZeros64(word))
			first, last := rank, rank
			for len(ties) > 0 && ties[1] < rank {
				ties = ties[2:]
			}
			if len(ties) > 0 && ties[0] <= rank {
				first, last = ties[0], ties[1]
			}
			if before := above*w.n - int64(first)*w.m; before <= w.lowest {
				w.lowest, w.lowestRank = before, rank
			}
			above++
			if after := above*w.n - int64(last+1)*w.m; after > w.highest {
				w.highest, w.highestRank = after, rank
			}
		}
	}
}
