package enrichment

// latticePaths counts the ways to place m members among n ranks by whether the
// running sum h·n − r·m (h members among the first r ranks) stays within
// (−distance, distance).
//
// Only some ranks need a look: h cannot fall, so if it is within the bounds where
// the upper one is about to rise and where the lower one has risen, then it is so
// everywhere. Between two such ranks the members may lie anywhere. The counts are
// below C(n, m), which for 32 members of 2,048 tokens is 10⁷⁰.
type latticePaths struct {
	m, n, distance int64
	inside         [mostExact + 1]float64 // ways to the current rank, by members so far
	next           [mostExact + 1]float64
	low, high      int64 // which of inside are not 0
	between, after [mostExact + 1]float64
}

func newLatticePaths(m, n, distance int64) *latticePaths {
	return &latticePaths{m: m, n: n, distance: distance}
}

// outside returns the probability that the running sum reaches ±distance. Paths are
// counted where they first do; no term is negative, so that small probabilities are
// as precise as large ones.
func (p *latticePaths) outside() float64 {
	if p.distance <= 0 {
		return 1
	}
	p.inside[0] = 1
	var rank int64
	var left float64
	upper, lower := p.nextUpper(0), p.nextLower(0)
	for rank < p.n && p.low <= p.high {
		to := min(upper, lower, p.n)
		if to == p.n {
			break // all members are placed there, and the sum is 0
		}
		left += p.advance(rank, to)
		rank = to
		upper, lower = p.nextUpper(rank), p.nextLower(rank)
	}
	chooseFrom(p.n, p.m, &p.after)
	return min(left/p.after[p.m], 1)
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
// all members go beyond the bounds there.
func (p *latticePaths) advance(from, to int64) (left float64) {
	chooseFrom(to-from, p.m-p.low, &p.between)
	chooseFrom(p.n-to, p.m, &p.after)
	least, most := p.bounds(to)
	for h := p.low; h <= p.m; h++ {
		var ways float64
		for i := p.low; i <= min(h, p.high); i++ {
			ways += p.inside[i] * p.between[h-i]
		}
		if h >= least && h <= most {
			p.next[h] = ways
			continue
		}
		left += ways * p.after[p.m-h]
	}
	p.low, p.high = max(p.low, least), most
	p.inside, p.next = p.next, p.inside
	return left
}

// chooseFrom sets binomials[k] to C(n, k) for k to most.
func chooseFrom(n, most int64, binomials *[mostExact + 1]float64) {
	binomials[0] = 1
	for k := int64(1); k <= most; k++ {
		binomials[k] = binomials[k-1] * float64(max(n-k+1, 0)) / float64(k)
	}
}
