package enrichment

import (
	"context"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
)

func weightedScoresOf(t *testing.T, w Weighting, weights []float32, members [][]int32) []WeightedScore {
	t.Helper()
	sets := newSets(t, len(weights), members)
	scores := make([]WeightedScore, sets.Len())
	if err := sets.WeightedScores(t.Context(), w, widened(weights), ranked(weights), scores); err != nil {
		t.Fatal(err)
	}
	return scores
}

// ranked returns a ranker of the weights.
func ranked(weights []float32) *Ranker {
	ranker := NewRanker(len(weights))
	ranker.Rank(weights)
	return ranker
}

func widened(weights []float32) []float64 {
	wide := make([]float64, len(weights))
	for i, weight := range weights {
		wide[i] = float64(weight)
	}
	return wide
}

func TestWeightedScoresAgreeWithTheDefinition(t *testing.T) {
	for _, n := range []int{2, 64, 65, 300, 301} {
		for _, exponent := range []float64{0, 0.5, 1, 2} {
			weights := normalWeights(n, uint64(n))
			if n == 301 {
				weights = roundedWeights(n, uint64(n))
			}
			members := randomSets(weights, 40, uint64(n))
			for set, got := range weightedScoresOf(t, Weighting{Exponent: exponent}, weights, members) {
				es, lowest, highestRank, lowestRank := runningSum(weights, members[set], exponent)
				rank := highestRank
				if -lowest > es+1e-12 {
					es, rank = lowest, lowestRank
				}
				if math.Abs(math.Abs(got.ES)-math.Abs(es)) > 1e-12 {
					t.Errorf("n=%d p=%v set %d: ES %v, want %v", n, exponent, set, got.ES, es)
				}
				// Without weights sums tie, and rounding chooses among them.
				if exponent > 0 && n > 2 && (got.PeakRank != int32(rank) || math.Abs(got.ES-es) > 1e-12) {
					t.Errorf("n=%d p=%v set %d: ES %v at %d, want %v at %d", n, exponent, set, got.ES, got.PeakRank, es, rank)
				}
				if !math.IsNaN(got.NES) || !math.IsNaN(got.PValue) {
					t.Errorf("NES %v and p %v without permutations", got.NES, got.PValue)
				}
			}
		}
	}
}

// The figures are GSEApy's: testdata/prerank.py. Scores and leading edges are those
// of the same data, so equal but for rounding. NES and p-values come from 10,000
// permutations on either side, but others, and agree within four standard errors.
func TestWeightedScoresAgreeWithGSEApy(t *testing.T) {
	text, err := os.ReadFile("testdata/prerank_weights.csv")
	if err != nil {
		t.Fatal(err)
	}
	var weights []float32
	for line := range strings.Lines(string(text)) {
		weights = append(weights, float32(number(t, strings.TrimSpace(line))))
	}
	const permutations = 10000
	byExponent := map[string][]map[string]string{}
	for _, row := range goldenRows(t, "testdata/prerank.csv") {
		byExponent[row["exponent"]] = append(byExponent[row["exponent"]], row)
	}
	_, ranks := NewRanker(len(weights)).Rank(weights)
	for exponent, rows := range byExponent {
		var members [][]int32
		for _, row := range rows {
			members = append(members, positions(t, row["members"]))
		}
		w := Weighting{Exponent: number(t, exponent), Permutations: permutations, Seed: 1}
		sets := newSets(t, len(weights), members)
		sizes := sets.sizes()
		null := nullScoresOf(t, w, weights, sizes)
		for set, got := range weightedScoresOf(t, w, weights, members) {
			es, nes, p := number(t, rows[set]["es"]), number(t, rows[set]["nes"]), number(t, rows[set]["p"])
			if math.Abs(got.ES-es) > 1e-12 {
				t.Errorf("p=%s set %d: ES %v, want %v", exponent, set, got.ES, es)
			}
			sameSign := 0.
			for _, random := range null[slices.Index(sizes, len(members[set]))] {
				if (random >= 0) == got.Promoted() {
					sameSign++
				}
			}
			// The sizes of random scores spread by less than 0.7 of their mean.
			if math.Abs(got.NES/nes-1) > 4*0.7*math.Sqrt(2/sameSign) {
				t.Errorf("p=%s set %d: NES %v, want %v", exponent, set, got.NES, nes)
			}
			if math.Abs(got.PValue-p) > 2/sameSign+4*math.Sqrt(2*p*(1-p)/sameSign) {
				t.Errorf("p=%s set %d: p %v, want %v", exponent, set, got.PValue, p)
			}
			edge := sets.WeightedLeadingEdge(set, got, ranks)
			if !got.Promoted() {
				slices.Reverse(edge)
			}
			if want := positions(t, rows[set]["leading_edge"]); !slices.Equal(edge, want) {
				t.Errorf("p=%s set %d: leading edge %v, want %v", exponent, set, edge, want)
			}
		}
	}
}

