package compute

import "context"

// LogitWeight returns direction · W_U[:, token] in float64, for any token of the
// vocabulary, projected on or not. Products of float32 are exact in float64; the
// sum is rounded in a fixed order.
func (u *Unembedding) LogitWeight(direction []float32, token int) float64 {
	if len(direction) != u.dModel {
		panic(panicDirection)
	}
	if token < 0 || token >= u.vocab {
		panic(panicToken)
	}
	return dot(direction, u.rowOf(token))
}

// LogitWeights writes directions · W_U to out [n, Tokens], in the order of
// [Unembedding.TokenIDs], from float32 products: each errs by some 10⁻⁷ of
// ‖direction‖·‖column‖. A logit weight beyond float32 is ±Inf. Errors, panics and
// ctx are as in [Unembedding.Summarize].
func (u *Unembedding) LogitWeights(ctx context.Context, directions []float32, out []float32) error {
	n, err := u.checkDirections(directions)
	if err != nil {
		return err
	}
	if len(out) != n*u.Tokens() {
		panic(panicOutput)
	}
	return inParallel(ctx, n, u.blockRows(n, 0, 0), 0, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], 0)
		rows := out[from*u.Tokens() : to*u.Tokens()]
		if err := u.panels.products(ctx, b, rows); err != nil {
			return err
		}
		for i := range b.projections {
			b.projections[i].unscale(rows[i*u.Tokens() : (i+1)*u.Tokens()])
		}
		return nil
	})
}

// unscale turns products into logit weights, in place.
func (p *projection) unscale(products []float32) {
	up := powerOfTwo(p.plainExponent)
	for j, x := range products {
		products[j] = float32((float64(x) + p.shift) * up)
	}
}
