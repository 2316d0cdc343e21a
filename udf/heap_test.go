package udf_test

import (
	"runtime"
	"testing"

	"github.com/saedb/saedb"
)

// TestNothingStays: however many queries ran, and however they ended, no object of
// theirs is left on Go's heap. What they leave in C is seen to by python/tests and by
// make test-leaks.
func TestNothingStays(t *testing.T) {
	db := withModels(t, saedb.Options{})
	if _, err := db.ExecContext(t.Context(), "CALL saedb_model('registered', ?)", modelDirectory(t, "llama", "registered")); err != nil {
		t.Fatal(err)
	}
	const sae = "'../loader/sae/testdata/saelens-standard-bf16'"
	const warmUp, times = 50, 300
	for _, query := range []string{
		"SELECT logit_stats(" + direction + ", 'llama')",
		"SELECT logit_stats(" + direction + ", 'registered')",
		"SELECT top_tokens(" + direction + ", 'llama', 3)",
		"SELECT len(logit_weights(" + direction + ", 'llama'))",
		"SELECT enrich(" + direction + ", 'llama')",
		"SELECT try(logit_stats([1], 'llama')) IS NULL AND try(logit_stats([1], 'no model')) IS NULL",
		"SELECT count(w_dec) FROM read_sae(" + sae + ")",
		"SELECT feature FROM read_sae(" + sae + ") LIMIT 1",
		"SELECT d_sae FROM sae_info(" + sae + ")",
		"SELECT count(*) FROM releases WHERE release = 'none'",
	} {
		ask := func(times int) {
			for range times {
				var found any
				if err := db.QueryRowContext(t.Context(), query).Scan(&found); err != nil {
					t.Fatalf("%s: %v", query, err)
				}
			}
		}
		ask(warmUp)
		before := heapObjects()
		ask(times)
		if grown := heapObjects() - before; grown > times/2 {
			t.Errorf("%s: %d objects stay after %d queries", query, grown, times)
		}
	}
}

func heapObjects() int64 {
	runtime.GC()
	runtime.GC() // finalizers of the first have run
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapObjects)
}
