package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/saedb/saedb/internal/fault"
)

// Covariance sums up the unit decoder of an SAE: C = Σ u uᵀ over its features, u being the
// feature's decoder direction divided by its length. Second moments are about 0, so that a
// direction and its opposite are as likely. Every sum is in float64, in the order of the
// features, without fused multiplications: the same on every machine, for any number of
// workers.
type Covariance struct {
	n   int
	sum []float64 // the lower triangle of C, row after row
}

// NewCovariance is the covariance of no features of so many dimensions.
func NewCovariance(dModel int) *Covariance {
	return &Covariance{dModel, make([]float64, dModel*(dModel+1)/2)}
}

// atOnce is how many features' products are added in one pass over the sums.
const atOnce = 4

// Add adds features: directions holds rows × d_model values. A direction of 0 does not
// count. A value that is not finite is an error.
func (c *Covariance) Add(directions []float32) error {
	units := make([]float64, 0, len(directions))
	for from := 0; from < len(directions); from += c.n {
		row := directions[from : from+c.n]
		square := 0.0
		for _, v := range row {
			square += float64(float64(v) * float64(v))
		}
		length := math.Sqrt(square)
		if math.IsNaN(length) || math.IsInf(length, 0) {
			return &fault.Error{Problem: "a decoder direction has a value that is not finite"}
		}
		if length == 0 {
			continue
		}
		for _, v := range row {
			units = append(units, float64(v)/length)
		}
	}
	inParallel(c.n, func(i int) { c.addRow(i, units) })
	return nil
}

// addRow adds the products with dimension i of all units to the sums.
func (c *Covariance) addRow(i int, units []float64) {
	n, sums := c.n, c.row(i)
	for len(units) >= atOnce*n {
		u0, u1, u2, u3 := units[:i+1], units[n:n+i+1], units[2*n:2*n+i+1], units[3*n:3*n+i+1]
		a0, a1, a2, a3 := u0[i], u1[i], u2[i], u3[i]
		for j := range sums {
			sums[j] = sums[j] + float64(a0*u0[j]) + float64(a1*u1[j]) + float64(a2*u2[j]) + float64(a3*u3[j])
		}
		units = units[atOnce*n:]
	}
	for ; len(units) > 0; units = units[n:] {
		a := units[i]
		for j := range sums {
			sums[j] += float64(a * units[j])
		}
	}
}

// row is row i of the lower triangle, i + 1 values.
func (c *Covariance) row(i int) []float64 {
	begin := i * (i + 1) / 2
	return c.sum[begin : begin+i+1]
}

// Factor is L of the Cholesky decomposition C = L Lᵀ, from which random directions with a
// covariance of C are drawn.
type Factor struct{ lower Covariance }

// Factor decomposes the covariance, which is used up. Where C is not of full rank, as that of
// fewer features than dimensions, columns of L beyond it are 0. No feature at all is an error.
func (c *Covariance) Factor() (*Factor, error) {
	largest := 0.0
	for i := range c.n {
		largest = max(largest, c.row(i)[i])
	}
	if largest == 0 {
		return nil, &fault.Error{Problem: "its decoder has no direction other than 0", Hint: "compute it with --baseline-like isotropic"}
	}
	// A pivot of less is what rounding leaves of 0.
	least := float64(c.n) * 0x1p-52 * largest
	for j := range c.n {
		pivotRow := c.row(j)
		pivot := pivotRow[j] - dot(pivotRow[:j], pivotRow[:j])
		if pivot <= least {
			for i := j; i < c.n; i++ {
				c.row(i)[j] = 0
			}
			continue
		}
		root := math.Sqrt(pivot)
		pivotRow[j] = root
		inParallel(c.n-j-1, func(below int) {
			row := c.row(j + 1 + below)
			row[j] = (row[j] - dot(row[:j], pivotRow[:j])) / root
		})
	}
	return &Factor{*c}, nil
}

// Dimensions is d_model.
func (f *Factor) Dimensions() int { return f.lower.n }

// Direction writes random direction number row of a seed to into [d_model]: L z divided by
// its length, z being the Gaussians that the isotropic direction of that seed and row is made
// of. It is a function of seed, row and the decoder alone. It panics unless into has d_model
// values.
func (f *Factor) Direction(seed uint64, row int, into []float32) {
	if len(into) != f.lower.n {
		panic(fmt.Sprintf("baseline: direction of %d values, expected %d", len(into), f.lower.n))
	}
	random := rand.New(rand.NewPCG(seed, uint64(row)))
	z, values := make([]float64, len(into)), make([]float64, len(into))
	for {
		gaussians(random, z)
		for i := range values {
			values[i] = dot(f.lower.row(i), z[:i+1])
		}
		if unit(values, into) {
			return
		}
	}
}

// dot is the inner product, in four sums whose order is fixed.
func dot(a, b []float64) float64 {
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += float64(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// leastParallel is how many pieces of work are worth more than one worker.
const leastParallel = 64

// inParallel does pieces of work that do not depend on each other.
func inParallel(n int, work func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n/leastParallel)
	if workers <= 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < n; i += workers {
				work(i)
			}
		})
	}
	group.Wait()
}
