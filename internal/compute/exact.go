package compute

import (
	"context"
)

// recompute replaces everything gathered for p by float64 products with every
// token, at many times a kernel's cost. It serves directions that W_U
// nearly annihilates, such as a constant one where W_U is centred over d_model,
// and tokens by the thousand that nearly tie.
func (p *projection) recompute(ctx context.Context, u *Unembedding, cosine bool) error {
	p.plain, p.cosine = powerSums{}, powerSums{}
	// The kernel's units may be far above these products: take the products' own.
	p.plainExponent = exponentOf(p.terms.length)
	p.cosineExponent = exponentOf(p.terms.cosineLength)
	down, cosineDown := powerOfTwo(-p.plainExponent), powerOfTwo(-p.cosineExponent)
	unitNorm := powerOfTwo(-u.exponent) // inverseNorms are in packed units
	top, bottom := ranking{size: p.top.leaders.size}, ranking{size: p.bottom.leaders.size}

	var (
		positions [tokensBetweenChecks]int32
		weights   [tokensBetweenChecks]float64
	)
	for j := range u.Tokens() {
		if j%tokensBetweenChecks == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			for i := range positions {
				positions[i] = int32(j + i)
			}
			u.panels.weigh(p.direction, positions[:min(tokensBetweenChecks, u.Tokens()-j)], weights[:])
		}
		weight := weights[j%tokensBetweenChecks]
		p.plain.add((weight - p.terms.mean) * down)
		if cosine {
			p.cosine.add((weight*(u.inverseNorms[j]*unitNorm) - p.terms.cosineMean) * cosineDown)
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
