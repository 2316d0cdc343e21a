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
	p.plain, p.cosine = powerSums{}, powerSums{}
	// The kernel's units may be far above these products: take the products' own.
	p.plainExponent = exponentOf(p.plainLength(u))
	p.cosineExponent = exponentOf(p.cosineLength(u))
	down, cosineDown := powerOfTwo(-p.plainExponent), powerOfTwo(-p.cosineExponent)
	mean := dotMeans(p.direction, u.terms.mean)
	cosineMean := dotMeans(p.direction, u.terms.cosineMean)
	unitNorm := powerOfTwo(-u.exponent) // inverseNorms are in packed units
	top, bottom := ranking{size: p.top.leaders.size}, ranking{size: p.bottom.leaders.size}

	for j := range u.Tokens() {
		if j%tokensBetweenChecks == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		weight := dot(p.direction, u.row(j))
		p.plain.add((weight - mean) * down)
		if cosine {
			p.cosine.add((weight*(u.inverseNorms[j]*unitNorm) - cosineMean) * cosineDown)
		}
		top.offer(candidate{value: weight, position: int32(j)})
		bottom.offer(candidate{value: -weight, position: int32(j)})
	}
	p.topTokens, p.bottomTokens = top.sorted(), signed(bottom.sorted(), -1)
	return nil
}

// tokensBetweenChecks is how many float64 products pass between two looks at the
// context: half a millisecond at d_model 4,096.
const tokensBetweenChecks = 256

// plainLength returns the root mean square over tokens of the Euclidean length of
// a logit weight's terms dᵢ·wᵢ.
func (p *projection) plainLength(u *Unembedding) float64 {
	return math.Sqrt(dotSquares(p.direction, u.terms.square))
}

// cosineLength returns the same of a cosine's terms dᵢ·wᵢ/‖w‖.
func (p *projection) cosineLength(u *Unembedding) float64 {
	return math.Sqrt(dotSquares(p.direction, u.terms.cosineSquare))
}
