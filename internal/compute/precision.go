package compute

import "math"

// Unit roundoffs.
const (
	unit32 = 0x1p-24
	unit64 = 0x1p-53
	// No rounding in the underflow range of float32 errs by more than half of this.
	tiny32 = 0x1p-149
	// The same for one that takes every number below float32's normal ones for zero, and adds 16
	// of them where others round once (amx.h: six products, and what they are split into).
	flushed32 = 16 * 0x1p-126
)

// productBound returns the a and b for which a float32 product of a scaled
// direction of the given norm and the packed row p errs by at most a·‖p‖ + b.
//
// A sum of d products in any order has relative error γ_d = d·u/(1-d·u) against
// Σ|dᵢ·pᵢ| ≤ ‖d‖·‖p‖ (Higham, Accuracy and Stability of Numerical Algorithms,
// 2nd ed., §3.1); rounding p adds u, and 7 more u cover norms and comparison.
// Scaling and rounding in the underflow range add less than two units of it, tiny, a term.
func productBound(dModel int, norm, tiny float64) (relative, absolute float64) {
	terms := float64(dModel+8) * unit32
	return terms / (1 - terms) * norm, 2 * float64(dModel) * tiny
}

// roundingNoise returns the typical rounding error of a sum of dModel terms dᵢ·wᵢ
// in one running sum, the longest way to add them. length is the root mean square
// over tokens of the Euclidean length of the terms; drift is what their means alone
// bring the running sum to, in root mean square along it.
//
// A running sum of random signs grows like √i·length/√d, and the sum of all its
// roundings to √d/4 lengths; terms that share a sign grow like i, hence drift.
// Twice that is taken: sums of random terms measured 0.8 to 1.3 times it.
func roundingNoise(unit float64, dModel int, length, drift float64) float64 {
	walk := math.Sqrt(float64(dModel)) / 2
	return unit * ((1+walk)*length + walk*drift)
}

// noiseTolerance is the share of a standard deviation that the rounding of float32
// products may have: 10⁻⁶ where single tokens matter. Errors of many tokens
// average out, by √tokens; the 8 leaves room for the third and fourth powers.
func noiseTolerance(tokens int) float64 {
	return 0x1p-20 * max(1, math.Sqrt(float64(tokens))/8)
}

// zeroSpread returns the standard deviation up to which logit weights count as
// equal: the rounding of a float64 product with terms of the given length, taken
// at its growth with d_model for terms of one sign, the worst there is.
//
// Float32 weights that differ at all spread by some 2⁻²⁴/√tokens of that length,
// far above, unless their difference is orthogonal to the direction.
func zeroSpread(dModel int, length float64) float64 {
	return unit64 * float64(dModel+8) * length
}

// trusted reports whether the float32 products that p has seen give its results:
// spread well above rounding, and shortlists that did not overflow. It needs the
// power sums to be complete.
func (p *projection) trusted(u *Unembedding, cosine bool) bool {
	if p.top.overflowed || p.bottom.overflowed || !p.ranks(u) {
		return false
	}
	if !cosine {
		return true
	}
	t := &p.packedTerms
	noise := roundingNoise(unit32, u.dModel, t.cosineLength, t.cosineDrift) * powerOfTwo(-p.cosineExponent)
	// C divides products by norms, adds the common part and takes the mean off in float32:
	// where these two cancel, what is left has the rounding of their size.
	noise += unit32 * (math.Abs(p.shift)*u.inverseNormRMS + math.Abs(p.cosineMean))
	noise += float64(u.dModel) * u.tiny * u.inverseNormRMS
	return spreadAbove(u, &p.cosine, noise)
}

// ranks reports whether the order of the float32 products that p has seen is that of the
// logit weights, as far as it can be told. It needs the power sums to be complete, and
// depends on nothing but them, so that scores are the same with statistics and without.
func (p *projection) ranks(u *Unembedding) bool {
	t := &p.packedTerms
	noise := roundingNoise(unit32, u.dModel, t.length, t.drift) * powerOfTwo(-p.plainExponent)
	return spreadAbove(u, &p.plain, noise+float64(u.dModel)*u.tiny*u.largestFactor)
}

// spreadAbove reports whether the standard deviation of sums is well above noise, in the
// same units. Sums that left their range are not above anything.
func spreadAbove(u *Unembedding, sums *powerSums, noise float64) bool {
	return sums.finite() && noise <= noiseTolerance(u.Tokens())*math.Sqrt(sums.variance(u.Tokens()))
}
