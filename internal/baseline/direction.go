package baseline

import (
	"math"
	"math/rand/v2"
)

// Direction writes random direction number row of a seed to into [d_model]: a vector of
// unit length, isotropic in the residual stream. It is a function of seed, row and d_model
// alone, so that results depend on no block, worker or machine.
//
// Independent standard Gaussians divided by their length are uniform on the sphere (Muller,
// Commun. ACM 2, 1959). It panics unless into has values.
func Direction(seed uint64, row int, into []float32) {
	random := rand.New(rand.NewPCG(seed, uint64(row)))
	values := make([]float64, len(into))
	for {
		gaussians(random, values)
		if unit(values, into) {
			return
		}
	}
}

func gaussians(random *rand.Rand, values []float64) {
	for i := range values {
		values[i] = random.NormFloat64()
	}
}

// unit writes values divided by their length; false where that is 0, and nothing written.
func unit(values []float64, into []float32) bool {
	square := 0.0
	for _, v := range values {
		// The conversion keeps the compiler from fusing multiplication and addition, which
		// it does on some machines.
		square += float64(v * v)
	}
	length := math.Sqrt(square)
	if !(length > 0) {
		return false
	}
	for i, v := range values {
		into[i] = float32(v / length)
	}
	return true
}
