package compute

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// oracle computes in float64, with gonum, what Summarize claims to.
type oracle struct {
	tokens []int32
	plain  *mat.Dense // [n, tokens]
	cosine *mat.Dense // [n, tokens]
}

// newOracle multiplies directions [n, d] by the rows of W [vocab, d] named by ids.
// W is transposed first: gonum then sums every column in the same order, so equal
// columns tie exactly.
func newOracle(directions, w []float32, d int, ids []int32) *oracle {
	n := len(directions) / d
	left := mat.NewDense(n, d, widened(directions))
	right, unit := mat.NewDense(d, len(ids), nil), mat.NewDense(d, len(ids), nil)
	for j, id := range ids {
		column := widened(w[int(id)*d : (int(id)+1)*d])
		right.SetCol(j, column)
		if norm := mat.Norm(mat.NewVecDense(d, column), 2); norm > 0 {
			for i := range column {
				column[i] /= norm
			}
		}
		unit.SetCol(j, column)
	}
	o := &oracle{tokens: ids, plain: mat.NewDense(n, len(ids), nil), cosine: mat.NewDense(n, len(ids), nil)}
	o.plain.Mul(left, right)
	o.cosine.Mul(left, unit)
	return o
}

func widened(values []float32) []float64 {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return wide
}

func moments(x []float64) (mean, std, skewness, kurtosis float64) {
	mean, std = stat.PopMeanStdDev(x, nil)
	z := make([]float64, len(x))
	for i, v := range x {
		z[i] = (v - mean) / std
	}
	return mean, std, stat.MomentAbout(3, z, 0, nil), stat.MomentAbout(4, z, 0, nil)
}

// ranked returns the token ids of row, largest logit weight first, ties by lower id.
func (o *oracle) ranked(row int, sign float64) []int32 {
	x := o.plain.RawRowView(row)
	order := make([]int, len(x))
	for j := range order {
		order[j] = j
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case sign*x[a] > sign*x[b]:
			return -1
		case sign*x[a] < sign*x[b]:
			return 1
		}
		return 0
	})
	ids := make([]int32, len(order))
	for i, j := range order {
		ids[i] = o.tokens[j]
	}
	return ids
}

const tolerance = 1e-5

func near(t *testing.T, what string, row int, got, want, scale float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*scale) {
		t.Errorf("%s of row %d: got %.12g, want %.12g", what, row, got, want)
	}
}

// checkMoments compares m with the rows of x. constant says that they have no spread.
func checkMoments(t *testing.T, name string, m Moments, x *mat.Dense, constant bool) {
	t.Helper()
	n, _ := x.Dims()
	for i := range n {
		mean, std, skewness, kurtosis := moments(x.RawRowView(i))
		near(t, name+" mean", i, m.Mean[i], mean, math.Max(1, math.Abs(mean)))
		if constant {
			if m.Std[i] != 0 || !math.IsNaN(m.Skewness[i]) || !math.IsNaN(m.Kurtosis[i]) {
				t.Errorf("%s of row %d: got std %g, skewness %g, kurtosis %g, want 0, NaN, NaN",
					name, i, m.Std[i], m.Skewness[i], m.Kurtosis[i])
			}
			continue
		}
		near(t, name+" std", i, m.Std[i], std, std)
		near(t, name+" skewness", i, m.Skewness[i], skewness, math.Max(1, math.Abs(skewness)))
		near(t, name+" kurtosis", i, m.Kurtosis[i], kurtosis, kurtosis)
	}
}

func checkTokens(t *testing.T, u *Unembedding, directions []float32, got Tokens, o *oracle, k int, sign float64) {
	t.Helper()
	d := u.DModel()
	if want := min(k, len(o.tokens)); got.K != want {
		t.Fatalf("K: got %d, want %d", got.K, want)
	}
	for i := range len(directions) / d {
		ids := got.IDs[i*got.K : (i+1)*got.K]
		if want := o.ranked(i, sign)[:got.K]; !slices.Equal(ids, want) {
			t.Errorf("tokens of row %d (sign %g): got %v, want %v", i, sign, head(ids), head(want))
		}
		for r, id := range ids {
			want := u.LogitWeight(directions[i*d:(i+1)*d], int(id))
			if logit := got.Logits[i*got.K+r]; logit != want {
				t.Errorf("logit weight of row %d, token %d: got %g, want %g", i, id, logit, want)
			}
		}
	}
}

func head(ids []int32) []int32 { return ids[:min(len(ids), 12)] }
