package enrichment

import (
	"math"
	"slices"
	"testing"
)

// The figures are scipy's ks_2samp and mannwhitneyu: testdata/ties.py. One hundredth, a
// fifth and all of the tokens have the weight of others; sets are scored in a matrix and,
// where there are fewer than 16, one by one.
func TestTiesAgreeWithSciPy(t *testing.T) {
	const n = 1009
	byKind := map[string][]map[string]string{}
	for _, row := range goldenRows(t, "testdata/ties.csv") {
		byKind[row["tied"]] = append(byKind[row["tied"]], row)
	}
	for kind, rows := range byKind {
		weights, members := make([]float32, n), make([][]int32, len(rows))
		for i := range weights {
			distinct := i * 617 % n
			weights[i] = float32(distinct)
			switch {
			case kind == "1%" && i%100 == 3, kind == "20%" && i%5 == 3:
				weights[i] = 500
			case kind == "all":
				weights[i] = float32(distinct / 7 * 7)
			}
			for number := range members {
				if (i*i*13+number*i*7)%97 < 1+4*number {
					members[number] = append(members[number], int32(i))
				}
			}
		}
		everyInstructions(func() {
			together := scoresOf(t, weights, members)
			for set, row := range rows {
				alone := scoresOf(t, weights, members[set:set+1])[0]
				if alone != together[set] {
					t.Errorf("%s tied, set %d: %+v alone, %+v in a matrix", kind, set, alone, together[set])
				}
				es, auc := number(t, row["es"]), number(t, row["auc"])
				if math.Abs(alone.ES-es) > 1e-12 || math.Abs(alone.AUC-auc) > 1e-12 {
					t.Errorf("%s tied, set %d: %+v, want es %v, auc %v", kind, set, alone, es, auc)
				}
			}
		})
	}
}

// Float64 weights rank as float32 ones do, whether the order is nearly known or not.
func TestRankExactEqualsRank(t *testing.T) {
	for _, weights := range [][]float32{nil, {1}, {2, 2, 2}, normalWeights(3000, 21), roundedWeights(3000, 22)} {
		wide, r, exact := widened(weights), ranked(weights), NewRanker(len(weights))
		for _, nearly := range []bool{false, true} {
			copy(exact.order, r.order)
			if len(exact.order) > 1 {
				exact.order[0], exact.order[1] = exact.order[1], exact.order[0]
			}
			if !nearly {
				clear(exact.order)
			}
			exact.sortExact(wide, nearly)
			if !slices.Equal(exact.order, r.order) || !slices.Equal(exact.ties, r.ties) || exact.flat() != r.flat() {
				t.Errorf("%d weights, nearly %v: another ranking", len(weights), nearly)
			}
		}
	}
}

func TestPlace(t *testing.T) {
	r := ranked([]float32{5, 3, 3, 1, 3, 0, 0})
	for rank, want := range []int32{0, 1, 1, 1, 4, 5, 5} {
		if got := r.Place(int32(rank)); got != want {
			t.Errorf("rank %d: place %d, want %d", rank, got, want)
		}
	}
}
