package test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/bench/measure"
	"github.com/saedb/saedb/internal/compute"
	"gonum.org/v1/gonum/stat/distuv"
)

// TestBaselineIsCalibrated: of random directions that the baseline does not use, as many
// have low p-values as the p-values say, and none is significant; features of the first
// layer are like them, those of the last are not.
func TestBaselineIsCalibrated(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "chance.db")
	copyFile(t, example, path)
	mustRun(t, "--db", path, "load", "directions", "--sql", "SELECT random_direction(77, range, 576) AS w_dec FROM range(1500)", "--name", "chance")
	mustRun(t, "--db", path, "compute")
	db := openReadOnly(t, path)
	// make bench-calibration has more directions and sets, and bounds of 0.5 to 1.5. Of so few
	// sets, whose pairs with one direction depend on each other, shares vary more.
	classes, err := measure.Calibrate(t.Context(), db.DB, "chance")
	if err != nil {
		t.Fatal(err)
	}
	if all := classes[len(classes)-1]; len(classes) != 5 || all.Sets != 16 || all.Pairs != 16*1500 {
		t.Errorf("%d classes, all of them %d pairs of %d sets", len(classes), all.Pairs, all.Sets)
	}
	for _, c := range classes {
		if err := c.Check(0.4, 1.6); err != nil {
			t.Error(err)
		}
		if c.Closed[1] < 5 {
			t.Errorf("sets of %s tokens: closed-form p-values below %g: only %.1f times as many", c.Class, measure.Levels[1], c.Closed[1])
		}
	}
	for query, want := range map[string]string{
		"SELECT count(*) FROM enrichment WHERE sae = 'chance' AND q_value < 0.05":                                                       "0",
		"SELECT count(*) FILTER (q_value < 0.05) < 1e-4 * count(*) AND count(*) = 1536 * 16 FROM enrichment WHERE layer = 4":            "true",
		"SELECT count(*) FILTER (q_value < 0.05) >= 0.0015 * count(*) FROM enrichment WHERE layer = 29":                                 "true",
		"SELECT count(*) FROM features WHERE sae = 'chance' AND (skewness_q < 0.05 OR kurtosis_q < 0.05)":                               "0",
		"SELECT count(*) > 100 FROM features WHERE layer = 29 AND kurtosis_q < 0.05":                                                    "true",
		"SELECT bool_and(abs(2 * auc - 1 - effect) < 1e-6 AND q_value >= p_value * 0.999 AND q_all >= p_value * 0.999) FROM enrichment": "true",
		// The tail and the count meet where 1 % of the random directions are.
		"SELECT bool_and(abs(es_z - 2.5758) < 0.02) FROM enrichment e JOIN baseline_enrichment b USING (token_set, model) WHERE abs(es - es_q99) < 1e-4 * es_q99": "true",
		"SELECT count(*) FROM baseline_statistics WHERE q01 < q50 AND q50 < q99 AND directions = 4096":                                                            "7",
		// Each value is that of the row beside it, so that the statistics of a direction stand together.
		`SELECT count(*) FILTER (v = CASE statistic WHEN 'skewness' THEN s.skewness ELSE s.kurtosis END) FROM (
			SELECT statistic, unnest(sorted_values[2000:2004]) AS v, logit_stats(random_direction(1, unnest(direction_rows[2000:2004]), 576), 'smollm2-135m') AS s
			FROM stored_baseline_statistics WHERE statistic IN ('skewness', 'kurtosis'))`: "10",
		"SELECT count(*) FROM baseline_enrichment WHERE expected_es < es_q99 AND auc_scale > 0": "16",
	} {
		if got := texts(t, db.DB, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s gave %s, expected %s", query, got[0], want)
		}
	}
}

// TestBaselineFindsWhatIsPlanted: a direction along the tokens of a set, with noise twice as
// long, is beyond chance in that set.
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

