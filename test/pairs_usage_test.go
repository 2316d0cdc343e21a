package test

import "testing"

// TestPairsUsage: a flag of statistics does not go with what is computed of features with features,
// and the reverse; none is left aside in silence.
func TestPairsUsage(t *testing.T) {
	for _, flag := range [][]string{{"--side", "input"}, {"--tokens", "real"}, {"--baseline", "0"}, {"--sae", "x"}} {
		expectFailure(t, saedbRun(t, "", append([]string{"compute", "--links"}, flag...)...), 2, flag[0]+" goes with statistics")
	}
	for _, flag := range [][]string{{"--from", "x"}, {"--to", "x"}, {"--top", "3"}} {
		expectFailure(t, saedbRun(t, "", append([]string{"compute"}, flag...)...), 2, flag[0]+" goes with --links or --neighbours")
	}
	expectFailure(t, saedbRun(t, "", "compute", "--links", "--neighbours"), 2, "--links or --neighbours, not both")
}
