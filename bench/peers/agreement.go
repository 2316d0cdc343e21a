package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// tokensAtEnd is how many tokens saedb compute stores of each end.
const tokensAtEnd = 10

// tolerance is what float32 sums over a vocabulary may differ by from float64's.
const tolerance = 1e-4

// figures are what is compared, and in which unit: deviations of a mean and of logit weights
// count in standard deviations, since with a centred unembedding the mean is zero but for
// rounding. Those of kurtosis and skewness are absolute over max(1, |figure|), which means the
// units that they have anyway.
var figures = []struct{ name, deviation string }{
	{"mean", "abs(a.mean - b.mean) / a.std"}, {"std", "abs(a.std - b.std) / a.std"},
	{"skewness", "abs(a.skewness - b.skewness) / greatest(1, abs(a.skewness))"},
	{"kurtosis", "abs(a.kurtosis - b.kurtosis) / greatest(1, abs(a.kurtosis))"},
	{"cos_mean", "abs(a.cos_mean - b.cos_mean) / a.cos_std"}, {"cos_std", "abs(a.cos_std - b.cos_std) / a.cos_std"},
	{"cos_skewness", "abs(a.cos_skewness - b.cos_skewness) / greatest(1, abs(a.cos_skewness))"},
	{"cos_kurtosis", "abs(a.cos_kurtosis - b.cos_kurtosis) / greatest(1, abs(a.cos_kurtosis))"},
	{"top_logit_weights", "list_max([abs(w[1] - w[2]) / a.std FOR w IN list_zip(a.top_logit_weights, b.top_logit_weights)])"},
	{"bottom_logit_weights", "list_max([abs(w[1] - w[2]) / a.std FOR w IN list_zip(a.bottom_logit_weights, b.bottom_logit_weights)])"},
}

// agree compares every figure of a script's table with saedb's, prints the largest deviations, and
// returns an error for one beyond the tolerance. A place in a ranking may hold another token only
// where the logit weights of the two are within it.
func agree(database measure.Database, theirs result) error {
	lists, compared := []string{"*"}, []string{"count(b.feature) AS found", "count(*) AS expected"}
	for _, end := range []string{"top", "bottom"} {
		for _, what := range []string{"logit_weight", "token_id"} {
			var columns []string // lists are in numbered columns
			for i := range tokensAtEnd {
				columns = append(columns, fmt.Sprintf("%s_%s_%d", end, what, i))
			}
			lists = append(lists, fmt.Sprintf("[%s] AS %s_%ss", strings.Join(columns, ", "), end, what))
		}
		compared = append(compared, fmt.Sprintf("CAST(sum(len([1 FOR t IN list_zip(a.%[1]s_token_ids, b.%[1]s_token_ids) IF t[1] <> t[2]])) AS DOUBLE) AS %[1]s_swapped", end))
	}
	for _, f := range figures {
		compared = append(compared, "max("+f.deviation+") AS "+f.name)
	}
	run, err := database.Saedb("sql", "--read-only", "--format", "json", fmt.Sprintf("SELECT %s FROM stored_statistics a LEFT JOIN (SELECT %s FROM read_csv('%s')) b USING (feature)",
		strings.Join(compared, ", "), strings.Join(lists, ", "), theirs.table))
	if err != nil {
		return err
	}
	var rows []map[string]*float64 // nil is NULL and NaN
	if err := json.Unmarshal([]byte(run.Output), &rows); err != nil {
		return err
	}
	got := rows[0]
	if *got["found"] != *got["expected"] || *got["found"] == 0 {
		return fmt.Errorf("%s has %.0f features of saedb's %.0f", theirs.name, *got["found"], *got["expected"])
	}
	fmt.Printf("agreement with %s, largest deviations:", theirs.name)
	for _, f := range figures {
		deviation := got[f.name]
		if deviation == nil || !(*deviation <= tolerance) {
			return fmt.Errorf("%s of %s deviates from saedb's by more than %g, or is no number", f.name, theirs.name, tolerance)
		}
		fmt.Printf(" %s %.1e", f.name, *deviation)
	}
	fmt.Printf("; tokens: %.0f of %.0f places differ, between logit weights within %.0e standard deviations\n",
		*got["top_swapped"]+*got["bottom_swapped"], 2*tokensAtEnd**got["found"], tolerance)
	return nil
}
