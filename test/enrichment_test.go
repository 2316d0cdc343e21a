package test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// TestEnrichment compares enrichment scores with SAELens's, its sets loaded as a
// person's own, for every golden feature and set. SAELens ranks float32 logit
// weights, which cannot tell some neighbours apart; a swap moves a score by 2e-5.
func TestEnrichment(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	sets := filepath.Join(goldenDir, "token_sets.json")
	for _, want := range []string{" 0 replaced", " 0 added, 0 replaced"} {
		// Three of its sets are empty, which a note says.
		if r := saedbRun(t, "", "--db", db, "load", "sets", sets); r.code != 0 || !strings.Contains(r.stdout, want) || !strings.Contains(r.stderr, "3 of 68 sets are left out") {
			t.Fatalf("exit %d: %s%s", r.code, r.stdout, r.stderr)
		}
	}
	if said := mustRun(t, "--db", db, "compute"); strings.Count(said, "scored ") != 6 {
		t.Errorf("compute said %q", said)
	}
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, hook := range hooks(t) {
		compareScores(t, opened, hook)
	}
	opened.Close()
	scoredTogether(t, db)
	addedLater(t, db)
}

// scoredTogether: statistics and scores that are computed in one pass are those of
// one after the other, bit for bit.
func scoredTogether(t *testing.T, db string) {
	t.Helper()
	together := filepath.Join(t.TempDir(), "together.db")
	copyFile(t, db, together)
	for _, table := range []string{"stored_statistics", "stored_enrichment", "stored_computations"} {
		change(t, together, "DELETE FROM "+table)
	}
	if said := mustRun(t, "--db", together, "compute", "--sae", "*29*"); !strings.Contains(said, "1536 features and their enrichment in") || strings.Contains(said, "scored") {
		t.Errorf("compute said %q", said)
	}
	for _, table := range []string{"stored_statistics", "stored_enrichment"} {
		difference := fmt.Sprintf(`ATTACH '%[1]s' AS apart (READ_ONLY); SELECT 'rows ' || count(*) FROM %[2]s;
			SELECT 'other ' || count(*) FROM (
				SELECT * FROM apart.%[2]s WHERE sae_id = (SELECT sae_id FROM stored_saes WHERE block = 29) EXCEPT SELECT * FROM %[2]s)`, db, table)
		if said := mustRun(t, "--db", together, "sql", "--format", "csv", difference); !strings.Contains(said, "other 0") || strings.Contains(said, "rows 0") {
			t.Errorf("%s: %s", table, said)
		}
	}
}

