package enrichment

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// stableOrder is the ranking that Ranker has to give.
func stableOrder(weights []float32) []int32 {
	order := make([]int32, len(weights))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(weights[b], weights[a]) })
	return order
}

// runningSum is the definition of a score: one step a token, in float64, looked at only
// where the weight changes. It returns the highest and the lowest sum with the members at
// which they turn.
func runningSum(weights []float32, members []int32, exponent float64) (highest, lowest float64, highestRank, lowestRank int) {
	order, n := stableOrder(weights), len(weights)
	inside := make(map[int32]bool)
	for _, position := range members {
		inside[position] = true
	}
	var total float64
	for position := range inside {
		total += math.Pow(math.Abs(float64(weights[position])), exponent)
	}
	highestRank, lowestRank = -1, -1
	sum := 0.
	for first := 0; first < n; {
		before, firstMember, lastMember := sum, -1, -1
		rank := first
		for ; rank < n && weights[order[rank]] == weights[order[first]]; rank++ {
			if position := order[rank]; inside[position] {
				sum += math.Pow(math.Abs(float64(weights[position])), exponent) / total
				if lastMember = rank; firstMember < 0 {
					firstMember = rank
				}
			} else {
				sum -= 1 / float64(n-len(inside))
			}
		}
		if first = rank; lastMember < 0 {
			continue
		}
		if before <= lowest+1e-12 {
			lowest, lowestRank = min(before, lowest), firstMember
		}
		if sum > highest+1e-12 {
			highest, highestRank = sum, lastMember
		}
	}
	return highest, lowest, highestRank, lowestRank
}

// oracleScore scores one set by the definitions, pair by pair for the AUC.
func oracleScore(weights []float32, members []int32) Score {
	if slices.Min(weights) == slices.Max(weights) {
		return undefined
	}
	highest, lowest, highestRank, lowestRank := runningSum(weights, members, 0)
	score := Score{ES: highest, Promoted: true, PeakRank: int32(highestRank)}
	if -lowest > highest+1e-12 {
		score = Score{ES: -lowest, PeakRank: int32(lowestRank)}
	}
	others := complement(len(weights), members)
	twiceWins := 0
	for _, member := range members {
		for _, other := range others {
			twiceWins += 1 + cmp.Compare(weights[member], weights[other])
		}
	}
	score.AUC = float64(twiceWins) / float64(2*len(members)*len(others))
	return score
}

func scoresOf(t testing.TB, weights []float32, members [][]int32) []Score {
	t.Helper()
	sets := newSets(t, len(weights), members)
	ranker, scores := NewRanker(len(weights)), make([]Score, sets.Len())
	ranker.Rank(weights)
	sets.Scores(ranker, scores)
	return scores
}

func newSets(t testing.TB, n int, members [][]int32) *Sets {
	t.Helper()
	sets, err := NewSets(n, members)
	if err != nil {
		t.Fatal(err)
	}
	return sets
}

func normalWeights(n int, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 0))
	weights := make([]float32, n)
	for i := range weights {
		weights[i] = float32(random.NormFloat64())
	}
	return weights
}

// randomSets draws count sets of sizes from 1 to n−1, the even ones with a leaning
// to the weights' top or bottom.
func randomSets(weights []float32, count int, seed uint64) [][]int32 {
	random := rand.New(rand.NewPCG(seed, 1))
	n := len(weights)
	sets := make([][]int32, count)
	for i := range sets {
		keys := make([]float32, n)
		for j := range keys {
			keys[j] = float32(random.NormFloat64())
			if i%2 == 0 {
				keys[j] += weights[j] * float32(random.NormFloat64())
			}
		}
		size := 1 + random.IntN(n-1)
		if i%3 == 0 {
			size = 1 + random.IntN(min(n-1, 20))
		}
		sets[i] = stableOrder(keys)[:size]
	}
	return sets
}

func complement(n int, members []int32) []int32 {
	var others []int32
	for position := range int32(n) {
		if !slices.Contains(members, position) {
			others = append(others, position)
		}
	}
	return others
}

func sameScore(a, b Score) bool {
	near := func(x, y float64) bool { return math.Abs(x-y) < 1e-12 || math.IsNaN(x) && math.IsNaN(y) }
	return near(a.ES, b.ES) && near(a.AUC, b.AUC) && a.Promoted == b.Promoted && a.PeakRank == b.PeakRank
}
