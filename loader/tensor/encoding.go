package tensor

import (
	"math"
	"slices"
)

// Encoding is how a run of values is stored: blocks of Values values in Bytes
// bytes. Plain numbers are blocks of one value.
type Encoding struct {
	Name   string // as its file format calls it: "BF16", "Q8_0"
	Values int    // values in a block, at most maxBlockValues
	Bytes  int    // bytes in a block, at most scratchBytes
	// Decode converts the blocks of src, whose length is a multiple of Bytes, to
	// float32. len(dst) is len(src)/Bytes*Values.
	Decode func(dst []float32, src []byte)
}

// Encodings are those that a format reads, in the order of an error's list.
type Encodings []*Encoding

// Names returns the names of encodings.
func (all Encodings) Names() []string {
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = e.Name
	}
	return names
}

// Named returns the encoding of a name, nil for one that is not read.
func (all Encodings) Named(name string) *Encoding {
	i := slices.IndexFunc(all, func(e *Encoding) bool { return e.Name == name })
	if i < 0 {
		return nil
	}
	return all[i]
}

// Little-endian numbers. F16 and F32 are IEEE 754's binary16 and binary32, and BF16 is the
// upper half of a binary32: their conversion is exact. F64, binary64, is rounded to the
// nearest float32; values beyond float32's range become infinite.
var (
	F32  = &Encoding{Name: "F32", Values: 1, Bytes: 4, Decode: float32FromF32}
	F16  = &Encoding{Name: "F16", Values: 1, Bytes: 2, Decode: float32FromF16}
	BF16 = &Encoding{Name: "BF16", Values: 1, Bytes: 2, Decode: float32FromBF16}
	F64  = &Encoding{Name: "F64", Values: 1, Bytes: 8, Decode: float32FromF64}
)

// Floats are the types that safetensors and PyTorch's files are read in.
var (
	Floats     = Encodings{F32, F16, BF16, F64}
	FloatNames = Floats.Names()
)

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
