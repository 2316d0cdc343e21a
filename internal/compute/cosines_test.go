package compute

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCosines: those of float64, for every number of rows about those that are taken at once, of
// rows far apart in size, and none of a zero.
func TestCosines(t *testing.T) {
	for _, d := range []int{1, 7, 8, 33, 768} {
		for _, n := range []int{0, 1, 31, 32, 33, 70} {
			r := rand.New(rand.NewPCG(uint64(d), uint64(n)))
			direction, rows := normal(r, d), normal(r, n*d)
			for i := range n {
				scale := float32(math.Pow(10, float64(i%60-30)))
				for k := range d {
					rows[i*d+k] *= scale
				}
			}
			if n > 2 {
				clear(rows[d : 2*d])
			}
			got := make([]float64, n)
			Cosines(direction, rows, got)
			for i := range n {
				var product, a, b float64
				for k, v := range direction {
					w := float64(rows[i*d+k])
					product += float64(v) * w
					a += float64(v) * float64(v)
					b += w * w
				}
				want := product / math.Sqrt(a*b)
				if !(math.Abs(got[i]-want) <= 1e-14) && !(math.IsNaN(got[i]) && b == 0) {
					t.Fatalf("d_model %d, row %d of %d: got %v, want %v", d, i, n, got[i], want)
				}
			}
		}
	}
}
