package compute

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// On every kernel the same numbers, bit for bit: those of dot, of which the sums of the tiles have
// the order, for sizes around those of tiles, and with directions of which none depends on others.
func TestTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, size := range []struct{ n, outputs, inputs int }{{1, 1, 1}, {3, 5, 7}, {70, 13, 40}, {9, 9, 9}, {130, 33, 33}} {
		for _, add := range []bool{false, true} {
			if add && size.outputs != size.inputs {
				continue
			}
			matrix, directions := normal(r, size.outputs*size.inputs), normal(r, size.n*size.inputs)
			want := make([]float32, size.n*size.outputs)
			for i := range size.n {
				w := directions[i*size.inputs : (i+1)*size.inputs]
				for j := range size.outputs {
					sum := dot(w, matrix[j*size.inputs:(j+1)*size.inputs])
					if add {
						sum += float64(w[j])
					}
					want[i*size.outputs+j] = float32(sum)
				}
			}
			for _, k := range kernelsUnderTest() {
				t.Setenv(KernelVariable, k.name())
				got := make([]float32, len(want))
				if err := Transform(t.Context(), matrix, size.outputs, size.inputs, directions, add, got); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, %+v, add %v: differs from dot", k.name(), size, add)
				}
			}
		}
	}
}

// The identity gives each direction back, bit for bit but for the sign of zeros.
func TestTransformByIdentity(t *testing.T) {
	const n, d = 37, 52
	r := rand.New(rand.NewPCG(5, 6))
	directions, identity := normal(r, n*d), make([]float32, d*d)
	directions[3], directions[4] = math.MaxFloat32, math.SmallestNonzeroFloat32
	for i := range d {
		identity[i*d+i] = 1
	}
	for _, k := range kernelsUnderTest() {
		t.Setenv(KernelVariable, k.name())
		out := make([]float32, n*d)
		if err := Transform(t.Context(), identity, d, d, directions, false, out); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out, directions) {
			t.Errorf("%s: the identity changes directions", k.name())
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	const n, d = 2048, 768
	r := rand.New(rand.NewPCG(7, 8))
	directions, matrix, out := normal(r, n*d), normal(r, d*d), make([]float32, n*d)
	for _, k := range kernelsUnderTest() {
		b.Run(k.name(), func(b *testing.B) {
			b.Setenv(KernelVariable, k.name())
			for b.Loop() {
				if err := Transform(b.Context(), matrix, d, d, directions, false, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(2*n*d*d*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