// TestBaselineIsTheSame: of either kind, whatever the kernel that fuses and the number of threads, in one pass
// or set by set, random directions give the same baseline, bit for bit.
func TestBaselineIsTheSame(t *testing.T) {
	dir := t.TempDir()
	start := filepath.Join(dir, "start.db")
	mustRun(t, "--db", start, "load", "model", exampleModel, "--name", "m")
	mustRun(t, "--db", start, "load", "directions", "--sql", "SELECT random_direction(2, range, 576) AS w_dec FROM range(40)", "--name", "few")
	var first []string
	for i, kernel := range compute.Kernels() {
		if !slices.Contains(compute.Fused, kernel) {
			continue
		}
		db := filepath.Join(dir, kernel+".db")
		copyFile(t, start, db)
		like := []string{"compute", "--baseline", "300", "--baseline-like", "sae"}
		steps := [][]string{{"load", "sets", "--family", "names"}, {"load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id % 999 = 7"}, {"compute", "--baseline", "300"}, like}
		if i%2 == 1 {
			steps = [][]string{{"compute", "--baseline", "300"}, steps[0], {"compute"}, like, steps[1], {"compute", "--baseline-like", "isotropic"}, {"compute", "--baseline-like", "sae"}}
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
		got := texts(t, opened.DB, `SELECT CAST(n AS VARCHAR) FROM (SELECT token_set, b.sae_id IS NULL AS isotropic, e.* EXCLUDE (baseline_id, set_id)
				FROM stored_baseline_enrichment e JOIN stored_baselines b USING (baseline_id) JOIN stored_token_sets USING (set_id)) n
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
	t.Parallel()
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

// TestMeanShiftHasItsExactNull: of isotropic directions d in n dimensions, the square of the
// cosine with the difference of a set's mean column and that of all other tokens is
// Beta(1/2, (n−1)/2): what random_direction gives on a real model agrees with it.
func TestMeanShiftHasItsExactNull(t *testing.T) {
	const n, directions = 576, 3000
	db := openExample(t)
	squares := make([]float64, 0, directions)
	rows, err := db.QueryContext(t.Context(), `
		WITH mean AS (SELECT i, avg(w_u[i]) FILTER (inside) - avg(w_u[i]) FILTER (NOT inside) AS delta
			FROM (SELECT w_u, token_id IN (SELECT token_id FROM token_set_members WHERE token_set = 'boy_names') AS inside FROM unembeddings WHERE token_id % 4 = 0), range(1, 577) r(i) GROUP BY i),
		delta AS MATERIALIZED (SELECT list(delta ORDER BY i) AS v FROM mean)
		SELECT list_inner_product(v, CAST(random_direction(1, range, 576) AS DOUBLE[])) ** 2 / list_inner_product(v, v) FROM delta, range(3000) ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var square float64
		if err := rows.Scan(&square); err != nil {
			t.Fatal(err)
		}
		squares = append(squares, square)
	}
	if err := rows.Err(); err != nil || len(squares) != directions {
		t.Fatalf("%d directions, %v", len(squares), err)
	}
	exact := distuv.Beta{Alpha: 0.5, Beta: (n - 1) / 2.0}
	worst := 0.0
	for i, v := range squares {
		worst = max(worst, math.Abs(exact.CDF(v)-(float64(i)+0.5)/directions))
	}
	// The Kolmogorov-Smirnov distance that one sample in a thousand exceeds.
	if limit := 1.95 / math.Sqrt(directions); worst > limit {
		t.Errorf("distance %g from Beta(1/2, (n-1)/2), at most %g", worst, limit)
	}
}

// textsIn is texts of a database that the program writes to again afterwards.
func textsIn(t *testing.T, path, query string) []string {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return texts(t, db.DB, query)
}

// TestBaselineLikeSAE: random directions with the covariance of the SAE's own decoder are
// stricter where features are significant; each is a function of seed, row and decoder; both
// kinds are kept, and an SAE keeps to its own until another is asked for.
func TestBaselineLikeSAE(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "like.db")
	copyFile(t, example, path)
	const sae = demoRelease + "blocks.29.hook_resid_pre"
	kinds := func() string {
		return strings.Join(textsIn(t, path, `SELECT concat_ws(' ', kind, like_sae, count(*)) FROM baseline_enrichment GROUP BY kind, like_sae ORDER BY ALL`), ", ")
	}
	significant := func() (n int) {
		return count(t, path, "SELECT count(*) FROM enrichment WHERE layer = 29 AND q_value < 0.05")
	}
	scores := func() []string {
		return textsIn(t, path, "SELECT concat_ws(' ', sae, token_set, feature, p_value, q_value, q_all, es_z) FROM enrichment WHERE feature < 100 ORDER BY ALL")
	}
	before, isotropic := scores(), significant()
	if said := mustRun(t, "--db", path, "compute", "--layer", "29", "--baseline-like", "sae", "--baseline", "1000"); !strings.Contains(said, "1000 random directions like "+sae+" in 16 token sets") {
		t.Error(said)
	}
	if got, want := kinds(), "isotropic 16, sae "+sae+" 16"; got != want {
		t.Errorf("baselines %s, expected %s", got, want)
	}
	if like := significant(); like == 0 || like >= isotropic {
		t.Errorf("%d pairs are significant, %d against isotropic directions", like, isotropic)
	}
	mustRun(t, "--db", path, "check")
	if said := mustRun(t, "--db", path, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Error(said)
	}
	// A set that comes later has a null of the same kind, from the same directions as a whole
	// baseline: its p-values are those of the functions.
	mustRun(t, "--db", path, "load", "sets", "--name", "late", "--sql", "SELECT token_id FROM tokens WHERE token_id % 777 = 5")
	mustRun(t, "--db", path, "compute", "--layer", "29")
	if got, want := kinds(), "isotropic 16, sae "+sae+" 17"; got != want {
		t.Errorf("baselines %s, expected %s", got, want)
	}
	for query, want := range map[string]string{
		`SELECT abs(median(enrichment_score(random_direction_like(1, range, '` + sae + `'), 'smollm2-135m', 'late')) - (SELECT expected_es FROM baseline_enrichment WHERE token_set = 'late')) < 1e-7 FROM range(1000)`: "true",
		`SELECT q50 BETWEEN min(s) AND max(s) FROM baseline_statistics, (SELECT skewness AS s FROM features WHERE layer = 29) WHERE kind = 'sae' AND statistic = 'skewness' GROUP BY q50`:                               "true",
		`SELECT count(DISTINCT random_direction_like(1, 3, sae)) FROM saes`: "6",
	} {
		if got := textsIn(t, path, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s gave %s, expected %s", query, got[0], want)
		}
	}
	mustRun(t, "--db", path, "unload", "sets", "late")
	mustRun(t, "--db", path, "check") // before the others' q-values are adjusted, too
	mustRun(t, "--db", path, "compute", "--baseline-like", "isotropic")
	if missing, added := difference(before, scores()); len(missing)+len(added) > 0 {
		t.Errorf("%d rows are other ones after the way back", len(added))
	}
	mustRun(t, "--db", path, "unload", "sae", sae)
	if got := kinds(); got != "isotropic 16" {
		t.Errorf("baselines %s after the SAE is gone", got)
	}
	mustRun(t, "--db", path, "check")
	expectFailure(t, saedbRun(t, "", "--db", path, "compute", "--baseline-like", "model"), 2, `expected isotropic or sae, found model`)
	expectFailure(t, saedbRun(t, "", "--db", path, "compute", "--baseline-like", "sae", "--baseline", "0"), 2, `0 random directions`)
	expectFailure(t, saedbRun(t, "", "--db", path, "sql", "SELECT random_direction_like(1, 1, 'nobody')"), 1, "no SAE of that name")
}

// TestBaselineIsTakenAway: compute --baseline 0 leaves no significance of a baseline, says so,
// and does nothing the second time.
func TestBaselineIsTakenAway(t *testing.T) {
	t.Parallel()
	db := smallDatabase(t)
	held := count(t, db, "SELECT count(*) FROM enrichment WHERE p_value IS NOT NULL AND q_value IS NOT NULL AND q_all IS NOT NULL AND es_z IS NOT NULL")
	if held == 0 || count(t, db, "SELECT count(*) FROM features WHERE skewness_p IS NOT NULL") == 0 {
		t.Fatal("there is no significance to take away")
	}
	if said := mustRun(t, "--db", db, "compute", "--baseline", "0"); !strings.Contains(said, "took away p- and q-values of ") {
		t.Error(said)
	}
	for _, query := range []string{
		"SELECT count(*) FROM enrichment WHERE p_value IS NOT NULL OR q_value IS NOT NULL OR q_all IS NOT NULL OR es_z IS NOT NULL OR expected_es IS NOT NULL OR ks_p_value IS NULL AND es IS NOT NULL",
		"SELECT count(*) FROM features WHERE skewness_p IS NOT NULL OR skewness_q IS NOT NULL OR kurtosis_p IS NOT NULL OR kurtosis_q IS NOT NULL",
	} {
		if n := count(t, db, query); n != 0 {
			t.Errorf("%d rows: %s", n, query)
		}
	}
	mustRun(t, "--db", db, "check", "--all")
	if said := mustRun(t, "--db", db, "compute", "--baseline", "0"); !strings.Contains(said, "nothing to compute") {
		t.Error(said)
	}
	countedAgain(t, db, "--baseline", "0")
	mustRun(t, "--db", db, "compute")
	if n := count(t, db, "SELECT count(*) FROM enrichment WHERE p_value IS NOT NULL AND q_value IS NOT NULL AND q_all IS NOT NULL AND es_z IS NOT NULL"); n != held {
		t.Errorf("%d scores have their significance again, expected %d", n, held)
	}
	countedAgain(t, db)
}

// countedAgain has scores counted by set that are not, as where compute was killed before that, its last work.
func countedAgain(t *testing.T, db string, more ...string) {
	t.Helper()
	const query = "SELECT CAST(s AS VARCHAR) FROM set_enrichment s ORDER BY ALL"
	counted, compute := textsIn(t, db, query), append([]string{"--db", db, "compute"}, more...)
	change(t, db, "DELETE FROM stored_set_enrichment")
	if said := mustRun(t, compute...); !strings.Contains(said, "counted the scores of ") || strings.Contains(said, "took away") || strings.Contains(said, "adjusted") {
		t.Errorf("compute %v: %s", more, said)
	}
	if got := textsIn(t, db, query); len(got) == 0 || !slices.Equal(got, counted) {
		t.Errorf("compute %v counts\n%v\nexpected\n%v", more, got, counted)
	}
	if said := mustRun(t, compute...); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute %v, again: %s", more, said)
	}
}

// TestBaselineIsSmall: what is stored of a set's null is below 10 kB, and a second SAE adds
// nothing to the baseline.
func TestBaselineIsSmall(t *testing.T) {
	db := openExample(t)
	for query, want := range map[string]string{
		"SELECT max(4 * len(scores) + 4 * len(counts)) + 8 * 8 < 10000 AND min(len(scores)) > 500 FROM stored_baseline_enrichment": "true",
		"SELECT count(*) FROM stored_baselines":                                          "1",
		"SELECT count(DISTINCT baseline_id) || ' ' || count(*) FROM stored_computations": "1 6",
	} {
		if got := texts(t, db.DB, "SELECT CAST(("+query+") AS VARCHAR)"); got[0] != want {
			t.Errorf("%s gave %s, expected %s", query, got[0], want)
		}
	}
}
