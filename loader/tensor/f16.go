package tensor

import "math"

// F16 is IEEE 754 binary16, little endian. The conversion is exact.
var F16 = &Encoding{Name: "F16", Values: 1, Bytes: 2, Decode: float32FromF16}

// Half returns the value of an IEEE 754 binary16.
//
// Its exponent and fraction, moved to binary32's places, read as value · 2⁻¹¹²
// since the biases differ by 127-15; one multiplication is exact for normal and
// subnormal values alike.
func Half(bits uint16) float32 {
	const (
		sign       = 0x8000
		infinite   = 0x7c00 // exponent of infinities and NaN
		infinite32 = 0x7f800000
		rebias     = 1 << 112
	)
	magnitude := uint32(bits&^sign) << 13
	if bits&infinite == infinite {
		return math.Float32frombits(uint32(bits&sign)<<16 | infinite32 | magnitude)
	}
	value := math.Float32bits(math.Float32frombits(magnitude) * rebias)
	return math.Float32frombits(uint32(bits&sign)<<16 | value)
}
