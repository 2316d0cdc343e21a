package compute

// #include "native.h"
import "C"

// terms describes the terms dᵢ·wᵢ that a direction d forms with token rows w: those
// of logit weights or products, and the same over ‖w‖, those of cosines.
type terms struct {
	mean, cosineMean float64 // of their sums over the tokens
	// Root mean square over the tokens of their Euclidean length √Σ(dᵢ·wᵢ)².
	length, cosineLength float64
	// √(Σₖ (Σ_{i≤k} dᵢ·mᵢ)²/d_model), with m the mean token row: what the means bring
	// a running sum to, in root mean square along it.
	drift, cosineDrift float64
}

// against returns the terms of direction [d_model] with the rows that a averages.
func (a *averages) against(direction []float32) terms {
	weights, d := (*C.float)(&direction[0]), C.int64_t(len(direction))
	plain := C.native_terms(weights, (*C.double)(&a.mean[0]), (*C.double)(&a.square[0]), d)
	cosine := C.native_terms(weights, (*C.double)(&a.cosineMean[0]), (*C.double)(&a.cosineSquare[0]), d)
	return terms{
		mean: float64(plain.mean), cosineMean: float64(cosine.mean),
		length: float64(plain.length), cosineLength: float64(cosine.length),
		drift: float64(plain.drift), cosineDrift: float64(cosine.drift),
	}
}
