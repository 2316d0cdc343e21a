package tensor

import (
	"encoding/binary"
	"math"
	"testing"
)

// Every binary16 against its definition, (-1)ˢ · 2ᵉ⁻¹⁵ · 1.f and (-1)ˢ · 2⁻¹⁴ · 0.f.
func TestHalfIsExact(t *testing.T) {
	for bits := range 1 << 16 {
		exponent, fraction := bits>>10&31, float64(bits&1023)/1024
		var want float64
		switch {
		case exponent == 31 && fraction == 0:
			want = math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		case exponent == 0:
			want = math.Ldexp(fraction, -14)
		default:
			want = math.Ldexp(1+fraction, exponent-15)
		}
		if bits>>15 == 1 {
			want = math.Copysign(want, -1)
		}
		got := float64(Half(uint16(bits)))
		if math.IsNaN(want) != math.IsNaN(got) || !math.IsNaN(want) && (got != want || math.Signbit(got) != math.Signbit(want)) {
			t.Fatalf("Half(%#04x) = %v, want %v", bits, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	quarter := binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.25))
	huge := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1e300))
	tests := []struct {
		encoding *Encoding
		raw      []byte
		want     []float32
	}{
		{F32, []byte{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc1}, []float32{1, -10}},
		{BF16, []byte{0x80, 0x3f, 0x20, 0xc1}, []float32{1, -10}},
		{F16, []byte{0, 0x3c, 0, 0xc9}, []float32{1, -10}},
		{F64, append(quarter, huge...), []float32{0.25, float32(math.Inf(1))}},
	}
	for _, test := range tests {
		got := make([]float32, len(test.want))
		test.encoding.Decode(got, test.raw)
		for i := range got {
			if got[i] != test.want[i] {
				t.Errorf("%s: %v, want %v", test.encoding.Name, got, test.want)
				break
			}
		}
	}
}
