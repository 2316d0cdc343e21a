package enrichment

import (
	"cmp"
	"slices"
)

// LeadingEdge returns the positions of the members that make a set's score, by
// rank: those at score.PeakRank and above it if promoted, at it and below it if
// suppressed. score and ranks are of the same feature. A set without a score has
// no leading edge.
func (s *Sets) LeadingEdge(set int, score Score, ranks []int32) []int32 {
	return s.edge(set, score.Promoted, score.PeakRank, ranks)
}

func (s *Sets) edge(set int, promoted bool, peak int32, ranks []int32) []int32 {
	if peak < 0 {
		return nil
	}
	if len(ranks) != s.tokens {
		panic(panicRanks)
	}
	var edge []int32
	for _, position := range s.Members(set) {
		if rank := ranks[position]; rank == peak || (rank < peak) == promoted {
			edge = append(edge, position)
		}
	}
	slices.SortFunc(edge, func(a, b int32) int { return cmp.Compare(ranks[a], ranks[b]) })
	return edge
}
