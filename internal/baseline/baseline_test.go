package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Directions have unit length, depend on seed and row alone, and are isotropic: the square
// of the cosine with any fixed direction is Beta(1/2, (n-1)/2), whose mean is 1/n and whose
// variance is 2(n-1)/(n²(n+2)).
func TestDirectionsAreIsotropic(t *testing.T) {
	const n, rows = 48, 20_000
	fixed := make([]float64, n)
	for i := range fixed {
		fixed[i] = math.Sin(float64(i * i))
	}
	length := 0.0
	for _, v := range fixed {
		length += v * v
	}
	squares := make([]float64, rows)
	direction, again := make([]float32, n), make([]float32, n)
	for row := range rows {
		Direction(3, row, direction)
		dot, norm := 0.0, 0.0
		for i, v := range direction {
			dot += float64(v) * fixed[i]
			norm += float64(v) * float64(v)
		}
		if math.Abs(norm-1) > 1e-6 {
			t.Fatalf("row %d has length² %g", row, norm)
		}
		squares[row] = dot * dot / length
	}
	Direction(3, 7, again)
	Direction(3, 7, direction)
	if !slices.Equal(again, direction) {
		t.Error("the same row gave two directions")
	}
	if Direction(4, 7, again); slices.Equal(again, direction) {
		t.Error("two seeds gave one direction")
	}
	slices.Sort(squares)
	beta := distuv.Beta{Alpha: 0.5, Beta: (n - 1) / 2.0}
	worst := 0.0
	for i, v := range squares {
		worst = max(worst, math.Abs(beta.CDF(v)-(float64(i)+0.5)/rows))
	}
	// The Kolmogorov-Smirnov distance that one sample in a thousand exceeds.
	if limit := 1.95 / math.Sqrt(rows); worst > limit {
		t.Errorf("distance %g from Beta(1/2, (n-1)/2), at most %g", worst, limit)
	}
}

func TestShift(t *testing.T) {
	normal := distuv.UnitNormal
	for _, es := range []float64{0, 1e-9, 0.1, 0.5, 0.500001, 0.9, 0.999999} {
		// The distance of two unit Gaussians that far apart is 2Φ(δ/2) − 1.
		if got := 2*normal.CDF(Shift(es)/2) - 1; math.Abs(got-es) > 1e-12+1e-9*es {
			t.Errorf("shift of %g has distance %g", es, got)
		}
	}
}

// nullOf is the null of scores whose shifts are absolute values of Gaussians.
func nullOf(t *testing.T, directions int, seed uint64) (Null, []float32) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 0))
	scores, aucs := make([]float32, directions), make([]float32, directions)
	for i := range scores {
		z := 0.4 * random.NormFloat64()
		scores[i] = float32(math.Erf(math.Abs(z) / (2 * math.Sqrt2)))
		aucs[i] = float32(distuv.UnitNormal.CDF(z))
	}
	null, ok := NewNull(40, 10_000, scores, aucs)
	if !ok {
		t.Fatal("no null")
	}
	return null, scores
}

