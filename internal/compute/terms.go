package compute

import "math"

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

// against returns the terms of direction with the rows that a averages.
func (a *averages) against(direction []float32) terms {
	var t terms
	mean, square := a.mean[:len(direction)], a.square[:len(direction)]
	cosineMean, cosineSquare := a.cosineMean[:len(direction)], a.cosineSquare[:len(direction)]
	for i, v := range direction {
		weight := float64(v)
		t.mean += weight * mean[i]
		t.drift += t.mean * t.mean
		t.length += weight * weight * square[i]
		t.cosineMean += weight * cosineMean[i]
		t.cosineDrift += t.cosineMean * t.cosineMean
		t.cosineLength += weight * weight * cosineSquare[i]
	}
	d := float64(len(direction))
	t.length, t.cosineLength = math.Sqrt(t.length), math.Sqrt(t.cosineLength)
	t.drift, t.cosineDrift = math.Sqrt(t.drift/d), math.Sqrt(t.cosineDrift/d)
	return t
}
