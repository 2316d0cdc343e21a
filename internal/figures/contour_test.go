package figures

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDepthContourOfGaussian: the contours of halfspace depth of a Gaussian are its ellipses, and
// one that holds a share s of it has the radius √(-2 ln(1 - s)) in standard deviations.
func TestDepthContourOfGaussian(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const n, share = 20000, 0.9
	x, y := make([]float64, n), make([]float64, n)
	for i := range x {
		a, b := random.NormFloat64(), random.NormFloat64()
		x[i], y[i] = 100+3*a, -7+0.01*(0.6*a+0.8*b)
	}
	cornersX, cornersY := depthContour(x, y, share)
	if len(cornersX) < 50 || cornersX[0] != cornersX[len(cornersX)-1] || cornersY[0] != cornersY[len(cornersY)-1] {
		t.Fatalf("%d corners, the first (%v, %v)", len(cornersX), cornersX[0], cornersY[0])
	}
	want := math.Sqrt(-2 * math.Log(1-share))
	for i := range cornersX {
		a := (cornersX[i] - 100) / 3
		b := ((cornersY[i]+7)/0.01 - 0.6*a) / 0.8
		if radius := math.Hypot(a, b); math.Abs(radius-want) > 0.1 {
			t.Errorf("corner %d is %.3f standard deviations from the middle, expected %.3f", i, radius, want)
		}
	}
	held := 0
	for i := range x {
		if withinConvex(cornersX, cornersY, x[i], y[i]) {
			held++
		}
	}
	if part := float64(held) / n; part < share-0.001 || part > share+0.005 {
		t.Errorf("the contour holds %.4f of the points, expected %v", part, share)
	}
}

// withinConvex says whether a convex polygon whose corners go round against the clock has a point.
func withinConvex(cornersX, cornersY []float64, x, y float64) bool {
	for i := range len(cornersX) - 1 {
		dx, dy := cornersX[i+1]-cornersX[i], cornersY[i+1]-cornersY[i]
		if dx*(y-cornersY[i])-dy*(x-cornersX[i]) < -1e-12 {
			return false
		}
	}
	return true
}

// TestDepthContourOfLittle: points that span no area have no contour.
func TestDepthContourOfLittle(t *testing.T) {
	for name, c := range map[string]struct{ x, y []float64 }{
		"none": {nil, nil}, "two": {[]float64{1, 2}, []float64{1, 2}}, "a level line": {[]float64{1, 2, 3}, []float64{5, 5, 5}},
	} {
		if x, y := depthContour(c.x, c.y, 0.98); x != nil || y != nil {
			t.Errorf("%s: found %v, %v", name, x, y)
		}
	}
	// Three points are all within their own triangle.
	if x, _ := depthContour([]float64{0, 1, 0}, []float64{0, 0, 1}, 0.98); len(x) < 4 {
		t.Errorf("three points: found corners at %v", x)
	}
}
