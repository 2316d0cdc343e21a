package compute

import (
	"context"
	"math"
)

// projection is one direction's way through a block: what a kernel needs to turn
// its products into statistics, and what has been gathered of them.
//
// Sums are kept in scaled units, so that fourth powers stay in range: plain ones
// are logit weights·2^-plainExponent, cosines are cosines·2^-cosineExponent.
type projection struct {
	direction      []float32 // [dModel], as the caller gave it
	zero           bool      // every weight of direction is 0
	terms          terms     // of logit weights
	packedTerms    terms     // of products, in units of 1
	plainExponent  int
	cosineExponent int

	offset     float64 // a product plus offset is a logit weight minus its mean
	shift      float64 // a product plus shift is a logit weight
	cosineMean float64
	relative   float64 // the product's error is at most relative·‖packed row‖ + absolute
	absolute   float64

	plain, cosine powerSums
	magnitude     float64 // Σ|logit weight|·2^-plainExponent, where it is wanted
	top, bottom   shortlist
	weights       []float64 // [tokens], float64 logit weights where they are known already

	// Set by settle: best first, values are logit weights.
	topTokens, bottomTokens []candidate
}

// newProjection prepares direction, and writes it to scaled [d_model] as kernels
// take it. size is the number of tokens to shortlist at either end.
func newProjection(u *Unembedding, direction, scaled []float32, size int) projection {
	largest := largestMagnitude(direction)
	exponent := exponentOf(float64(largest))
	scaleInto(scaled, direction, exponent)
	p := projection{
		direction:      direction,
		zero:           largest == 0,
		plainExponent:  exponent + u.exponent,
		cosineExponent: exponent,
		terms:          u.terms.against(direction),
		top:            newShortlist(size, 1),
		bottom:         newShortlist(size, -1),
	}
	p.cosineMean = p.terms.cosineMean * powerOfTwo(-p.cosineExponent)
	mean := p.terms.mean * powerOfTwo(-p.plainExponent)
	if u.shift == nil {
		p.offset, p.packedTerms = -mean, p.terms
	} else { // the shift is the mean
		p.shift, p.packedTerms = mean, u.packedTerms.against(direction)
	}
	p.relative, p.absolute = productBound(u.dModel, math.Sqrt(dot(scaled, scaled)), u.tiny)
	p.absolute *= u.largestFactor
	// A zero direction ties every token: settle ranks it without a shortlist.
	p.top.overflowed, p.bottom.overflowed = p.zero, p.zero
	return p
}

// add takes the products of token positions from, from+1, … in a block.
func (p *projection) add(b *block, from int, products []float32) {
	p.plain.addProducts(products, p.offset)
	if b.cosine {
		p.cosine.addCosines(products, b.u.inverseNorms[from:], p.shift, p.cosineMean)
	}
	if b.absolute {
		for _, x := range products {
			p.magnitude += math.Abs(float64(x) + p.shift)
		}
	}
	if b.tokens {
		norms := b.u.packedNorms[from:]
		p.top.offer(from, products, norms, p.relative, p.absolute)
		p.bottom.offer(from, products, norms, p.relative, p.absolute)
	}
}

// settle turns what was gathered into final sums and rankings: shortlists, whose tokens have
// their float64 logit weights by then, are ranked by these, and where float32 did not decide,
// everything is computed again in float64.
func (p *projection) settle(ctx context.Context, u *Unembedding, cosine bool) error {
	switch {
	case p.zero:
		p.rankZero()
	case p.trusted(u, cosine):
		p.topTokens, p.bottomTokens = p.top.ranked(), p.bottom.ranked()
	default:
		return p.recompute(ctx, u, cosine)
	}
	return nil
}

// rankZero ranks a zero direction: all logit weights are 0, the lowest ids lead.
func (p *projection) rankZero() {
	p.topTokens = make([]candidate, p.top.leaders.size)
	for i := range p.topTokens {
		p.topTokens[i].position = int32(i)
	}
	p.bottomTokens = p.topTokens
}

// signed multiplies values by sign, in place.
func signed(ranked []candidate, sign float64) []candidate {
	for i := range ranked {
		ranked[i].value *= sign
	}
	return ranked
}
