package tensor

import (
	"encoding/binary"
	"math"
	"testing"
)

// TestConversionsOfEveryLength compares the bulk conversions with one value at a
// time, for lengths around those of vectors and sources at odd addresses.
func TestConversionsOfEveryLength(t *testing.T) {
	for n := range 70 {
		for shift := range 3 {
			src := make([]byte, shift+8*n)[shift:]
			for i := range src {
				src[i] = byte(i*i*37 + n*11 + 5)
			}
			bf16, f16, f64 := make([]float32, n), make([]float32, n), make([]float32, n)
			float32FromBF16(bf16, src[:2*n])
			float32FromF16(f16, src[:2*n])
			float32FromF64(f64, src)
			for i := range n {
				half := binary.LittleEndian.Uint16(src[2*i:])
				if want := uint32(half) << 16; math.Float32bits(bf16[i]) != want {
					t.Fatalf("bfloat16 %#x: got %#x", half, math.Float32bits(bf16[i]))
				}
				if want := math.Float32bits(Half(half)); math.Float32bits(f16[i]) != want {
					t.Fatalf("binary16 %#x: got %#x, want %#x", half, math.Float32bits(f16[i]), want)
				}
				want := float32(math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:])))
				if f64[i] != want && (f64[i] == f64[i] || want == want) {
					t.Fatalf("binary64: got %g, want %g", f64[i], want)
				}
			}
		}
	}
}

func TestFirstNonFinite(t *testing.T) {
	for n := range 70 {
		values := make([]float32, n)
		for i := range values {
			values[i] = math.MaxFloat32
		}
		if got := FirstNonFinite(values); got != -1 {
			t.Fatalf("%d finite values: got %d", n, got)
		}
		for i := range values {
			for _, special := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				values[i] = float32(special)
				if got := FirstNonFinite(values); got != i {
					t.Fatalf("%g at %d of %d: got %d", special, i, n, got)
				}
			}
			values[i] = math.SmallestNonzeroFloat32
		}
	}
}

func BenchmarkConvert(b *testing.B) {
	const n = 1 << 16
	dst, src := make([]float32, n), make([]byte, 2*n)
	for name, call := range map[string]func([]float32, []byte){"BF16": float32FromBF16, "F16": float32FromF16} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				call(dst, src)
			}
		})
	}
}
