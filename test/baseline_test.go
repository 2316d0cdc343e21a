package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/compute"
)

// TestBaselineIsCalibrated: of random directions that the baseline does not use, as many
// have low p-values as the p-values say, and none is significant; features of the first
// layer are like them, those of the last are not.
func TestBaselineIsCalibrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "chance.db")
	copyFile(t, example, path)
	mustRun(t, "--db", path, "load", "directions", "--sql", "SELECT random_direction(77, range, 576) AS w_dec FROM range(1500)", "--name", "chance")
	mustRun(t, "--db", path, "compute")
	db := openReadOnly(t, path)
	for _, limit := range []struct{ nominal, least, most float64 }{{0.05, 0.7, 1.4}, {0.01, 0.5, 1.5}, {0.001, 0.1, 2}} {
		var pairs int
		var observed, closed float64
		err := db.QueryRowContext(t.Context(), `SELECT count(*), count(*) FILTER (p_value < $1) / count(*) / $1, count(*) FILTER (ks_p_value < $1) / count(*) / $1
			FROM enrichment WHERE sae = 'chance' AND p_value IS NOT NULL`, limit.nominal).Scan(&pairs, &observed, &closed)
		if err != nil || pairs < 20_000 || observed < limit.least || observed > limit.most {
			t.Errorf("of %d pairs %.2f × %g have a lower p-value (%v)", pairs, observed, limit.nominal, err)
		}
		if closed < 5 {
			t.Errorf("closed-form p-values below %g: only %.1f times as many", limit.nominal, closed)
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM enrichment WHERE sae = 'chance' AND q_value < 0.05":                                                       "0",
		"SELECT count(*) <= 3 FROM enrichment WHERE layer = 4 AND q_value < 0.05":                                                       "true",
		"SELECT count(*) > 30 FROM enrichment WHERE layer = 29 AND q_value < 0.05":                                                      "true",
		"SELECT count(*) FROM features WHERE sae = 'chance' AND (skewness_q < 0.05 OR kurtosis_q < 0.05)":                               "0",
		"SELECT count(*) > 100 FROM features WHERE layer = 29 AND kurtosis_q < 0.05":                                                    "true",
		"SELECT bool_and(abs(2 * auc - 1 - effect) < 1e-6 AND q_value >= p_value * 0.999 AND q_all >= p_value * 0.999) FROM enrichment": "true",
		// The tail and the count meet where 1 % of the random directions are.
		"SELECT bool_and(abs(es_z - 2.5758) < 0.02) FROM enrichment e JOIN baseline_enrichment b USING (token_set, model) WHERE abs(es - es_q99) < 1e-4 * es_q99": "true",
		"SELECT count(*) FROM baseline_statistics WHERE q01 < q50 AND q50 < q99 AND directions = 4096":                                                            "7",
		"SELECT count(*) FROM baseline_enrichment WHERE expected_es < es_q99 AND auc_scale > 0":                                                                   "16",
	} {
		if got := texts(t, db.DB, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s gave %s, expected %s", query, got[0], want)
		}
	}
}

// TestBaselineFindsWhatIsPlanted: a direction along the tokens of a set, with noise four
// times as long, is beyond chance in that set.
func TestBaselineFindsWhatIsPlanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "planted.db")
	copyFile(t, example, path)
	mustRun(t, "--db", path, "load", "directions", "--name", "planted", "--sql", `
		WITH mean AS (SELECT token_set, i, avg(w_u[i]) AS m FROM token_set_members JOIN unembeddings USING (model, token_id), range(1, 577) r(i)
		              WHERE token_set IN ('all_digits', 'boy_names', 'starts_with_capital') GROUP BY ALL),
		unit AS (SELECT token_set, list(m ORDER BY i) AS v FROM mean GROUP BY token_set)
		SELECT list_transform(list_zip(list_transform(v, lambda x: x / sqrt(list_inner_product(v, v))), random_direction(5, row_number() OVER (), 576)),
		       lambda p: CAST(p[1] + 2 * p[2] AS FLOAT)) AS w_dec FROM unit ORDER BY token_set`)
	mustRun(t, "--db", path, "compute", "--sae", "planted")
	db := openReadOnly(t, path)
	for feature, set := range []string{"all_digits", "boy_names", "starts_with_capital"} {
		got := texts(t, db.DB, "SELECT direction || ' ' || (q_value < 0.05) || ' ' || (effect > 0) FROM enrichment WHERE sae = 'planted' AND token_set = '"+set+"' AND feature = "+string(rune('0'+feature)))
		if len(got) != 1 || got[0] != "promoted true true" {
			t.Errorf("%s: %v", set, got)
		}
	}
}

