package compute

import "math"

// Powers of two are the only factors applied to weights before a float32
// product: they change no mantissa, so undoing them in float64 is exact. Scaled
// so that the largest magnitude is in [0.5, 1), a product of d_model terms is at
// most d_model, and a term that underflows was below 2⁻¹⁴⁹ of the largest.

// exponentOf returns the e for which largest·2⁻ᵉ is in [0.5, 1), and 0 for 0.
func exponentOf(largest float64) int {
	_, exponent := math.Frexp(largest)
	return exponent
}

// powerOfTwo returns 2ᵉ. Exponents of float32 weights and of their products stay
// far inside float64's range, subnormals included.
func powerOfTwo(exponent int) float64 {
	return math.Ldexp(1, exponent)
}

// largestMagnitude returns max |vᵢ|, 0 for no values.
func largestMagnitude(values []float32) float32 {
	// Magnitudes of finite floats are ordered as their bits are.
	const sign = 1 << 31
	var largest uint32
	for _, v := range values {
		largest = max(largest, math.Float32bits(v)&^sign)
	}
	return math.Float32frombits(largest)
}

// scaleInto writes values·2⁻ᵉ to dst, of the same length.
func scaleInto(dst, values []float32, exponent int) {
	factor := powerOfTwo(-exponent)
	for i, v := range values {
		dst[i] = float32(float64(v) * factor)
	}
}