// compareScores checks every golden score of one SAE.
func compareScores(t *testing.T, db *saedb.DB, hook string) {
	t.Helper()
	file, err := os.Open(filepath.Join(goldenDir, "enrichment_"+hook+".csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	golden, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := db.QueryContext(t.Context(), "SELECT feature, token_set, es FROM enrichment WHERE sae = ?", demoRelease+hook)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type key struct{ feature, set string }
	scores := map[key]float64{}
	for rows.Next() {
		var k key
		var es float64
		if err := rows.Scan(&k.feature, &k.set, &es); err != nil {
			t.Fatal(err)
		}
		scores[k] = es
	}
	worst, compared, beyond := 0.0, 0, 0
	for _, record := range golden[1:] {
		for i, text := range record[1:] {
			want, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := scores[key{golden[0][i+1], record[0]}]
			off := math.Abs(got - want)
			if ok && off > 5e-5 {
				// SAELens's float32 ranking lost against float64's: then ours must agree
				// with that.
				exact := exactScore(t, db, hook, golden[0][i+1], record[0])
				t.Logf("%s feature %s, set %s: score %.9f, SAELens %.9f, float64 %.9f", hook, golden[0][i+1], record[0], got, want, exact)
				off = math.Abs(got - exact)
				beyond++
			}
			if !ok || !(off <= 5e-5) {
				t.Errorf("%s feature %s, set %s: score %g, golden %g", hook, golden[0][i+1], record[0], got, want)
			}
			worst, compared = max(worst, off), compared+1
		}
	}
	t.Logf("%s: %d scores, largest difference %.1e", hook, compared, worst)
	if compared < 10_000 || beyond > 2 {
		t.Errorf("%s: %d golden scores, %d of them further from SAELens than float32 explains", hook, compared, beyond)
	}
}

// addedLater: a set that is loaded later is scored alone, and q-values count it.
func addedLater(t *testing.T, db string) {
	t.Helper()
	mustRun(t, "--db", db, "load", "sets", "--name", "colon", "--sql", "SELECT token_id FROM tokens WHERE text LIKE '%:%'")
	if said := mustRun(t, "--db", db, "compute", "--sae", "*29*"); !strings.Contains(said, "1536 features in 1 token sets") {
		t.Errorf("compute said %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM layer_29 WHERE feature = (SELECT feature FROM enrichment WHERE token_set = 'colon' AND direction = 'promoted' ORDER BY es DESC LIMIT 1) AND contains(top_tokens[1], ':')"); n != 1 {
		t.Error("the feature most enriched for colons does not promote a colon most")
	}
	compareQValuesOf(t, db, 50_000)
	// The definition, once more: between p and p·N/rank.
	if n := count(t, db, `WITH p AS (SELECT p_value, q_all AS q_value, cume_dist() OVER (ORDER BY p_value) AS share FROM enrichment WHERE layer = 29 AND p_value > 1e-30)
		SELECT count(*) FROM p WHERE q_value > p_value / share * 1.001 OR q_value < p_value * 0.999`); n != 0 {
		t.Errorf("%d q-values are not between p and p·N/rank", n)
	}
	if n := count(t, db, "SELECT count(*) FROM enrichment WHERE q_value IS NULL AND es IS NOT NULL"); n != 0 {
		t.Errorf("%d scores have no q-value", n)
	}
}

// TestEnrichmentWithoutPValues: a set with no token that counts scores NULL, also where an SAE has no other.
func TestEnrichmentWithoutPValues(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "no-p-values.db")
	mustRun(t, "--db", db, "load", "model", exampleModel, "--name", "smollm2-135m")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"))
	mustRun(t, "--db", db, "load", "sets", "--name", "special", "--sql", "SELECT token_id FROM tokens WHERE is_special")
	if said := mustRun(t, "--db", db, "compute", "--tokens", "real"); !strings.Contains(said, "1536 features and their enrichment in") {
		t.Errorf("compute said %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM enrichment WHERE size = 0 AND es IS NULL AND p_value IS NULL AND q_value IS NULL AND auc IS NULL"); n != 1536 {
		t.Errorf("%d scores are NULL, not 1536", n)
	}
	mustRun(t, "--db", db, "check")
}

// TestEnrichmentOfZeros: the logit weights of a direction of zeros are all equal, and rank no token.
func TestEnrichmentOfZeros(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "zeros.db")
	mustRun(t, "--db", db, "load", "model", exampleModel, "--name", "smollm2-135m")
	mustRun(t, "--db", db, "load", "directions", "--sql", "SELECT list_resize([0::FLOAT], 576, 0) AS w_dec FROM range(2)", "--name", "zeros")
	mustRun(t, "--db", db, "load", "sets", "--family", "letters")
	mustRun(t, "--db", db, "compute")
	if n := count(t, db, "SELECT count(*) FROM enrichment WHERE size > 0 AND es IS NULL AND direction IS NULL AND p_value IS NULL AND q_value IS NULL AND auc IS NULL"); n != 2*26 {
		t.Errorf("%d scores are NULL, not 52", n)
	}
	for _, function := range []string{"enrichment_score(w_dec, model, 'letter_a')", "enrich(w_dec, model)[1].p_value", "nullif(len(leading_edge(w_dec, model, 'letter_a')), 0)"} {
		if n := count(t, db, "SELECT count(*) FROM decoder_directions WHERE "+function+" IS NULL"); n != 2 {
			t.Errorf("%s of %d directions is NULL, not of 2", function, n)
		}
	}
	mustRun(t, "--db", db, "check")
}

// exactScore is the enrichment score from float64 logit weights, by the
// definition: the largest distance of the running sum over the ranking.
func exactScore(t *testing.T, db *saedb.DB, hook, feature, set string) float64 {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT list_contains(s.tokens, k.token_id)
		FROM decoder_directions d, tokens k, token_sets s
		WHERE d.sae = ? AND d.feature = CAST(? AS INTEGER) AND s.token_set = ?
		ORDER BY logit_weight(d.w_dec, d.model, k.token_id) DESC, k.token_id`, demoRelease+hook, feature, set)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var hits []bool
	members := 0
	for rows.Next() {
		var hit bool
		if err := rows.Scan(&hit); err != nil {
			t.Fatal(err)
		}
		if hits = append(hits, hit); hit {
			members++
		}
	}
	sum, furthest := 0.0, 0.0
	for _, hit := range hits {
		if hit {
			sum += 1 / float64(members)
		} else {
			sum -= 1 / float64(len(hits)-members)
		}
		furthest = max(furthest, math.Abs(sum))
	}
	return furthest
}

// compareQValuesOf checks the stored q-values, which SQL computes over an SAE and within each
// family of sets, against those that [logQValues] computes from the same p-values. Both are
// stored as float32 logarithms.
func compareQValuesOf(t *testing.T, path string, least int) {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT family, CAST(log10_p AS DOUBLE) * ln(10), CAST(log10_q AS DOUBLE) * ln(10), CAST(log10_q_all AS DOUBLE) * ln(10)
		FROM stored_enrichment e JOIN saes s ON s.load_id = e.sae_id JOIN stored_token_sets USING (set_id) WHERE s.layer = 29 AND log10_p IS NOT NULL`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	type values struct{ p, q []float64 }
	among := map[string]*values{} // of families, "" for all sets
	for rows.Next() {
		var family string
		var p, q, all float64
		if err := rows.Scan(&family, &p, &q, &all); err != nil {
			t.Fatal(err)
		}
		for name, of := range map[string]float64{family: q, "": all} {
			if among[name] == nil {
				among[name] = &values{}
			}
			among[name].p, among[name].q = append(among[name].p, p), append(among[name].q, of)
		}
	}
	if err := rows.Err(); err != nil || len(among) < 2 || len(among[""].p) < least {
		t.Fatalf("p-values of %d families (%v)", len(among)-1, err)
	}
	for family, v := range among {
		for i, want := range logQValues(v.p) {
			if !(math.Abs(v.q[i]-want) <= 1e-6*max(1, math.Abs(want))) {
				t.Fatalf("family %q, p-value exp(%g): q-value exp(%g), expected exp(%g)", family, v.p[i], v.q[i], want)
			}
		}
	}
}

// TestLeadingEdgesAtOnce: the leading edges of many features, which are multiplied together, are those
// of each alone, to the last bit.
func TestLeadingEdgesAtOnce(t *testing.T) {
	t.Parallel()
	const all = "SELECT feature, leading_edge(w_dec, model, 'girl_names') AS edge FROM decoder_directions WHERE layer = 29"
	var alone []string
	for _, feature := range []int{0, 63, 64, 127, 128, 1535} {
		alone = append(alone, fmt.Sprintf("FROM (%s AND feature = %d)", all, feature))
	}
	said := mustRun(t, "--db", example, "sql", "--format", "csv", fmt.Sprintf(`WITH every AS MATERIALIZED (%s)
		SELECT count(*), count(*) FILTER (every.edge = alone.edge AND len(alone.edge) > 0) FROM every JOIN (%s) alone USING (feature)`, all, strings.Join(alone, " UNION ALL ")))
	if !strings.HasSuffix(said, "\n6,6\n") {
		t.Errorf("features, and those whose leading edge is the same: %s", said)
	}
}
