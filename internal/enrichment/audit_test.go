package enrichment

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/saedb/saedb/internal/compute"
)

// TestAudit computes random data sets of the kinds that lose digits, with every kernel and
// every instruction set that the processor has, and compares statistics, end tokens, scores and
// p-values with their definitions in float64, from products in twice its precision.
//
// SAEDB_AUDIT is how long it takes, for all kernels or the one of SAEDB_KERNEL, and
// SAEDB_AUDIT_SEED the first data set, which a failure names.
func TestAudit(t *testing.T) {
	budget, seed := 4*time.Second, uint64(1)
	if testing.Short() {
		budget = time.Second
	}
	if text := os.Getenv("SAEDB_AUDIT"); text != "" {
		var err error
		if budget, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		seed = uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("SAEDB_AUDIT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	kernels := compute.Kernels()
	if only := os.Getenv(compute.KernelVariable); only != "" {
		kernels = []string{only}
	}
	for _, kernel := range kernels {
		t.Run(kernel, func(t *testing.T) {
			t.Setenv(compute.KernelVariable, kernel)
			found := &auditFindings{}
			end := time.Now().Add(budget / time.Duration(len(kernels)))
			for s := seed; (time.Now().Before(end) || s < seed+uint64(len(auditKinds))) && !t.Failed(); s++ {
				newAuditData(s).check(t, found)
			}
			if found.swapped*50 > found.scores {
				t.Errorf("%d of %d scores are off by a few tokens' ranks", found.swapped, found.scores)
			}
			t.Logf("%d data sets, %d scores, of which %d off by a few tokens' ranks; largest error of a moment %.1e, of another score %.1e",
				found.sets, found.scores, found.swapped, found.moment, found.score)
		})
	}
}

type auditFindings struct {
	sets, scores, swapped int
	moment, score         float64
}

// auditData is one data set: directions [n, d], unembedding [tokens, d] and token sets.
type auditData struct {
	name          string
	n, tokens, d  int
	directions, w []float32
	members       [][]int32
}

// auditKinds change normal directions and weights; extent is from 0 to 1.
var auditKinds = []struct {
	name  string
	shape func(r *rand.Rand, a *auditData, extent float64)
}{
	{"plain", func(*rand.Rand, *auditData, float64) {}},
	{"a common part", func(r *rand.Rand, a *auditData, extent float64) {
		common := make([]float64, a.d)
		for i := range common {
			common[i] = r.NormFloat64() * math.Pow(10, 6*extent)
		}
		a.change(func(_, i int, v float64) float64 { return v + common[i] })
	}},
	{"nearly annihilated", func(_ *rand.Rand, a *auditData, extent float64) {
		for row := range slices.Chunk(a.w, a.d) {
			var mean float64
			for _, v := range row {
				mean += float64(v) / float64(a.d)
			}
			for i, v := range row {
				row[i] = float32(float64(v) - mean)
			}
		}
		for i, v := range a.directions {
			a.directions[i] = float32(float64(v) + math.Pow(10, 6*extent))
		}
	}},
	{"underflow", func(_ *rand.Rand, a *auditData, extent float64) { a.scale(1e-25, 1e-20-extent*9e-21) }},
	{"overflow", func(_ *rand.Rand, a *auditData, extent float64) { a.scale(1e25, 1e10+extent*1e18) }},
	{"one huge token", func(_ *rand.Rand, a *auditData, extent float64) {
		a.change(func(j, _ int, v float64) float64 {
			if j == 7 {
				return v * math.Pow(10, 30*extent)
			}
			return v
		})
	}},
	{"columns a few roundings apart", func(r *rand.Rand, a *auditData, _ float64) {
		a.change(func(j, i int, _ float64) float64 {
			v := a.w[i]
			for range j % 3 {
				v = math.Nextafter32(v, float32(r.IntN(3)-1))
			}
			return float64(v)
		})
	}},
	{"padding of zeros", func(_ *rand.Rand, a *auditData, extent float64) {
		clear(a.w[int(float64(a.tokens)*(1-extent/2))*a.d:])
	}},
	{"tokens that share a row", func(r *rand.Rand, a *auditData, extent float64) {
		for j := range a.tokens {
			if r.Float64() < extent/2 {
				copy(a.w[j*a.d:(j+1)*a.d], a.w[:a.d])
			}
		}
	}},
	{"pairs of tokens", func(r *rand.Rand, a *auditData, extent float64) {
		for range int(1 + extent*float64(a.tokens)/20) {
			from, to := r.IntN(a.tokens), r.IntN(a.tokens)
			copy(a.w[to*a.d:(to+1)*a.d], a.w[from*a.d:(from+1)*a.d])
		}
	}},
	{"few values", func(r *rand.Rand, a *auditData, _ float64) {
		for i := range a.directions {
			a.directions[i] = float32(r.IntN(5)-2) * float32(r.IntN(2)) / 4
		}
		a.change(func(int, int, float64) float64 { return float64(r.IntN(3)-1) / 2 })
	}},
	{"one row for all", func(_ *rand.Rand, a *auditData, _ float64) {
		a.change(func(_, i int, _ float64) float64 { return float64(a.w[i]) })
	}},
	{"Cauchy", func(r *rand.Rand, a *auditData, _ float64) {
		a.change(func(_, _ int, v float64) float64 { return v / (1e-3 + math.Abs(r.NormFloat64())) })
	}},
	{"dimensions of all sizes", func(r *rand.Rand, a *auditData, extent float64) {
		sizes := make([]float64, a.d)
		for i := range sizes {
			sizes[i] = math.Pow(10, 3*extent*r.NormFloat64())
		}
		a.change(func(_, i int, v float64) float64 { return v * sizes[i] })
	}},
}

func (a *auditData) change(to func(token, dimension int, v float64) float64) {
	for i, v := range a.w {
		a.w[i] = float32(to(i/a.d, i%a.d, float64(v)))
	}
}

func (a *auditData) scale(directions, w float64) {
	for i, v := range a.directions {
		a.directions[i] = float32(float64(v) * directions)
	}
	a.change(func(_, _ int, v float64) float64 { return v * w })
}

func newAuditData(seed uint64) *auditData {
	r := rand.New(rand.NewPCG(seed, 18))
	kind := auditKinds[seed%uint64(len(auditKinds))]
	a := &auditData{n: 5, tokens: 200 + r.IntN(2000), d: 4 + r.IntN(80)}
	if r.IntN(4) == 0 { // enough to be ranked by float32 products
		a.n, a.tokens, a.d = 2, 16_500+r.IntN(2000), 64
	}
	a.directions, a.w = normalValues(r, a.n*a.d), normalValues(r, a.tokens*a.d)
	kind.shape(r, a, r.Float64())
	a.name = fmt.Sprintf("%s, SAEDB_AUDIT_SEED=%d: %d directions, %d tokens, d_model %d", kind.name, seed, a.n, a.tokens, a.d)
	for range 5 + r.IntN(30) { // fewer than 16 are not in a matrix
		size := 1 + r.IntN(min(40, a.tokens-1))
		if r.IntN(2) == 0 {
			size = 1 + r.IntN(a.tokens-1)
		}
		set, from := make([]int32, size), r.IntN(a.tokens)
		for i, position := range r.Perm(a.tokens)[:size] {
			if set[i] = int32(position); r.IntN(3) > 0 { // mostly ids in a row
				set[i] = int32((from + i) % a.tokens)
			}
		}
		a.members = append(a.members, set)
	}
	return a
}

func normalValues(r *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

func (a *auditData) check(t *testing.T, found *auditFindings) {
	t.Helper()
	builder, err := compute.NewBuilder(a.tokens, a.d)
	if err != nil {
		t.Fatal(err)
	}
	builder.SetRows(0, a.w)
	u, err := builder.Build()
	if err != nil {
		t.Fatal(err)
	}
	found.sets++
	sets := newSets(t, a.tokens, a.members)
	weights, cosines := make([][]float64, a.n), make([][]float64, a.n)
	shapes, err := FeatureLMoments(t.Context(), u, a.directions, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range a.n {
		weights[i], cosines[i] = a.weights(i)
		a.checkLMoments(t, found, i, shapes[i], weights[i])
	}
	everyInstructions(func() {
		scores := make([]Score, a.n*sets.Len())
		var s compute.Summary
		o := compute.Options{TopK: 5, Cosine: true, Visit: sets.Scorer(scores)}
		if err := u.Summarize(t.Context(), slices.Clone(a.directions), o, &s); err != nil {
			t.Fatal(err)
		}
		for i := range a.n {
			a.checkMoments(t, found, "logit weights", i, &s.Plain, weights[i])
			a.checkMoments(t, found, "cosines", i, &s.Cosine, cosines[i])
			a.checkEnds(t, i, &s, weights[i])
			a.checkScores(t, found, i, sets, scores[i*sets.Len():(i+1)*sets.Len()], weights[i])
		}
	})
}

// weights returns the logit weights of a direction, from products and sums in twice the
// precision of float64 (Ogita, Rump and Oishi, Accurate Sum and Dot Product, 2005), and the
// same over the norms of the tokens' rows.
func (a *auditData) weights(direction int) (weights, cosines []float64) {
	x := a.directions[direction*a.d : (direction+1)*a.d]
	for row := range slices.Chunk(a.w, a.d) {
		weight, cosine := twiceDot(x, row), 0.
		if norm := math.Sqrt(twiceDot(row, row)); norm > 0 {
			cosine = weight / norm
		}
		weights, cosines = append(weights, weight), append(cosines, cosine)
	}
	return weights, cosines
}

func twiceDot(x, y []float32) float64 {
	var sum, rest float64
	for i := range x {
		product := float64(x[i]) * float64(y[i]) // exact
		next := sum + product
		bend := next - sum
		rest += (sum - (next - bend)) + (product - bend)
		sum = next
	}
	return sum + rest
}

func (a *auditData) checkMoments(t *testing.T, found *auditFindings, of string, i int, m *compute.Moments, x []float64) {
	t.Helper()
	const allowed = 1e-5
	lowest, highest := slices.Min(x), slices.Max(x)
	largest := max(-lowest, highest)
	if highest-lowest <= 1e-14*largest { // no spread beyond rounding
		return
	}
	// From the lowest, or the mean of values that are nearly equal would lose their differences.
	var above, second, third, fourth float64
	n := float64(len(x))
	for _, v := range x {
		above += (v - lowest) / n
	}
	unit, mean := highest-lowest, lowest+above
	for _, v := range x {
		d := (v - lowest - above) / unit
		second, third, fourth = second+d*d/n, third+d*d*d/n, fourth+d*d*d*d/n
	}
	std, skewness, kurtosis := math.Sqrt(second), third/math.Pow(second, 1.5), fourth/(second*second)
	for _, c := range []struct {
		name             string
		got, want, scale float64
	}{
		{"mean", m.Mean[i], mean, std*unit + 1e-9*largest},
		{"std", m.Std[i], std * unit, std * unit},
		{"skewness", m.Skewness[i], skewness, max(1, math.Abs(skewness))},
		{"kurtosis", m.Kurtosis[i], kurtosis, kurtosis},
	} {
		off := math.Abs(c.got-c.want) / c.scale
		if found.moment = max(found.moment, off); !(off <= allowed) {
			t.Errorf("%s: %s of %s of direction %d: %v, want %v", a.name, c.name, of, i, c.got, c.want)
		}
	}
}

func (a *auditData) checkLMoments(t *testing.T, found *auditFindings, i int, got LMoments, x []float64) {
	t.Helper()
	lowest, highest := slices.Min(x), slices.Max(x)
	if highest-lowest <= 1e-14*max(-lowest, highest) {
		return
	}
	want := lMomentsOf(x)
	off := max(math.Abs(got.Scale/want.Scale-1), math.Abs(got.Skewness-want.Skewness), math.Abs(got.Kurtosis-want.Kurtosis))
	if found.moment = max(found.moment, off); !(off <= 1e-5) {
		t.Errorf("%s: L-moments of direction %d: %+v, want %+v", a.name, i, got, want)
	}
}

func (a *auditData) checkEnds(t *testing.T, i int, s *compute.Summary, weights []float64) {
	t.Helper()
	order := make([]int32, len(weights))
	for j := range order {
		order[j] = int32(j)
	}
	for _, end := range []struct {
		tokens *compute.Tokens
		sign   float64
	}{{&s.Top, 1}, {&s.Bottom, -1}} {
		slices.SortFunc(order, func(x, y int32) int {
			return cmp.Or(cmp.Compare(end.sign*weights[y], end.sign*weights[x]), cmp.Compare(x, y))
		})
		k := end.tokens.K
		for place, id := range end.tokens.IDs[i*k : (i+1)*k] {
			// Logit weights in float64 may tie, or differ, by their own rounding.
			if want := order[place]; id != want && math.Abs(weights[id]-weights[want]) > 1e-13*a.lengthOf(i, id) {
				t.Errorf("%s: direction %d (sign %v), place %d: token %d, want %d", a.name, i, end.sign, place, id, want)
			}
		}
	}
}

// lengthOf bounds the terms of a logit weight.
func (a *auditData) lengthOf(direction int, token int32) float64 {
	x, y := a.directions[direction*a.d:(direction+1)*a.d], a.w[int(token)*a.d:(int(token)+1)*a.d]
	return math.Sqrt(twiceDot(x, x) * twiceDot(y, y))
}

func (a *auditData) checkScores(t *testing.T, found *auditFindings, i int, sets *Sets, scores []Score, weights []float64) {
	t.Helper()
	lowest, highest := slices.Min(weights), slices.Max(weights)
	for set, got := range scores {
		members := sets.Members(set)
		if highest == lowest || len(members) == a.tokens {
			if !math.IsNaN(got.ES) || !math.IsNaN(got.AUC) {
				t.Errorf("%s: direction %d, set %d: %+v, want none", a.name, i, set, got)
			}
			continue
		}
		found.scores++
		up, down, auc := scoreInPlaces(weights, members)
		off := math.Abs(got.ES - max(up, down))
		// Products that float32 rounds may put two tokens in the wrong order or in one place.
		swaps := 3 / float64(max(len(members), a.tokens-len(members)))
		if a.tokens*a.d <= 1<<20 {
			swaps = 0
		}
		switch {
		case off <= 1e-6:
			found.score = max(found.score, off)
		case off <= swaps:
			found.swapped++
		default:
			t.Errorf("%s: direction %d, set %d of %d: es %v, want %v", a.name, i, set, len(members), got.ES, max(up, down))
		}
		if math.Abs(up-down) > swaps+1e-9 && got.Promoted != (up > down) {
			t.Errorf("%s: direction %d, set %d: promoted %v, want up %v, down %v", a.name, i, set, got.Promoted, up, down)
		}
		if !(math.Abs(got.AUC-auc) <= 1e-9+swaps) {
			t.Errorf("%s: direction %d, set %d: auc %v, want %v", a.name, i, set, got.AUC, auc)
		}
		if a.tokens <= 2500 && set == i {
			a.checkPValue(t, sets, set, got)
		}
	}
}

func (a *auditData) checkPValue(t *testing.T, sets *Sets, set int, score Score) {
	t.Helper()
	m, n := int64(sets.Size(set)), int64(a.tokens)
	m = min(m, n-m)
	distance := int64(math.Round(score.ES * float64(m*(n-m))))
	if distance == 0 {
		return
	}
	want := countedLogP(m, n, distance)
	if got := sets.LogPValue(set, score); want > -600 && math.Abs(got-want) > 0.01*max(-want, 1e-4) {
		t.Errorf("%s: set of %d, es %v: log p %v, want %v", a.name, m, score.ES, got, want)
	}
}

// scoreInPlaces is the definition: the shares of members and of others whose weight is at
// least a given one, at every weight there is.
func scoreInPlaces(weights []float64, members []int32) (up, down, auc float64) {
	inside := make([]bool, len(weights))
	for _, position := range members {
		inside[position] = true
	}
	order := make([]int, len(weights))
	for j := range order {
		order[j] = j
	}
	slices.SortFunc(order, func(x, y int) int { return cmp.Compare(weights[y], weights[x]) })
	m := float64(len(members))
	rest := float64(len(weights)) - m
	var hits, misses, wins float64
	for at := 0; at < len(order); {
		var hitsHere, missesHere float64
		place := weights[order[at]]
		for ; at < len(order) && weights[order[at]] == place; at++ {
			if inside[order[at]] {
				hitsHere++
			} else {
				missesHere++
			}
		}
		wins += (hits + hitsHere/2) * missesHere
		hits, misses = hits+hitsHere, misses+missesHere
		up, down = max(up, hits/m-misses/rest), max(down, misses/rest-hits/m)
	}
	return up, down, wins / (m * rest)
}
