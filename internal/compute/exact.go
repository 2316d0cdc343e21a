package compute

import (
	"context"
	"math"
)

// recompute replaces everything gathered for p by float64 products with every
// token, at many times a kernel's cost. It serves directions that W_U
// nearly annihilates, such as a constant one where W_U is centred over d_model,
// and tokens by the thousand that nearly tie.
func (p *projection) recompute(ctx context.Context, u *Unembedding, cosine bool) error {
	p.plain, p.cosine, p.magnitude = powerSums{}, powerSums{}, 0
	// The kernel's units may be far above these products: take the products' own.
	p.plainExponent = exponentOf(p.terms.length)
	p.cosineExponent = exponentOf(p.terms.cosineLength)
	down, cosineDown := powerOfTwo(-p.plainExponent), powerOfTwo(-p.cosineExponent)
	unitNorm := powerOfTwo(-u.exponent) // inverseNorms are in packed units
	top, bottom := ranking{size: p.top.leaders.size}, ranking{size: p.bottom.leaders.size}

	err := p.weigh(ctx, u, func(j int, weight float64) {
		p.plain.add((weight - p.terms.mean) * down)
		p.magnitude += math.Abs(weight) * down
		if cosine {
			p.cosine.add((weight*(u.inverseNorms[j]*unitNorm) - p.terms.cosineMean) * cosineDown)
		}
		top.offer(candidate{value: weight, position: int32(j)})
		bottom.offer(candidate{value: -weight, position: int32(j)})
	})
	if err != nil {
		return err
	}
	p.topTokens, p.bottomTokens = top.sorted(), signed(bottom.sorted(), -1)
	return nil
}

// weigh calls visit with every token's float64 logit weight, in order.
func (p *projection) weigh(ctx context.Context, u *Unembedding, visit func(j int, weight float64)) error {
	for j, weight := range p.weights {
		visit(j, weight)
	}
	if p.weights != nil {
		return nil
	}
	var (
		pairs   [tokensBetweenChecks]pair
		weights [tokensBetweenChecks]float64
	)
	for from := 0; from < u.Tokens(); from += tokensBetweenChecks {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(tokensBetweenChecks, u.Tokens()-from)
		for i := range pairs[:n] {
			pairs[i] = pair{row: int32(from + i), out: int32(i)}
		}
		u.weigh(p.direction, pairs[:n], weights[:])
		for i, weight := range weights[:n] {
			visit(from+i, weight)
		}
	}
	return nil
}

// spreads reports whether float64 logit weights [Tokens] differ by more than their
// rounding: see [zeroSpread].
func (p *projection) spreads(u *Unembedding, weights []float64) bool {
	var sums powerSums
	down := powerOfTwo(-exponentOf(p.terms.length)) // fourth powers stay in range
	for _, weight := range weights {
		sums.add((weight - p.terms.mean) * down)
	}
	return math.Sqrt(sums.variance(u.Tokens())) > zeroSpread(u.dModel, p.terms.length)*down
}

// tokensBetweenChecks is how many float64 products pass between two looks at the
// context: half a millisecond at d_model 4,096.
const tokensBetweenChecks = 256
