package baseline

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// decoderOf is features whose dimensions are correlated, in a space of so many dimensions, of
// which they span rank.
func decoderOf(features, dModel, rank int) []float32 {
	random := rand.New(rand.NewPCG(9, 9))
	mixing := make([]float64, rank*dModel)
	for i := range mixing {
		mixing[i] = random.NormFloat64() / float64(1+i/dModel)
	}
	decoder := make([]float32, features*dModel)
	for f := range features {
		for r := range rank {
			z := random.NormFloat64()
			for i := range dModel {
				decoder[f*dModel+i] += float32(z * mixing[r*dModel+i])
			}
		}
	}
	return decoder
}

func factorOf(t *testing.T, decoder []float32, dModel, block int) *Factor {
	t.Helper()
	c := NewCovariance(dModel)
	for from := 0; from < len(decoder); from += block * dModel {
		if err := c.Add(decoder[from:min(from+block*dModel, len(decoder))]); err != nil {
			t.Fatal(err)
		}
	}
	f, err := c.Factor()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The factor is that of the unit decoder's second moments by gonum, where there is one of
// full rank; otherwise its product gives them again.
func TestFactor(t *testing.T) {
	for _, c := range []struct{ features, dModel, rank int }{{300, 70, 70}, {301, 70, 12}, {20, 70, 70}} {
		decoder := decoderOf(c.features, c.dModel, c.rank)
		copy(decoder[:c.dModel], make([]float32, c.dModel)) // a dead feature
		factor := factorOf(t, decoder, c.dModel, 33)
		moments := mat.NewSymDense(c.dModel, nil)
		for f := 1; f < c.features; f++ {
			u := mat.NewVecDense(c.dModel, nil)
			for i := range c.dModel {
				u.SetVec(i, float64(decoder[f*c.dModel+i]))
			}
			u.ScaleVec(1/mat.Norm(u, 2), u)
			moments.SymRankOne(moments, 1, u)
		}
		lower := mat.NewDense(c.dModel, c.dModel, nil)
		for i := range c.dModel {
			for j, v := range factor.lower.row(i) {
				lower.Set(i, j, v)
			}
		}
		var product mat.Dense
		product.Mul(lower, lower.T())
		if !mat.EqualApprox(&product, moments, 1e-6) {
			t.Errorf("%+v: L Lᵀ is not the covariance", c)
		}
		var cholesky mat.Cholesky
		if c.rank == c.dModel && c.features > c.dModel {
			if !cholesky.Factorize(moments) {
				t.Fatal("gonum finds no factor")
			}
			var expected mat.TriDense
			if cholesky.LTo(&expected); !mat.EqualApprox(lower, &expected, 1e-9) {
				t.Errorf("%+v: L is not gonum's", c)
			}
		}
	}
}

// Directions do not depend on how features come, nor on the number of workers; they are unit
// vectors of the space that the decoder spans, and along each of its dimensions as large as
// sums of its unit directions by random weights are.
func TestDirectionsLikeADecoder(t *testing.T) {
	const dModel, rank, rows = 130, 7, 4000
	decoder := decoderOf(999, dModel, rank)
	factor := factorOf(t, decoder, dModel, 999)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	again := factorOf(t, decoder, dModel, 10)
	if !slices.Equal(factor.lower.sum, again.lower.sum) {
		t.Error("the factor depends on blocks or workers")
	}
	if factor.Dimensions() != dModel {
		t.Errorf("%d dimensions", factor.Dimensions())
	}
	// An orthonormal basis of the space that the decoder spans.
	var basis mat.Dense
	features := mat.NewDense(dModel, 999, nil)
	for i, v := range decoder {
		features.Set(i%dModel, i/dModel, float64(v))
	}
	var svd mat.SVD
	if !svd.Factorize(features, mat.SVDThin) {
		t.Fatal("no SVD")
	}
	svd.UTo(&basis)
	direction, other := make([]float32, dModel), make([]float32, dModel)
	var shares, wanted [rank]float64
	for row := range rows {
		factor.Direction(3, row, direction)
		norm, outside := 0.0, 1.0
		for _, v := range direction {
			norm += float64(v) * float64(v)
		}
		for r := range rank {
			along := 0.0
			for i, v := range direction {
				along += float64(v) * basis.At(i, r)
			}
			shares[r] += along * along / rows
			outside -= along * along
		}
		if math.Abs(norm-1) > 1e-6 || math.Abs(outside) > 1e-5 {
			t.Fatalf("row %d: length² %g, outside the decoder's span %g", row, norm, outside)
		}
	}
	// The definition: Σ z u over the features' unit directions u, of unit length.
	random := rand.New(rand.NewPCG(5, 5))
	units := mat.DenseCopyOf(features)
	for f := range 999 {
		column := units.ColView(f)
		column.(*mat.VecDense).ScaleVec(1/mat.Norm(column, 2), column)
	}
	z, drawn := mat.NewVecDense(999, nil), mat.NewVecDense(dModel, nil)
	for range rows {
		for f := range 999 {
			z.SetVec(f, random.NormFloat64())
		}
		drawn.MulVec(units, z)
		for r := range rank {
			along := mat.Dot(drawn, basis.ColView(r)) / mat.Norm(drawn, 2)
			wanted[r] += along * along / rows
		}
	}
	for r := range rank { // a standard error is below 0.005
		if math.Abs(shares[r]-wanted[r]) > 0.025 {
			t.Errorf("share %.3f of the directions along dimension %d, by the definition %.3f", shares[r], r, wanted[r])
		}
	}
	again.Direction(3, 17, other)
	factor.Direction(3, 17, direction)
	if !slices.Equal(direction, other) {
		t.Error("a direction depends on blocks or workers")
	}
	if factor.Direction(4, 17, other); slices.Equal(direction, other) {
		t.Error("two seeds gave one direction")
	}
}

func TestNoFactor(t *testing.T) {
	if _, err := NewCovariance(3).Factor(); err == nil {
		t.Error("no features have a factor")
	}
	dead := NewCovariance(3)
	if err := dead.Add(make([]float32, 6)); err != nil {
		t.Error(err)
	}
	if _, err := dead.Factor(); err == nil {
		t.Error("dead features have a factor")
	}
	if err := dead.Add([]float32{1, float32(math.NaN()), 0}); err == nil {
		t.Error("a feature that is not a number counts")
	}
}
