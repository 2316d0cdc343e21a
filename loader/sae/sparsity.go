package sae

import (
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/fault"
)

const (
	// SAELens adds this to a frequency before the logarithm, so that a feature
	// that never fired is at neverFired and not at minus infinity.
	// Source: _log_feature_sparsity in sae_lens/training/sae_trainer.py.
	sparsityEpsilon = float32(1e-10)
	neverFired      = float32(-10)
)

// toLogSparsity converts the values of a sparsity file, in place, to log10 of
// each feature's frequency. Some old files hold the frequencies themselves; a
// value above 0 tells them, because no frequency is above 1.
func toLogSparsity(subject string, values []float32) error {
	linear, negative := -1, -1
	for i, value := range values {
		if v := float64(value); math.IsNaN(v) || math.IsInf(v, 1) {
			return &fault.Error{
				Op: opRead, Subject: subject, Problem: fmt.Sprintf("feature %d", i),
				Expected: "a number", Found: fmt.Sprint(value),
			}
		}
		switch {
		case value > 0:
			linear = i
		case value < 0:
			negative = i
		}
	}
	if linear >= 0 && negative >= 0 {
		return &fault.Error{
			Op: opRead, Subject: subject, Expected: "frequencies (none below 0) or their log10 (none above 0)",
			Found: fmt.Sprintf("%g for feature %d and %g for feature %d", values[linear], linear, values[negative], negative),
		}
	}
	for i, value := range values {
		switch {
		case linear >= 0:
			values[i] = float32(math.Log10(float64(value + sparsityEpsilon)))
		case math.IsInf(float64(value), -1): // log10(0), written without the epsilon
			values[i] = neverFired
		}
	}
	return nil
}