func nullScoresOf(t *testing.T, w Weighting, weights []float32, sizes []int) [][]float64 {
	t.Helper()
	r := ranked(weights)
	steps, err := w.steps(widened(weights), r.order)
	if err != nil {
		t.Fatal(err)
	}
	null, err := w.nullScores(t.Context(), steps, r.ties, sizes)
	if err != nil {
		t.Fatal(err)
	}
	return null
}

// Equal weights under exponent 0 leave the unweighted score, and permutations its
// p-value.
func TestWeightZeroIsTheUnweightedScore(t *testing.T) {
	const permutations = 4000
	weights := normalWeights(700, 9)
	members := randomSets(weights, 40, 9)
	unweighted := scoresOf(t, weights, members)
	for set, got := range weightedScoresOf(t, Weighting{Permutations: permutations, Seed: 3}, weights, members) {
		want := unweighted[set]
		if math.Abs(math.Abs(got.ES)-want.ES) > 1e-12 {
			t.Errorf("set %d: ES %v, want %v", set, got.ES, want.ES)
		}
		// The closed form takes both signs together, permutations one: near, not equal.
		p := math.Exp(LogKolmogorovSmirnov(len(members[set]), len(weights), want.ES))
		if math.Abs(got.PValue-p) > 0.06+5*math.Sqrt(p*(1-p)/(permutations/3)) {
			t.Errorf("set %d of %d: p %v, closed form %v", set, len(members[set]), got.PValue, p)
		}
	}
}

// Workers, other sets and the scale of the weights change nothing; the seed does.
func TestWeightedScoresAreRepeatable(t *testing.T) {
	weights := normalWeights(900, 4)
	members := append(randomSets(weights, 20, 4), nil)
	w := Weighting{Exponent: 1, Permutations: 300, Seed: 8, Workers: 1}
	want := weightedScoresOf(t, w, weights, members)
	same := func(a, b WeightedScore) bool {
		return a == b || math.IsNaN(a.ES) && math.IsNaN(b.ES) && a.PeakRank == b.PeakRank
	}
	for _, workers := range []int{0, 2, 7} {
		w.Workers = workers
		if got := weightedScoresOf(t, w, weights, members); !slices.EqualFunc(got, want, same) {
			t.Errorf("%d workers change the scores", workers)
		}
	}
	for set := range members {
		alone := weightedScoresOf(t, w, weights, members[set:set+1])[0]
		if !math.IsNaN(alone.ES) && alone.QValue != alone.PValue {
			t.Errorf("set %d: q %v of p %v alone", set, alone.QValue, alone.PValue)
		}
		if alone.QValue = want[set].QValue; !same(alone, want[set]) {
			t.Errorf("set %d: %+v alone, %+v among others", set, alone, want[set])
		}
	}
	huge := make([]float32, len(weights))
	for i := range huge {
		huge[i] = weights[i] * 0x1p100
	}
	w.Exponent = 30
	if got := weightedScoresOf(t, w, huge, members); !slices.EqualFunc(got, weightedScoresOf(t, w, weights, members), same) {
		t.Error("the scale of the weights changes the scores")
	}
	w.Exponent, w.Seed = 1, 9
	if got := weightedScoresOf(t, w, weights, members); slices.EqualFunc(got, want, same) {
		t.Error("another seed gives the same scores")
	}
}

