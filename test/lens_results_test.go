package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// throughDifferences counts the rows of what is seen through a lens in which two databases differ, bit for bit.
func throughDifferences(t *testing.T, db, other, lens string) int {
	t.Helper()
	differ := 0
	for _, macro := range []string{"features_through", "enrichment_through", "feature_tokens_through"} {
		for _, of := range [][2]string{{db, other}, {other, db}} {
			differ += count(t, of[0], fmt.Sprintf(`ATTACH '%s' AS other (READ_ONLY); CREATE TEMP TABLE here AS FROM %[2]s('%[3]s'); USE other; CREATE TEMP TABLE there AS FROM %[2]s('%[3]s');
				SELECT count(*) FROM (FROM temp.here EXCEPT ALL FROM temp.there)`, of[1], macro, lens))
		}
	}
	return differ
}

// TestLensResults: what an export has of lenses comes back bit for bit, into a new database and
// into one with the weights, p-values against random directions of both kinds through the lens and,
// behind the last block, without it; what does not fit is refused, and unload takes all of it out.
func TestLensResults(t *testing.T) {
	t.Parallel()
	db := lensDatabase(t)
	lens := lensFile(t, "random", []int{0, 1}, randomBits)
	mustRun(t, "--db", db, "load", "lens", lens)
	bare := filepath.Join(t.TempDir(), "bare.db")
	copyFile(t, db, bare)
	mustRun(t, "--db", db, "compute", "--baseline", "300")
	mustRun(t, "--db", db, "compute", "--lens", "random", "--baseline", "300", "--rank-correlation")
	mustRun(t, "--db", db, "compute", "--lens", "random", "--baseline", "300", "--baseline-like", "sae", "--sae", "sae.1")
	dir := exported(t, db)
	fresh := filepath.Join(t.TempDir(), "new.db")
	if said := mustRun(t, "--db", fresh, "import", "--parquet", dir); !strings.Contains(said, "imported figures of 3 SAEs through lenses\n") {
		t.Errorf("it says %q", said)
	}
	mustRun(t, "--db", bare, "import", "--parquet", dir)
	for _, into := range []string{fresh, bare} {
		if n := throughDifferences(t, db, into, "random"); n > 0 {
			t.Errorf("%s: %d rows differ", into, n)
		}
		if n := count(t, into, "SELECT count(rank_correlation) FROM features_through('random') WHERE kurtosis_p > 0") + count(t, into, "SELECT count(es_z) FROM enrichment_through('random')"); n != 72+144 {
			t.Errorf("%s: %d rank correlations and scores", into, n)
		}
		mustRun(t, "--db", into, "check", "--all")
	}
	if said := mustRun(t, "--db", bare, "import", "--parquet", dir); !strings.Contains(said, "imported 0 features") || strings.Contains(said, "lenses") {
		t.Errorf("again: %q", said)
	}
	mustRun(t, "--db", fresh, "import", "--parquet", dir, "--replace")
	if n := throughDifferences(t, db, fresh, "random"); n > 0 {
		t.Errorf("replaced: %d rows differ", n)
	}
	// In the database with the weights there is nothing left to compute, and the other says why it cannot.
	if said := mustRun(t, "--db", bare, "compute", "--lens", "random", "--rank-correlation"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute says %q", said)
	}
	if r := saedbRun(t, "", "--db", fresh, "compute", "--lens", "random", "--tokens", "real"); r.code == 0 || !strings.Contains(r.stderr, "its weights are not in this database") {
		t.Errorf("%+v", r)
	}
	// The matrices come with a load of the lens.
	mustRun(t, "--db", fresh, "load", "lens", lens, "--replace")
	if n := count(t, fresh, "SELECT count(weights) FROM lens_matrices"); n != 64 {
		t.Errorf("%d rows of matrices", n)
	}
	mustRun(t, "--db", bare, "unload", "lens", "random")
	for _, left := range []string{"stored_lens_saes", "stored_lens_correlations", "stored_lens_matrices", "stored_statistics WHERE sae_id < 0", "stored_enrichment WHERE sae_id < 0", "stored_baselines WHERE lens_id IS NOT NULL"} {
		if n := count(t, bare, "SELECT count(*) FROM "+left); n > 0 {
			t.Errorf("%d rows are left in %s", n, left)
		}
	}
	for damaged, want := range map[string]string{
		"SELECT * REPLACE (CASE WHEN feature = 3 THEN 1 ELSE lens_layer END AS lens_layer) FROM t": "its rows are of different layers of the lens",
		"SELECT * REPLACE (7 AS lens_layer) FROM t":                                                "expected a layer of the lens, [0, 1], or the last block, found 7",
		"SELECT * REPLACE ('other' AS lens) FROM t":                                                "expected one whole row in lenses of a lens of model small, of d_model 32, found 0",
	} {
		torn := filepath.Join(t.TempDir(), "torn")
		if err := os.CopyFS(torn, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(torn, "features_through", "*", "*", "sae.0*.parquet"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		mustRun(t, "sql", "CREATE TABLE t AS FROM '"+files[0]+"'; COPY ("+damaged+") TO '"+files[0]+"' (FORMAT parquet)")
		into := filepath.Join(t.TempDir(), "torn.db")
		if r := saedbRun(t, "", "--db", into, "import", "--parquet", torn); r.code == 0 || !strings.Contains(r.stderr, want) {
			t.Errorf("%s: %+v", damaged, r)
		}
	}
}

// TestExplorerThroughLens: the page of a feature has it through the lens beside what it writes
// directly, and lists of features have none of the rows of lenses.
func TestExplorerThroughLens(t *testing.T) {
	t.Parallel()
	db := exampleWithLens(t)
	mustRun(t, "--db", db, "compute", "--lens", "jlens", "--sae", "layer_29", "--rank-correlation")
	address := exploreDatabase(t, db)
	sameFeaturesOfSet(t, address, db)
	const of = "/api/through?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63"
	var found struct {
		Lenses  []string
		Feature struct {
			TopOverlap      int     `json:"top_overlap"`
			RankCorrelation float64 `json:"rank_correlation"`
			LensLayer       int     `json:"lens_layer"`
		}
		Tokens []struct {
			Direction, Text string
			Rank            int
			ThroughText     string  `json:"through_text"`
			LogitWeight     float64 `json:"logit_weight"`
			ThroughWeight   float64 `json:"through_logit_weight"`
		}
		Enrichment []struct{ Direction string }
	}
	read := func(path string) {
		t.Helper()
		status, body := request(t, "GET", address+path)
		if err := json.Unmarshal([]byte(body), &found); err != nil || status != 200 {
			t.Fatal(status, body, err)
		}
	}
	if read(of); len(found.Lenses) != 1 || found.Lenses[0] != "jlens" || len(found.Tokens) != 0 {
		t.Errorf("%+v", found)
	}
	// The lens is the identity.
	if read(of + "&lens=jlens"); found.Feature.TopOverlap != 10 || found.Feature.RankCorrelation != 1 || found.Feature.LensLayer != 28 || len(found.Tokens) != 20 || len(found.Enrichment) == 0 {
		t.Errorf("%+v", found)
	}
	for _, token := range found.Tokens {
		if token.Text != token.ThroughText || token.LogitWeight != token.ThroughWeight || token.Text == "" {
			t.Errorf("%+v", token)
		}
	}
	if status, body := request(t, "GET", address+of+"&lens=none"); status != 404 || !strings.Contains(body, "no lens none, of those that this feature is computed through") {
		t.Error(status, body)
	}
	found.Lenses = nil
	if read(strings.Replace(of, "29", "4", 1)); len(found.Lenses) != 0 {
		t.Errorf("layer 4 is computed through %v", found.Lenses)
	}
	var list struct {
		Total int
		Rows  []struct{ Layer *int }
	}
	if _, body := request(t, "GET", address+"/api/features?min_skewness=-1000&sort=skewness&limit=5"); json.Unmarshal([]byte(body), &list) != nil || list.Total != 9216 || len(list.Rows) != 5 || list.Rows[0].Layer == nil {
		t.Errorf("features of the example are 9216: %.300s", body)
	}
	b := openBrowser(t)
	b.run(t, chromedp.Navigate(address+"/#/feature?sae=smollm2-demo/blocks.29.hook_resid_pre&feature=63"), chromedp.WaitVisible(chromedp.CSS(`[aria-label="Tokens promoted, directly and through the lens"]`)))
	if rows := eval[int](t, b, `document.querySelectorAll('[aria-label="Tokens promoted, directly and through the lens"] tbody tr').length`); rows != 10 {
		t.Errorf("the page has %d rows", rows)
	}
}
