package tensor

import "math"

// F8E4M3 and F8E5M2 are 8-bit floats: a sign, 4 or 5 bits of exponent with bias 7 or 15,
// and 3 or 2 of fraction. The first has no infinities, and NaN only where all bits are set;
// the second is the upper half of a binary16. Conversions are exact. Their values stand
// for others, which scales beside them give, so that no file format reads them alone.
// Source: Micikevicius et al., FP8 Formats for Deep Learning, arXiv 2209.05433, table 1.
var (
	F8E4M3 = &Encoding{Name: "F8_E4M3", Values: 1, Bytes: 1, Decode: byTable(smallFloats(4, 3, false))}
	F8E5M2 = &Encoding{Name: "F8_E5M2", Values: 1, Bytes: 1, Decode: byTable(smallFloats(5, 2, true))}
)

// smallFloats are the values of all 8-bit floats of so many bits of exponent and fraction.
// Infinite says whether the highest exponent is of infinities and NaN, as in IEEE 754.
func smallFloats(exponent, fraction int, infinite bool) *[256]float32 {
	var values [256]float32
	bias, highest := 1<<(exponent-1)-1, 1<<exponent-1
	for code := range 128 {
		e, f := code>>fraction, code&(1<<fraction-1)
		value := math.Ldexp(float64(f), 1-bias-fraction) // subnormal
		switch {
		case infinite && e == highest && f == 0:
			value = math.Inf(1)
		case infinite && e == highest, code == 127:
			value = math.NaN()
		case e > 0:
			value = math.Ldexp(float64(f+1<<fraction), e-bias-fraction)
		}
		values[code], values[code+128] = float32(value), float32(-value)
	}
	return &values
}

func byTable(values *[256]float32) func(dst []float32, src []byte) {
	return func(dst []float32, src []byte) {
		for i, code := range src {
			dst[i] = values[code]
		}
	}
}
