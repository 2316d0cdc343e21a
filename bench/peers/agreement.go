package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
)

// tokensAtEnd is how many tokens saedb compute stores of each end.
const tokensAtEnd = 10

// figures are the statistics that are compared. Deviations of a mean count in
// standard deviations: with a centred unembedding the mean is zero but for rounding.
// The others' are absolute over max(1, |figure|), which for kurtosis and skewness
// means the units that they have anyway.
var figures = []struct {
	name string
	unit string // column whose value is the unit; none for max(1, |figure|)
}{
	{"mean", "std"}, {"std", "std"}, {"skewness", ""}, {"kurtosis", ""},
	{"cos_mean", "cos_std"}, {"cos_std", "cos_std"}, {"cos_skewness", ""}, {"cos_kurtosis", ""},
}

// tolerance is what float32 sums over a vocabulary may differ by from float64's.
const tolerance = 1e-4

// table is a CSV file of numbers, by column.
type table map[string][]float64

func readTable(path string) (table, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	t := make(table)
	for _, row := range rows[1:] {
		for i, name := range rows[0] {
			value, err := strconv.ParseFloat(row[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", path, name, err)
			}
			t[name] = append(t[name], value)
		}
	}
	return t, nil
}

// agree compares every figure that both have, prints the largest deviations, and
// returns an error for one beyond the tolerance.
func agree(ours, theirs result) error {
	a, err := readTable(ours.table)
	if err != nil {
		return err
	}
	b, err := readTable(theirs.table)
	if err != nil {
		return err
	}
	if len(a["feature"]) != len(b["feature"]) || len(a["feature"]) == 0 {
		return fmt.Errorf("%s has %d features, saedb %d", theirs.name, len(b["feature"]), len(a["feature"]))
	}
	fmt.Printf("agreement with %s, largest deviations:", theirs.name)
	for _, figure := range figures {
		if _, found := b[figure.name]; !found {
			continue
		}
		deviation := largestDeviation(a[figure.name], b[figure.name], a[figure.unit])
		fmt.Printf(" %s %.1e", figure.name, deviation)
		if !(deviation <= tolerance) { // NaN is a disagreement too
			return fmt.Errorf("%s of %s deviates by %g from saedb's, more than %g", figure.name, theirs.name, deviation, tolerance)
		}
	}
	if _, found := b["top_token_id_0"]; !found {
		fmt.Println()
		return nil
	}
	return agreeOnTokens(a, b, theirs.name)
}

// largestDeviation compares columns in the given units, or relatively to the figure
// where it is above one.
func largestDeviation(a, b, unit []float64) float64 {
	var largest float64
	for i := range a {
		scale := max(1, math.Abs(a[i]))
		if unit != nil {
			scale = unit[i]
		}
		deviation := math.Abs(a[i]-b[i]) / scale
		if math.IsNaN(deviation) {
			return deviation
		}
		largest = max(largest, deviation)
	}
	return largest
}

// agreeOnTokens compares rankings: a place may hold another token only where the
// logit weights of the two are within the tolerance, in standard deviations.
func agreeOnTokens(a, b table, name string) error {
	places, swapped := 0, 0
	for _, end := range []string{"top", "bottom"} {
		for i := range tokensAtEnd {
			ids, weights := fmt.Sprintf("%s_token_id_%d", end, i), fmt.Sprintf("%s_logit_weight_%d", end, i)
			deviation := largestDeviation(a[weights], b[weights], a["std"])
			if !(deviation <= tolerance) {
				return fmt.Errorf("%s: %s deviates by %g standard deviations from saedb's", name, weights, deviation)
			}
			for j := range a[ids] {
				places++
				if a[ids][j] != b[ids][j] {
					swapped++
				}
			}
		}
	}
	fmt.Printf("; tokens: %d of %d places differ, between logit weights within %.0e standard deviations\n", swapped, places, tolerance)
	return nil
}