// Below the 99 % quantile p counts, within the part that is interpolated; above it the tail
// of the Gaussian that the shifts really have is met; and p falls with es everywhere.
func TestNullCountsAndHasAGaussianTail(t *testing.T) {
	null, scores := nullOf(t, 4096, 1)
	counted := func(es float64) float64 {
		n := 0
		for _, s := range scores {
			if float64(s) >= es {
				n++
			}
		}
		return float64(1+n) / float64(1+len(scores))
	}
	for _, es := range []float64{0, 0.01, 0.05, 0.1, 0.2, 0.3, null.Threshold} {
		got, want := math.Pow(10, null.Log10P(es)), counted(es)
		if exact := want < 0.12; math.Abs(got-want) > 0.02*want || exact && math.Abs(got-want) > 1e-12 {
			t.Errorf("p of %g is %g, counted %g", es, got, want)
		}
	}
	if math.Abs(null.Scale-0.4) > 0.03 || math.Abs(null.AUCScale-0.4) > 0.02 || null.Location > 0.03 {
		t.Errorf("scale %g, of auc %g, expected 0.4; location %g, expected 0", null.Scale, null.AUCScale, null.Location)
	}
	for _, z := range []float64{3, 5, 8} {
		es := math.Erf((null.Location + z*null.Scale) / (2 * math.Sqrt2))
		want := math.Log10(2 * distuv.UnitNormal.CDF(-z))
		if got := null.Log10P(es); math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("log10 p at z %g is %g, expected %g", z, got, want)
		}
	}
	before := math.Inf(1)
	for es := 0.0; es <= 1; es += 1e-4 {
		p := null.Log10P(es)
		if p > before+1e-12 {
			t.Fatalf("p rises at %g", es)
		}
		before = p
	}
	if p := null.Log10P(1); math.IsInf(p, 0) || p > -20 {
		t.Errorf("a perfect score has log10 p %g", p)
	}
	if got := len(null.Scores)*8 + 8*8; got > 10_000 {
		t.Errorf("a null takes %d bytes", got)
	}
}

// TestTailOfExchangeableTokens: where directions move no tokens together, scores have
// Kolmogorov's distribution (Feller, Ann. Math. Stat. 19, 1948), and p-values meet it far
// beyond the random directions that there are.
func TestTailOfExchangeableTokens(t *testing.T) {
	// P(√n D ≥ x) = 2 Σ (−1)^(k−1) exp(−2k²x²); of sets of so many tokens among many more.
	const members, tokens, directions = 4_000, 2_000_000, 4096
	n := float64(members) * (tokens - members) / tokens
	upper := func(x float64) (p float64) {
		for k := 1.0; k < 30; k++ {
			p += 2 * math.Pow(-1, k-1) * math.Exp(-2*k*k*x*x)
		}
		return p
	}
	quantile := func(p float64) float64 {
		low, high := 0.2, 4.0
		for range 60 {
			if middle := (low + high) / 2; upper(middle) > p {
				low = middle
			} else {
				high = middle
			}
		}
		return low / math.Sqrt(n)
	}
	scores, aucs := make([]float32, directions), make([]float32, directions)
	for i := range scores {
		scores[i], aucs[i] = float32(quantile((float64(i)+0.5)/directions)), float32(0.5+float64(i%3-1)/1000)
	}
	null, ok := NewNull(members, tokens, scores, aucs)
	if !ok {
		t.Fatal("no null")
	}
	for _, p := range []float64{0.05, 0.01, 1e-3, 1e-4, 1e-5, 1e-6} {
		if got := math.Pow(10, null.Log10P(quantile(p))) / p; got < 0.85 || got > 1.2 {
			t.Errorf("p-value %.3g times as high as %g", got, p)
		}
	}
}

func TestTwoSidedTail(t *testing.T) {
	for _, z := range []float64{0, 1, 19.999, 20.001, 25, 37} {
		want := math.Log10(math.Erfc(z / math.Sqrt2))
		if got := log10TwoSided(z); math.Abs(got-want) > 1e-7*math.Max(1, math.Abs(want)) {
			t.Errorf("z %g: %g, expected %g", z, got, want)
		}
	}
	if got := log10TwoSided(100); math.Abs(got+2173.5705) > 1e-3 { // -(5000 + ln 100 - ln(2/√(2π)))/ln 10
		t.Errorf("z 100: %g", got)
	}
}

func TestNoNull(t *testing.T) {
	few := make([]float32, LeastDirections-1)
	same := make([]float32, 1000)
	for name, c := range map[string]struct {
		members int
		scores  []float32
	}{"too few directions": {5, few}, "empty set": {0, same}, "every token": {100, same}, "scores of 0": {5, same}} {
		if _, ok := NewNull(c.members, 100, c.scores, c.scores); ok {
			t.Errorf("%s: there is a null", name)
		}
	}
}
