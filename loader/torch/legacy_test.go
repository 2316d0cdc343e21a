package torch

import (
	"fmt"
	"slices"
	"testing"
)

// Files that torch.save of PyTorch 2.15 writes in the format from before 1.6, by each protocol of
// pickles; testdata/make.py made them.
func TestLegacy(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		f := openPath(t, fmt.Sprintf("testdata/legacy%d.pt", protocol))
		if got, want := f.Names(), []string{"columns", "f16", "row", "w"}; !slices.Equal(got, want) {
			t.Errorf("protocol %d: tensors %v", protocol, got)
		}
		if k, ok := f.Value("cfg", "k"); !ok || k != int64(32) {
			t.Errorf("protocol %d: cfg.k is %v", protocol, k)
		}
		whole := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
		for name, want := range map[string][]float32{
			"w": whole, "f16": whole, "row": {4, 5, 6, 7}, "columns": {0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11},
		} {
			if got, err := values(mustTensor(t, f, name)); err != nil || !slices.Equal(got, want) {
				t.Errorf("protocol %d, %s: %v, %v", protocol, name, got, err)
			}
		}
	}
}
