package statistics

import "testing"

// TestScoredBlock: a block has at most a million scores, one feature at least, and whole
// vectors of 2,048 features where it is larger than one.
func TestScoredBlock(t *testing.T) {
	for _, test := range []struct{ block, sets, want int }{
		{65536, 0, 4096},
		{65536, 146, 4096},
		{65536, 256, 4096},
		{65536, 300, 2048}, // 1,048,576/300 is 3,495
		{65536, 1000, 1048},
		{65536, 20_000, 52},
		{256, 20_000, 52},
		{256, 100, 256},
		{256, 3_000_000, 1},
	} {
		if got := scoredBlock(test.block, test.sets); got != test.want {
			t.Errorf("blocks of %d with %d sets: got %d, want %d", test.block, test.sets, got, test.want)
		}
	}
}
