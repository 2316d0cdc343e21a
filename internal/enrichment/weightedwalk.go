package enrichment

import "math/bits"

// weightedScore returns ES and PeakRank of the m members whose ranks are set in
// bitmap, with steps and the ties of a [Ranker] by rank.
func weightedScore(bitmap []uint64, steps []float64, ties []int32, m int) WeightedScore {
	total := 0.
	for i, word := range bitmap {
		for ; word != 0; word &= word - 1 {
			total += steps[i*64+bits.TrailingZeros64(word)]
		}
	}
	return weightedScoreOf(bitmap, steps, ties, m, total)
}

// weightedScoreOf is [weightedScore] for a known total of the members' steps. As without
// weights, ties matter only where the running sum turns inside a run of them.
func weightedScoreOf(bitmap []uint64, steps []float64, ties []int32, m int, total float64) WeightedScore {
	score := weightedWalk(bitmap, steps, nil, m, total)
	if turnsInside(ties, score.PeakRank, score.Promoted()) {
		score = weightedWalk(bitmap, steps, ties, m, total)
	}
	return score
}

// weightedWalk follows the running sum, over the places of ties.
//
// As without weights, it turns at members only: its maximum comes just after one and its
// minimum just before one.
func weightedWalk(bitmap []uint64, steps []float64, ties []int32, m int, total float64) WeightedScore {
	perMiss := 1 / float64(len(steps)-m)
	perStep, perHit := 1/total, 0.
	if total == 0 {
		// The limit of equal steps that go to 0.
		perStep, perHit = 0, 1/float64(m)
	}
	var highest, lowest, climbed float64
	highestRank, lowestRank := int32(-1), int32(-1)
	members := 0
	for i, word := range bitmap {
		for ; word != 0; word &= word - 1 {
			rank := i*64 + bits.TrailingZeros64(word)
			first, last := rank, rank
			for len(ties) > 0 && int(ties[1]) < rank {
				ties = ties[2:]
			}
			if len(ties) > 0 && int(ties[0]) <= rank {
				first, last = int(ties[0]), int(ties[1])
			}
			if before := climbed - float64(first-members)*perMiss; before <= lowest {
				lowest, lowestRank = before, int32(rank)
			}
			climbed += steps[rank]*perStep + perHit
			members++
			if after := climbed - float64(last+1-members)*perMiss; after > highest {
				highest, highestRank = after, int32(rank)
			}
		}
	}
	if -lowest > highest {
		return WeightedScore{ES: lowest, PeakRank: lowestRank}
	}
	return WeightedScore{ES: highest, PeakRank: highestRank}
}
