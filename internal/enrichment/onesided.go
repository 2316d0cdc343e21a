package enrichment

import "math"

// logOneSided returns the logarithm of the probability that the running sum h·n − r·m of
// m members among n ranks falls to −distance. By reversing the ranking, it is that of
// rising to distance; and above half of m(n−m) no path does both, so that the two-sided
// probability is exactly twice this one.
//
// With h members the sum falls by m a rank and so reaches −distance at one rank only,
// r(h) = h + ⌈(distance + h(n−m))/m⌉. The probability is the sum over h of that of being
// there, C(r, h)·C(n−r, m−h)/C(n, m), times the share of paths that were not so low
// before. That is counted, exactly, where the ranks are few, and otherwise taken to be
// (r − h·n/m)/r, as the ballot theorem has it where m divides n (Takács, Combinatorial
// Methods in the Theory of Stochastic Processes, 1967): next to counts it errs by less
// than 10⁻⁴ of the logarithm.
func logOneSided(m, n, distance int64) float64 {
	// r(h) is at most n up to here.
	last := m - (distance+n-m-1)/(n-m)
	p := newOnePassage(m, n, distance)
	if last < mostCounted || n <= smallVocabulary {
		return p.counted(last)
	}
	return p.ballot(last)
}

// mostCounted is how many ranks' shares are counted, in time with their square.
const mostCounted = 10

type onePassage struct {
	m, n, distance int64
	logAll         float64 // log C(n, m)
}

func newOnePassage(m, n, distance int64) *onePassage {
	return &onePassage{m, n, distance, logChoose(n, m)}
}

// rank returns the rank at which paths with h members reach −distance.
func (p *onePassage) rank(h int64) int64 {
	return h + (p.distance+h*(p.n-p.m)+p.m-1)/p.m
}

// logReached returns the logarithm of the probability of having h members at rank(h).
func (p *onePassage) logReached(h, rank int64) float64 {
	return logChoose(rank, h) + logChoose(p.n-rank, p.m-h) - p.logAll
}

// counted sums over h up to last, with shares 1 − Σ share(j)·P(at rank(j), then at rank(h)).
func (p *onePassage) counted(last int64) float64 {
	ranks, logFirst := make([]int64, last+1), make([]float64, last+1) // first arrivals at rank(h)
	var sum logSum
	for h := range last + 1 {
		ranks[h] = p.rank(h)
		ways := logChoose(ranks[h], h)
		share := 1.
		for j := range h {
			share -= math.Exp(logFirst[j] + logChoose(ranks[h]-ranks[j], h-j) - ways)
		}
		logFirst[h] = ways + math.Log(share)
		sum.add(math.Log(share) + p.logReached(h, ranks[h]))
	}
	return sum.log()
}

// ballot sums over h from the middle, where terms are greatest, to where they no longer
// count.
func (p *onePassage) ballot(last int64) float64 {
	var sum logSum
	term := func(h int64) bool {
		rank := p.rank(h)
		share := 1 - float64(h)*float64(p.n)/(float64(p.m)*float64(rank))
		return sum.add(math.Log(share) + p.logReached(h, rank))
	}
	for h := last / 2; h >= 0 && term(h); h-- {
	}
	for h := last/2 + 1; h <= last && term(h); h++ {
	}
	return sum.log()
}

// logSum is a sum of numbers that are given by their logarithms.
type logSum struct {
	largest, scaled float64 // the sum is scaled·e^largest
}

// add reports whether the term counts beside the largest, by 10⁻⁹ of it.
func (s *logSum) add(log float64) bool {
	const negligible = -20
	switch {
	case s.scaled == 0:
		s.largest, s.scaled = log, 1
	case log > s.largest:
		s.largest, s.scaled = log, s.scaled*math.Exp(s.largest-log)+1
	default:
		s.scaled += math.Exp(log - s.largest)
	}
	return log-s.largest > negligible
}

func (s *logSum) log() float64 { return s.largest + math.Log(s.scaled) }

// logChoose returns log C(n, k) for 0 ≤ k ≤ n.
func logChoose(n, k int64) float64 {
	return logFactorial(n) - logFactorial(k) - logFactorial(n-k)
}

// logFactorials has log k! for small k.
var logFactorials = func() (table [32]float64) {
	for k := 1; k < len(table); k++ {
		table[k] = table[k-1] + math.Log(float64(k))
	}
	return table
}()

// logFactorial returns log k!, beyond the table by Stirling's series, which is there
// exact to the last digits: in a fifth of the time of math.Lgamma.
func logFactorial(k int64) float64 {
	if k < int64(len(logFactorials)) {
		return logFactorials[k]
	}
	x := float64(k)
	inverse := 1 / x
	square := inverse * inverse
	series := inverse * (1./12 - square*(1./360-square*(1./1260-square/1680)))
	const halfLogTwoPi = 0.91893853320467274178
	return (x+0.5)*math.Log(x) - x + halfLogTwoPi + series
}
