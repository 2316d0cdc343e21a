package check

import (
	"math"
	"slices"
	"testing"
)

// TestDescending: whole numbers in place of float32 sort as these do, -0 beside 0 and all
// signs and sizes among each other.
func TestDescending(t *testing.T) {
	weights := []float64{0, 1, -1, math.Copysign(0, -1), 0x1p-149, -0x1p-149, math.MaxFloat32, -math.MaxFloat32, 1.5, -1.5, 1 + 0x1p-23, -1 - 0x1p-23, 1}
	want := []int32{6, 8, 10, 1, 12, 4, 0, 3, 5, 2, 11, 9, 7}
	if got := descending(weights, true); !slices.Equal(got, want) {
		t.Errorf("float32: %v, want %v", got, want)
	}
	got := descending(weights, false)
	for rank := 1; rank < len(got); rank++ {
		if weights[got[rank]] > weights[got[rank-1]] {
			t.Errorf("float64: %v", got)
		}
	}
}