// TestBaselineIsTheSame: whatever the kernel that fuses and the number of threads, in one pass
// or set by set, random directions give the same baseline, bit for bit.
func TestBaselineIsTheSame(t *testing.T) {
	dir := t.TempDir()
	start := filepath.Join(dir, "start.db")
	mustRun(t, "--db", start, "load", "model", exampleModel, "--name", "m")
	mustRun(t, "--db", start, "load", "directions", "--sql", "SELECT random_direction(2, range, 576) AS w_dec FROM range(40)", "--name", "few")
	var first []string
	for i, kernel := range compute.Kernels() {
		if !slices.Contains(fused, kernel) {
			continue
		}
		db := filepath.Join(dir, kernel+".db")
		copyFile(t, start, db)
		steps := [][]string{{"load", "sets", "--family", "names"}, {"load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id % 999 = 7"}, {"compute", "--baseline", "300"}}
		if i%2 == 1 {
			steps = [][]string{{"compute", "--baseline", "300"}, steps[0], {"compute"}, steps[1], {"compute"}}
		}
		for _, step := range steps {
			command := exec.Command(program, append([]string{"--db", db}, step...)...)
			command.Env = append(os.Environ(), compute.KernelVariable+"="+kernel, "GOMAXPROCS="+string(rune('1'+i)))
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", step, err, out)
			}
		}
		opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		got := texts(t, opened.DB, `SELECT CAST(n AS VARCHAR) FROM (SELECT token_set, e.* EXCLUDE (baseline_id, set_id) FROM stored_baseline_enrichment e JOIN stored_token_sets USING (set_id)) n
			UNION ALL SELECT concat_ws(' ', feature, token_set, es, effect, p_value, es_z) FROM enrichment ORDER BY ALL`)
		opened.Close()
		if first == nil {
			first = got
		}
		if missing, added := difference(first, got); len(missing)+len(added) > 0 || len(got) < 120 {
			t.Errorf("%s: %d rows, %d of them other ones", kernel, len(got), len(added))
		}
	}
}

// TestBaselineOption: too few directions are wrong usage, 0 computes none, and what is there
// is not computed again.
func TestBaselineOption(t *testing.T) {
	db := smallDatabase(t)
	expectFailure(t, saedbRun(t, "", "--db", db, "compute", "--baseline", "10"), 2, "expected 0, for none, or at least 200 random directions, found 10")
	if said := mustRun(t, "--db", db, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Error(said)
	}
	if said := mustRun(t, "--db", db, "compute", "--baseline", "250"); !strings.Contains(said, "250 random directions in 4 token sets") || strings.Count(said, "adjusted p- and q-values") != 2 {
		t.Error(said)
	}
	if n := count(t, db, "SELECT count(*) FROM stored_baselines"); n != 1 {
		t.Errorf("%d baselines are kept, expected 1", n)
	}
	mustRun(t, "--db", db, "check", "--all")
	fresh := filepath.Join(t.TempDir(), "none.db")
	mustRun(t, "--db", fresh, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	tinySAE(t, filepath.Join(filepath.Dir(fresh), "blocks.0.hook_resid_pre"), 0)
	mustRun(t, "--db", fresh, "load", "sae", filepath.Dir(fresh))
	mustRun(t, "--db", fresh, "load", "sets", "--name", "first", "--sql", "SELECT token_id FROM tokens WHERE token_id < 10")
	mustRun(t, "--db", fresh, "compute", "--baseline", "0")
	if n := count(t, fresh, "SELECT count(*) FROM enrichment WHERE es IS NOT NULL AND ks_p_value IS NOT NULL AND p_value IS NULL AND q_value IS NULL AND es_z IS NULL"); n != 24 {
		t.Errorf("%d scores without a baseline, expected 24", n)
	}
	mustRun(t, "--db", fresh, "check", "--all")
	mustRun(t, "--db", fresh, "compute")
	if n := count(t, fresh, "SELECT count(*) FROM enrichment WHERE p_value IS NOT NULL AND q_value IS NOT NULL AND es_z IS NOT NULL"); n != 24 {
		t.Errorf("%d scores against the baseline that came later, expected 24", n)
	}
}
