package enrichment

// latticePaths counts the ways to place m members among n ranks by whether the
// running sum h·n − r·m (h members among the first r ranks) stays within
// (−distance, distance).
//
// Only some ranks need a look: h cannot fall, so if it is within the bounds where
// the upper one is about to rise and where the lower one has risen, then it is so
// everywhere. Between two such ranks the members may lie anywhere. The counts are
// below C(n, m), which for 64 members of 262,144 tokens is 10²⁵⁷.
type latticePaths struct {
	m, n, distance int64
	inside         [mostExactNearOne + 1]float64 // ways to the current rank, by members so far
	next           [mostExactNearOne + 1]float64
	low, high      int64 // which of inside are not 0
	between, after [mostExactNearOne + 1]float64
}

func newLatticePaths(m, n, distance int64) *latticePaths {
	return &latticePaths{m: m, n: n, distance: distance}
}

// outside returns the probability that the running sum reaches ±distance. Paths are
// counted where they first do; no term is negative, so that small probabilities are
// as precise as large ones.
func (p *latticePaths) outside() float64 {
	var left float64
	p.walk(func(from, to int64) { left += p.advance(from, to, true) })
	chooseFrom(p.n, p.m, &p.after)
	return min(left/p.after[p.m], 1)
}

// within returns the probability that the running sum stays within, as precise where it
// is small as where it is not. It counts fewer paths than outside.
func (p *latticePaths) within() float64 {
	last := p.walk(func(from, to int64) { p.advance(from, to, false) })
	var ways float64
	chooseFrom(p.n-last, p.m-p.low, &p.after)
	for h := p.low; h <= p.high; h++ {
		ways += p.inside[h] * p.after[p.m-h]
	}
	chooseFrom(p.n, p.m, &p.after)
	return min(ways/p.after[p.m], 1)
}

// walk calls step with each rank that needs a look and the one before, from 0 on, while
// paths are inside, and returns the last of them. From there on the rest of the members
// lie anywhere.
func (p *latticePaths) walk(step func(from, to int64)) (rank int64) {
	p.inside[0] = 1
	for p.low <= p.high {
		to := min(p.nextUpper(rank), p.nextLower(rank), p.n)
		if to == p.n {
			break // all members are placed there, and the sum is 0
		}
		step(rank, to)
		rank = to
	}
	return rank
}

// bounds returns the least and the most members that the first rank ranks may have.
func (p *latticePaths) bounds(rank int64) (least, most int64) {
	most = min((rank*p.m+p.distance-1)/p.n, p.m)
	if above := rank*p.m - p.distance; above >= 0 {
		least = above/p.n + 1
	}
	return least, most
}

// nextUpper returns the first rank after rank that is the last with its upper
// bound; n if there is none.
func (p *latticePaths) nextUpper(rank int64) int64 {
	_, most := p.bounds(rank + 1)
	if most == p.m {
		return p.n
	}
	// It rises to most+1 where (most+1)·n − r·m falls below distance.
	return ((most+1)*p.n - p.distance) / p.m
}

// nextLower returns the first rank after rank where the lower bound has risen; n if
// there is none.
func (p *latticePaths) nextLower(rank int64) int64 {
	least, _ := p.bounds(rank)
	// It rises to least+1 where least·n − r·m has come down to −distance.
	return min((least*p.n+p.distance+p.m-1)/p.m, p.n)
}

// advance takes inside from one rank to another and returns how many ways to place
// all members go beyond the bounds there, unless these are not to be counted.
func (p *latticePaths) advance(from, to int64, count bool) (left float64) {
	least, highest := p.bounds(to)
	most := highest
	if count {
		most = p.m
		chooseFrom(p.n-to, p.m, &p.after)
	}
	chooseFrom(to-from, most-p.low, &p.between)
	for h := p.low; h <= most; h++ {
		var ways float64
		for i := p.low; i <= min(h, p.high); i++ {
			ways += p.inside[i] * p.between[h-i]
		}
		if h >= least && h <= highest {
			p.next[h] = ways
		} else if count {
			left += ways * p.after[p.m-h]
		}
	}
	p.low, p.high = max(p.low, least), highest
	p.inside, p.next = p.next, p.inside
	return left
}

// chooseFrom sets binomials[k] to C(n, k) for k to most.
func chooseFrom(n, most int64, binomials *[mostExactNearOne + 1]float64) {
	binomials[0] = 1
	for k := int64(1); k <= most; k++ {
		binomials[k] = binomials[k-1] * float64(max(n-k+1, 0)) / float64(k)
	}
}

// outsideByRank returns the probability that the running sum of m members among n ranks
// reaches ±distance, by following it from rank to rank. No term is negative, so that small
// probabilities are as precise as large ones.
func outsideByRank(m, n, distance int64) (left float64) {
	inside := make([]float64, m+2) // probability of as many members so far, within the bounds
	inside[0] = 1
	low, high := int64(0), int64(0) // which of inside are not 0
	for rank := int64(1); rank <= n && low <= high; rank++ {
		remaining := float64(n - rank + 1)
		for h := high; h >= low; h-- {
			member := float64(m-h) / remaining
			inside[h+1] += inside[h] * member
			inside[h] *= (remaining - float64(m-h)) / remaining
		}
		for high = min(high+1, m); high >= low && high*n-rank*m >= distance; high-- {
			left += inside[high]
			inside[high] = 0
		}
		for ; low <= high && rank*m-low*n >= distance; low++ {
			left += inside[low]
			inside[low] = 0
		}
	}
	return min(left, 1)
}
