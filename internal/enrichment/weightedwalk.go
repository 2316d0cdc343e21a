package enrichment

import "math/bits"

// weightedScore returns ES and PeakRank of the m members whose ranks are set in
// bitmap, with steps by rank.
func weightedScore(bitmap []uint64, steps []float64, m int) WeightedScore {
	total := 0.
	for i, word := range bitmap {
		for ; word != 0; word &= word - 1 {
			total += steps[i*64+bits.TrailingZeros64(word)]
		}
	}
	return weightedWalk(bitmap, steps, m, total)
}

// weightedWalk is [weightedScore] for a known total of the members' steps.
//
// As without weights, the running sum turns at members only: its maximum comes just
// after one and its minimum just before one.
func weightedWalk(bitmap []uint64, steps []float64, m int, total float64) WeightedScore {
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
			fallen := float64(rank-members) * perMiss
			if before := climbed - fallen; before <= lowest {
				lowest, lowestRank = before, int32(rank)
			}
			climbed += steps[rank]*perStep + perHit
			members++
			if after := climbed - fallen; after > highest {
				highest, highestRank = after, int32(rank)
			}
		}
	}
	if -lowest > highest {
		return WeightedScore{ES: lowest, PeakRank: lowestRank}
	}
	return WeightedScore{ES: highest, PeakRank: highestRank}
}