func TestWeightedScoresOfUnusualSets(t *testing.T) {
	w := Weighting{Exponent: 1, Permutations: 50}
	for _, c := range []struct {
		weights []float32
		members []int32
		es      float64
	}{
		{[]float32{2, 1, 0, 0}, []int32{2, 3}, -1},          // members that all weigh 0
		{make([]float32, 4), []int32{0}, math.NaN()},        // and nothing else either: no ranking
		{[]float32{1, 1, 1}, []int32{0}, math.NaN()},        // nor one where all are equal
		{[]float32{1, -1}, []int32{1}, -1},                  // two tokens
		{[]float32{2, 1}, nil, math.NaN()},                  // no member
		{[]float32{2, 1}, []int32{0, 1}, math.NaN()},        // all tokens
		{[]float32{3, 2, 1, -1, -2, -3}, []int32{0, 5}, .5}, // as far down as up
	} {
		got := weightedScoresOf(t, w, c.weights, [][]int32{c.members})[0]
		if math.IsNaN(got.ES) != math.IsNaN(c.es) || math.Abs(got.ES-c.es) > 1e-12 {
			t.Errorf("%v of %v: ES %v, want %v", c.members, c.weights, got.ES, c.es)
		}
		if math.IsNaN(c.es) && !math.IsNaN(got.PValue) || got.PValue <= 0 || got.PValue > 1 {
			t.Errorf("%v of %v: p %v", c.members, c.weights, got.PValue)
		}
	}
}

// Where no random set has the score's sign, the random sets say nothing of it: weights are
// positive, and members at the bottom have the lowest score there is. Of 20,000 random
// sets of 30 tokens numpy found one with a negative score.
func TestWeightedScoresWithoutRandomSetsOfTheirSign(t *testing.T) {
	weights := normalWeights(1000, 2)
	for i := range weights {
		weights[i] = float32(math.Exp(2 * float64(weights[i])))
	}
	order := stableOrder(weights)
	members := [][]int32{order[970:], order[490:510], order[:30]}
	scores := weightedScoresOf(t, Weighting{Exponent: 1, Permutations: 100, Seed: 1}, weights, members)
	for set, tested := range []bool{false, false, true} {
		got := scores[set]
		if math.IsNaN(got.NES) == tested || math.IsNaN(got.PValue) == tested || math.IsNaN(got.QValue) == tested {
			t.Errorf("set %d: %+v, want NES and p-value: %v", set, got, tested)
		}
	}
	if scores[0].ES != -1 || scores[2].QValue != scores[2].PValue { // the only p-value
		t.Errorf("got %+v", scores)
	}
}

// The figures are those of R's p.adjust(p, "BH").
func TestQValues(t *testing.T) {
	nan := math.NaN()
	scores := make([]WeightedScore, 6)
	for i, p := range []float64{0.01, 0.2, nan, 0.03, 0.02, 0.9} {
		scores[i].PValue = p
	}
	adjust(scores)
	for i, want := range []float64{0.05, 0.25, nan, 0.05, 0.05, 0.9} {
		if got := scores[i].QValue; math.Abs(got-want) > 1e-12 || math.IsNaN(got) != math.IsNaN(want) {
			t.Errorf("p %v: q %v, want %v", scores[i].PValue, got, want)
		}
	}
}

func TestWeightedScoresRefuse(t *testing.T) {
	inf := math.Inf(1)
	for name, c := range map[string]struct {
		w       Weighting
		weights []float32
	}{
		"negative exponent":     {Weighting{Exponent: -1}, []float32{2, 1}},
		"infinite exponent":     {Weighting{Exponent: inf}, []float32{2, 1}},
		"NaN exponent":          {Weighting{Exponent: math.NaN()}, []float32{2, 1}},
		"negative permutations": {Weighting{Permutations: -1}, []float32{2, 1}},
		"infinite weight":       {Weighting{Exponent: 1}, []float32{float32(inf), 1}},
	} {
		sets := newSets(t, 2, [][]int32{{0}})
		if err := sets.WeightedScores(t.Context(), c.w, widened(c.weights), ranked(c.weights), make([]WeightedScore, 1)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestWeightedScoresEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	weights := normalWeights(100, 1)
	sets := newSets(t, 100, [][]int32{{1, 2}})
	w := Weighting{Exponent: 1, Permutations: 1000}
	err := sets.WeightedScores(ctx, w, widened(weights), ranked(weights), make([]WeightedScore, 1))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v", err)
	}
}
