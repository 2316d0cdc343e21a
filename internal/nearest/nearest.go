// Package nearest finds the names that somebody may have meant.
package nearest

import (
	"slices"
	"strings"
)

// Names returns up to n of the names, those first with the fewest edits to name. A
// name that contains it counts as near.
func Names(name string, names []string, n int) []string {
	name = strings.ToLower(name)
	distance := map[string]int{}
	for _, other := range names {
		distance[other] = edits(name, strings.ToLower(other))
		if strings.Contains(strings.ToLower(other), name) {
			distance[other] /= 4
		}
	}
	sorted := slices.Clone(names)
	slices.SortStableFunc(sorted, func(a, b string) int { return distance[a] - distance[b] })
	return sorted[:min(n, len(sorted))]
}

// Question asks whether one of the names was meant, as "did you mean compute?", or is
// empty where none is so near that a slip of the fingers explains it: a third of the
// letters may differ, or the name is the beginning of one.
func Question(name string, names []string) string {
	if name == "" {
		return ""
	}
	lower := strings.ToLower(name)
	for _, near := range Names(name, names, len(names)) {
		other := strings.ToLower(near)
		if edits(lower, other) <= max(1, len(other)/3) || len(lower) > 2 && strings.HasPrefix(other, lower) {
			return "did you mean " + near + "?"
		}
	}
	return ""
}

// edits is the Levenshtein distance of two texts, in bytes, where two letters that
// changed places are one edit.
func edits(a, b string) int {
	rows := [3][]int{make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)}
	row, above, twoAbove := rows[0], rows[1], rows[2]
	for j := range above {
		above[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 0
			if a[i-1] != b[j-1] {
				cost = 1
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], twoAbove[j-2]+1)
			}
		}
		row, above, twoAbove = twoAbove, row, above
	}
	return above[len(b)]
}
