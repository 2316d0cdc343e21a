package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/compute"
)

// The bounds within which kernels agree: of statistics, relative where they are above
// 1, and of enrichment scores and AUC, which only depend on ranks.
const (
	kernelsAgree = 1e-6
	scoresAgree  = 1e-4
)

// TestDeterminism: the same input gives the same figures, bit for bit, in every run of
// the program, whatever the number of its threads, with one kernel; and figures within
// 1e-6, with the same tokens at the ends, with any other kernel, and the same scores with
// any other that fuses.
func TestDeterminism(t *testing.T) {
	db := filepath.Join(t.TempDir(), "runs.db")
	copyFile(t, example, db)
	mustRun(t, "--db", db, "sql", "CREATE TABLE chosen AS SELECT w_dec FROM decoder_directions WHERE feature < 20 ORDER BY layer, feature")
	runs := []struct{ name, kernel, threads string }{{"first", "", "2"}, {"restarted", "", "2"}, {"one thread", "", "1"}, {"four threads", "", "4"}}
	for _, kernel := range compute.Kernels() {
		runs = append(runs, struct{ name, kernel, threads string }{kernel, kernel, "2"}, struct{ name, kernel, threads string }{kernel + ", one thread", kernel, "1"})
	}
	for _, run := range runs {
		for _, args := range [][]string{{"load", "directions", "--sql", "SELECT w_dec FROM chosen", "--name", run.name, "--copy"}, {"compute", "--sae", run.name}} {
			command := exec.Command(program, append([]string{"--db", db}, args...)...)
			command.Env = append(os.Environ(), compute.KernelVariable+"="+run.kernel, "GOMAXPROCS="+run.threads)
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v: %v\n%s", run.name, args, err, out)
			}
		}
	}
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	for _, run := range runs[1:4] {
		sameBits(t, opened, "first", run.name)
	}
	for _, kernel := range compute.Kernels() {
		sameBits(t, opened, kernel, kernel+", one thread")
		agree(t, opened, "first", kernel)
	}
}

// sameBits compares all that is stored of two SAEs. DuckDB's = takes 0 and -0 for
// equal, and every NaN.
func sameBits(t *testing.T, db *saedb.DB, a, b string) {
	t.Helper()
	for table, least := range map[string]int{"stored_decoders": 120, "stored_statistics": 120, "stored_enrichment": 120 * 16} {
		rows := func(name string) string {
			return fmt.Sprintf("SELECT t.* EXCLUDE (sae_id) FROM %s t JOIN stored_saes USING (sae_id) WHERE sae = '%s'", table, name)
		}
		var count, different int
		query := fmt.Sprintf("SELECT (SELECT count(*) FROM (%[1]s)), (SELECT count(*) FROM ((%[1]s) EXCEPT (%[2]s)))", rows(a), rows(b))
		if err := db.QueryRowContext(t.Context(), query).Scan(&count, &different); err != nil {
			t.Fatal(err)
		}
		if different != 0 || count < least {
			t.Errorf("%s: %d of %d rows of run %q are not those of run %q", table, different, count, a, b)
		}
	}
}

func defaultKernel(t *testing.T) string {
	t.Helper()
	name, err := compute.DefaultKernel()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// agree compares the figures of two kernels.
func agree(t *testing.T, db *saedb.DB, a, b string) {
	t.Helper()
	var statistics, scores float64
	var tokens, rows int
	err := db.QueryRowContext(t.Context(), `WITH a AS (FROM stored_statistics JOIN stored_saes USING (sae_id) WHERE sae = $1),
			b AS (FROM stored_statistics JOIN stored_saes USING (sae_id) WHERE sae = $2)
		SELECT count(*), count(*) FILTER (a.top_token_ids <> b.top_token_ids OR a.bottom_token_ids <> b.bottom_token_ids
				OR a.top_logit_weights <> b.top_logit_weights OR a.bottom_logit_weights <> b.bottom_logit_weights),
			max(greatest(abs(a.mean - b.mean), abs(a.std - b.std), abs(a.skewness - b.skewness) / greatest(1, abs(b.skewness)), abs(a.kurtosis - b.kurtosis) / b.kurtosis,
				abs(a.cos_mean - b.cos_mean), abs(a.cos_std - b.cos_std), abs(a.cos_skewness - b.cos_skewness) / greatest(1, abs(b.cos_skewness)), abs(a.cos_kurtosis - b.cos_kurtosis) / b.cos_kurtosis))
		FROM a JOIN b USING (feature)`, a, b).Scan(&rows, &tokens, &statistics)
	if err != nil {
		t.Fatal(err)
	}
	err = db.QueryRowContext(t.Context(), `WITH a AS (FROM stored_enrichment JOIN stored_saes USING (sae_id) WHERE sae = $1),
			b AS (FROM stored_enrichment JOIN stored_saes USING (sae_id) WHERE sae = $2)
		SELECT max(greatest(abs(a.es - b.es), abs(a.auc - b.auc))) FROM a JOIN b USING (set_id, feature)`, a, b).Scan(&scores)
	if err != nil {
		t.Fatal(err)
	}
	bound := scoresAgree
	if slices.Contains(compute.Fused, b) && slices.Contains(compute.Fused, defaultKernel(t)) {
		bound = 0
	}
	t.Logf("kernel %s: %d directions, statistics within %.1e, enrichment within %.1e of the default kernel's", b, rows, statistics, scores)
	if rows != 120 || tokens != 0 || !(statistics <= kernelsAgree) || !(scores <= bound) {
		t.Errorf("%s and %s: %d directions, %d with other tokens, statistics %g apart, enrichment %g", a, b, rows, tokens, statistics, scores)
	}
}
