package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// The interpreters of the environments that the two install.sh make.
const (
	peersPython = "build/peers/bin/python"
	gseaPython  = "build/gsea/bin/python"
)

// scores maps a set and a feature to es.
type scores map[[2]string]float64

// script runs one of the Python programs beside this file, whose last argument is the
// file for its scores, and returns what it reports and those.
func script(python, name string, arguments ...string) (seconds float64, peak int64, run measure.Run, found scores, err error) {
	results := filepath.Join(measure.Scratch, "enrichment-results.csv")
	home, err := filepath.Abs(measure.Scratch) // libraries leave directories in it
	if err != nil {
		return 0, 0, run, nil, err
	}
	seconds, peak, run, err = measure.Script[float64]([]string{"PYTHONPATH=bench/peers", "HOME=" + home}, python,
		filepath.Join("bench/enrichment", name), append(arguments, results)...)
	if err != nil {
		return 0, 0, run, nil, err
	}
	text, err := os.ReadFile(results)
	if err == nil {
		found, err = readScores(string(text))
	}
	return seconds, peak, run, found, err
}

func readScores(text string) (scores, error) {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	found := scores{}
	for _, r := range rows[min(1, len(rows)):] {
		if found[[2]string{r[0], r[1]}], err = strconv.ParseFloat(r[2], 64); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// agree holds scores against those in what saedb printed, and prints the largest difference. It is
// an error where that is beyond what is tolerated or a score is missing.
func agree(name, printed string, theirs scores, expected int, tolerance float64) error {
	ours, err := readScores(printed)
	if err != nil {
		return err
	}
	largest := 0.0
	for key, es := range theirs {
		score, found := ours[key]
		if largest = max(largest, math.Abs(score-es)); !found || !(math.Abs(score-es) <= tolerance) {
			return fmt.Errorf("%s: set %s, feature %s: es %v, saedb %v", name, key[0], key[1], es, score)
		}
	}
	if len(theirs) != expected {
		return fmt.Errorf("%s: %d scores, expected %d", name, len(theirs), expected)
	}
	fmt.Printf("  %-46s largest difference of es %.1e\n", "", largest)
	return nil
}

// againstSAELens scores the first features with get_enrichment_df, which keeps
// [sets, features, vocabulary] matrices of 13 bytes an element beside the projection
// and its sorted copies of 16. As many features are scored in 4 sets as take the
// memory of those in 100, the tutorial's way.
func (s *setting) againstSAELens(most int) error {
	fmt.Println("SAELens, get_enrichment_df alone:")
	for _, c := range s.scored() {
		perFeature := int64(s.files.Vocab) * int64(16+13*len(c.sets))
		wanted := int64(most) * int64(s.files.Vocab) * int64(16+13*len(s.many.sets)) / perFeature
		features := int(min(wanted, measure.AvailableMemory()*2/3/perFeature, int64(s.files.Features)))
		seconds, peak, run, theirs, err := script(peersPython, "saelens.py", s.files.Model, s.files.SAE, c.file, strconv.Itoa(features))
		if err != nil {
			return err
		}
		rate := float64(features*len(c.sets)) / seconds
		row(fmt.Sprintf("%d features, %d sets", features, len(c.sets)), seconds, run, peak,
			fmt.Sprintf("%.0f scores/s; saedb makes %.0f × as many in one pass with the statistics, %.0f × alone", rate, c.together/rate, c.rate/rate))
		ours, err := c.Saedb("sql", "--format", "csv", fmt.Sprintf("SELECT token_set, feature, es FROM enrichment WHERE feature < %d", features))
		if err != nil {
			return err
		}
		// Its float32 ranking and sums cost it up to that.
		if err := agree("SAELens", ours.Output, theirs, features*len(c.sets), 2e-4); err != nil {
			return err
		}
	}
	fmt.Println()
	return nil
}
