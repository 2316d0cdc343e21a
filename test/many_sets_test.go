package test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestManySets: 20,000 token sets are loaded from a file and from user_token_sets, keep
// the order of the file, and are scored in every feature.
func TestManySets(t *testing.T) {
	const sets, features = 20_000, 60
	db, dir := tinyModel(t), t.TempDir()
	// The i-th set has the tokens of the bits of i+1.
	var gmt strings.Builder
	for i := range sets {
		fmt.Fprintf(&gmt, "set %05d\t", i)
		for bit := range 17 {
			if (i+1)>>bit&1 == 1 {
				gmt.WriteString("\t" + smallVocabulary[bit])
			}
		}
		gmt.WriteString("\n")
	}
	file := write(t, dir, "many.gmt", []byte(gmt.String()))
	mustRun(t, "--db", db, "load", "directions", "--sql", fmt.Sprintf("SELECT [sin(i), cos(i), i / 60.0] FROM range(%d) t(i)", features), "--name", "many", "--layer", "0")
	execute(t, db, fmt.Sprintf("INSERT INTO user_token_sets SELECT 'tiny', 'mine ' || i, unnest([i %% 17, 17]) FROM range(%d) t(i)", sets))

	begun := time.Now()
	contains(t, mustRun(t, "--db", db, "load", "sets", file), "20000 added, 0 replaced, 0 unchanged", "from user_token_sets: 20000 added, 0 replaced, 0 dropped, 0 unchanged")
	contains(t, mustRun(t, "--db", db, "load", "sets", file), "0 added, 0 replaced, 20000 unchanged")
	if took := time.Since(begun); took > time.Minute {
		t.Errorf("two loads of 40,000 sets took %v", took) // a query a set takes minutes
	}
	for query, want := range map[string]int{
		// Ids are in the order of the file, and each set has its own tokens.
		"SELECT count(*) FROM (SELECT lag(token_set) OVER (ORDER BY set_id) AS before, token_set FROM stored_token_sets WHERE source = 'file many.gmt') WHERE before >= token_set": 0,
		"SELECT count(*) FROM stored_token_sets WHERE source = 'file many.gmt' AND list_sum([1 << token_id FOR token_id IN token_ids]) = CAST(token_set[5:] AS INTEGER) + 1":       sets,
		"SELECT count(DISTINCT set_id) FROM stored_token_sets": 2 * sets,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}

	execute(t, db, "DELETE FROM user_token_sets WHERE token_set <> 'mine 3'", "UPDATE user_token_sets SET token_id = 5 WHERE token_id = 17")
	contains(t, mustRun(t, "--db", db, "load", "sets", file), fmt.Sprintf("from user_token_sets: 0 added, 1 replaced, %d dropped, 0 unchanged", sets-1))
	contains(t, mustRun(t, "--db", db, "compute", "--baseline", "512"), fmt.Sprintf("computed many: %d features and their enrichment in %d token sets", features, sets+1))
	for query, want := range map[string]int{
		"SELECT count(*) FROM enrichment WHERE q_value IS NOT NULL": features * (sets + 1),
		`SELECT count(*) FROM enrichment e JOIN decoder_directions d USING (sae, feature)
			WHERE token_set IN ('set 00000', 'set 12345', 'set 19999', 'mine 3') AND es = CAST(enrichment_score(d.w_dec, 'tiny', token_set) AS FLOAT)`: 4 * features,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	contains(t, mustRun(t, "--db", db, "compute"), "nothing to compute")
}
