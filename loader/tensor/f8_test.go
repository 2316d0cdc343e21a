package tensor

import (
	"math"
	"testing"
)

// Oracle: float8_e4m3fn and float8_e5m2 of ml_dtypes 0.6, each code and the sum of the
// finite magnitudes.
func TestF8(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	codes := []byte{0, 1, 7, 8, 9, 0x38, 0x77, 0x7b, 0x7c, 0x7e, 0x7f, 0x81, 0xb9, 0xfe}
	for _, test := range []struct {
		encoding *Encoding
		want     []float64
		sum      float64
	}{
		{F8E4M3, []float64{0, 0.001953125, 0.013671875, 0.015625, 0.017578125, 1, 240, 352, 384, 448, nan, -0.001953125, -1.125, -448}, 10815.75},
		{F8E5M2, []float64{0, 1.52587890625e-05, 0.0001068115234375, 0.0001220703125, 0.000152587890625, 0.5, 28672, 57344, inf, nan, nan,
			-1.52587890625e-05, -0.625, nan}, 720895.9995117188},
	} {
		got := make([]float32, len(codes))
		test.encoding.Decode(got, codes)
		for i, want := range test.want {
			if got := float64(got[i]); got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Errorf("%s %#x: %g, want %g", test.encoding.Name, codes[i], got, want)
			}
		}
		all, values := make([]byte, 256), make([]float32, 256)
		for i := range all {
			all[i] = byte(i)
		}
		test.encoding.Decode(values, all)
		sum := 0.0
		for _, v := range values {
			if v-v == 0 {
				sum += math.Abs(float64(v))
			}
		}
		if math.Abs(sum-test.sum) > 1e-9 {
			t.Errorf("%s: magnitudes sum to %v, want %v", test.encoding.Name, sum, test.sum)
		}
	}
}
