package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
	mustRun(t, "--db", fresh, "import", "--parquet", dir)
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
	if said := mustRun(t, "--db", bare, "import", "--parquet", dir); !strings.Contains(said, "imported 0 features") {
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
