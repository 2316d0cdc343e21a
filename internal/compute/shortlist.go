package compute

import "math"

// shortlist collects the token positions that may be among the best size by their
// exact logit weights, from products that are known to within an error each.
//
// A token is left out only when its upper bound is below the size-th highest lower
// bound seen so far: size tokens are then certainly above it. What is left over at
// the end therefore contains the exact best, ties included, whatever the rounding
// of the products was. With float32 products that is a handful more than size.
//
// C (shortlist.c) keeps no lower bounds but those of its candidates, among which the highest
// always are, and raises the floor when a few times size have come.
type shortlist struct {
	sign       float64 // 1 for the largest products, -1 for the smallest
	leaders    ranking // the highest lower bounds
	floor      float64 // the lowest of them once there are size; upper bounds below it are out
	candidates []candidate
	limit      int
	overflowed bool // more tokens than limit lie within rounding of each other
}

// spareCandidates bounds what a shortlist may hold beyond twice its size: room for
// a cluster of nearly equal tokens, such as a model's untrained ones, at 16 KiB.
const spareCandidates = 1024

// shortlistBytesOf returns what both shortlists of a direction take in a kernel that
// provides for all of it.
func shortlistBytesOf(size int) int { return 2 * 8 * (2*size + spareCandidates) }

func newShortlist(size int, sign float64) shortlist {
	return shortlist{
		sign:    sign,
		leaders: ranking{size: size},
		floor:   math.Inf(-1),
		limit:   2*size + spareCandidates,
	}
}

// offer considers products of the token positions from, from+1, …; the error of
// the j-th is at most relative·norms[j] + absolute. All in the products' units.
func (l *shortlist) offer(from int, products, norms []float32, relative, absolute float64) {
	if l.overflowed {
		return
	}
	norms = norms[:len(products)]
	for j, x := range products {
		bound := relative*float64(norms[j]) + absolute
		value := l.sign * float64(x)
		if value+bound < l.floor {
			continue
		}
		l.take(candidate{value: value, position: int32(from + j)}, bound)
		if l.overflowed {
			return
		}
	}
}

// take adds a candidate whose value is known to within bound.
func (l *shortlist) take(c candidate, bound float64) {
	l.leaders.offer(candidate{value: c.value - bound, position: c.position})
	if l.leaders.full() {
		l.floor = l.leaders.worst().value
	}
	if len(l.candidates) == l.limit {
		l.prune()
		// A list that pruning leaves nearly full would be pruned at every token.
		if len(l.candidates) > l.limit*3/4 {
			l.overflowed, l.candidates = true, nil
			return
		}
	}
	l.candidates = append(l.candidates, candidate{value: c.value + bound, position: c.position})
}

// ranked returns the best tokens of l, whose candidates have their float64 logit weights times
// sign for values, with these.
func (l *shortlist) ranked() []candidate {
	best := ranking{size: l.leaders.size}
	for _, c := range l.candidates {
		best.offer(c)
	}
	return signed(best.sorted(), l.sign)
}

// prune drops the candidates that the floor has overtaken. Their values are upper
// bounds.
func (l *shortlist) prune() {
	kept := l.candidates[:0]
	for _, c := range l.candidates {
		if c.value >= l.floor {
			kept = append(kept, c)
		}
	}
	l.candidates = kept
}
