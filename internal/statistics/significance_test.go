package statistics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"
)

// memory opens a database in memory, without functions or tables of saedb.
func memory(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func execute(t *testing.T, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// benjaminiHochberg are q-values by their definition: the least of N·p/j over the places j, among
// N p-values in ascending order, from that of each p-value on (Benjamini and Hochberg, 1995).
func benjaminiHochberg(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	q := make([]float64, len(p))
	for place, i := range order {
		q[i] = 1
		for j := place; j < len(order); j++ {
			q[i] = min(q[i], float64(len(p))*p[order[j]]/float64(j+1))
		}
	}
	return q
}

// TestFeatureSignificance: q-values of the skewness are those of the definition among the
// features' skewnesses, and those of the kurtosis apart, where p-values are equal too.
func TestFeatureSignificance(t *testing.T) {
	const features = 60
	random := rand.New(rand.NewPCG(1, 2))
	p := map[string][]float64{}
	var rows []string
	for _, statistic := range []string{"skewness", "kurtosis"} {
		for feature := range features {
			value := math.Ceil(random.Float64()*20) / 20 // one of twenty, so that many are equal
			if feature%4 == 0 {
				value = math.Pow(random.Float64(), 6)
			}
			p[statistic] = append(p[statistic], value)
			rows = append(rows, fmt.Sprintf("('%s', %d, %.17g::DOUBLE)", statistic, feature, value))
		}
	}
	db := memory(t)
	execute(t, db, "CREATE TABLE stored_significance (sae_id INTEGER, feature INTEGER, skewness_p DOUBLE, skewness_q DOUBLE, kurtosis_p DOUBLE, kurtosis_q DOUBLE)",
		strings.ReplaceAll(featureSignificance("FROM (VALUES "+strings.Join(rows, ", ")+") v(statistic, feature, p)"), "$sae", "7"))
	stored, err := db.QueryContext(t.Context(), "SELECT feature, skewness_p, skewness_q, kurtosis_p, kurtosis_q FROM stored_significance WHERE sae_id = 7 ORDER BY rowid")
	if err != nil {
		t.Fatal(err)
	}
	defer stored.Close()
	skewness, kurtosis := benjaminiHochberg(p["skewness"]), benjaminiHochberg(p["kurtosis"])
	n := 0
	for ; stored.Next(); n++ {
		var feature int
		var got [4]float64
		if err := stored.Scan(&feature, &got[0], &got[1], &got[2], &got[3]); err != nil {
			t.Fatal(err)
		}
		want := [4]float64{p["skewness"][n], skewness[n], p["kurtosis"][n], kurtosis[n]}
		for i := range want {
			if feature != n || math.Abs(got[i]-want[i]) > 1e-14 {
				t.Fatalf("row %d: feature %d, %v, expected %v", n, feature, got, want)
			}
		}
	}
	if n != features {
		t.Errorf("%d rows, expected %d", n, features)
	}
}

// TestEnrichmentWithoutBaseline: scores are written again, a set's side by side, and what an
// earlier baseline said of them is gone.
func TestEnrichmentWithoutBaseline(t *testing.T) {
	db := memory(t)
	execute(t, db, `CREATE TABLE stored_enrichment (sae_id INTEGER, set_id INTEGER, feature INTEGER, es FLOAT, promoted BOOLEAN, auc FLOAT,
			log10_ks_p FLOAT, log10_p FLOAT, log10_q FLOAT, log10_q_all FLOAT)`,
		`INSERT INTO stored_enrichment SELECT sae, 3 - set, feature, 0.5, true, 0.75, -2, -3, -1, -1 FROM range(1, 3) s(sae), range(2) f(feature), range(3) t(set)`,
		strings.ReplaceAll(enrichmentSignificance(0), "$sae", "2"))
	var order string
	var told int
	if err := db.QueryRowContext(t.Context(), `SELECT string_agg(set_id || ':' || feature, ' ' ORDER BY rowid), count(coalesce(log10_p, log10_q, log10_q_all))
		FROM stored_enrichment WHERE rowid >= 12 AND sae_id = 2 AND es = 0.5 AND promoted AND auc = 0.75 AND log10_ks_p = -2`).Scan(&order, &told); err != nil {
		t.Fatal(err)
	}
	if order != "1:0 1:1 2:0 2:1 3:0 3:1" || told != 0 {
		t.Errorf("in the order %s, %d with p-values", order, told)
	}
}

// TestKernels: a computation that goes on names each kernel that took part once.
func TestKernels(t *testing.T) {
	db := memory(t)
	for before, want := range map[string]string{
		"NULL": "avx2", "'avx2'": "avx2", "'avx512'": "avx512, avx2", "'avx512, avx2'": "avx512, avx2", "'avx512, neon'": "avx512, neon, avx2",
	} {
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&Job{Kernel: "avx2"}).kernels(t.Context(), tx, "(SELECT "+before+"::VARCHAR AS kernel)")
		tx.Rollback()
		if got != want || err != nil {
			t.Errorf("after %s: %q, %v, expected %q", before, got, err, want)
		}
	}
}

// TestCheckBaseline: numbers and kinds of random directions that say nothing are refused.
func TestCheckBaseline(t *testing.T) {
	for _, sound := range []int{0, KeepBaseline, 256, DefaultBaseline} {
		if err := CheckBaseline(sound); err != nil {
			t.Errorf("%d: %v", sound, err)
		}
	}
	for _, wrong := range []int{-2, 1, 10} {
		if err := CheckBaseline(wrong); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("found %d", wrong)) {
			t.Errorf("%d: %v", wrong, err)
		}
	}
	for _, c := range []struct {
		kind       string
		directions int
		want       string
	}{
		{"", 0, ""}, {Isotropic, KeepBaseline, ""}, {LikeSAE, 256, ""},
		{"round", 256, "expected isotropic or sae, found round"}, {LikeSAE, 0, "is like nothing"},
	} {
		if err := CheckBaselineKind(c.kind, c.directions); (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q of %d: %v, expected %q", c.kind, c.directions, err, c.want)
		}
	}
}
