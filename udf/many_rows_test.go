package udf_test

import (
	"testing"

	"github.com/saedb/saedb"
)

// BenchmarkManyRows is a query over many rows of small models, where what is not the
// product shows.
func BenchmarkManyRows(b *testing.B) {
	db := withModels(b, saedb.Options{})
	for _, q := range []struct{ name, sql string }{
		{"one model", "SELECT sum(logit_weight([i]::FLOAT[] || repeat([1::FLOAT], 31), 'llama', 1)) FROM range(1_000_000) t(i)"},
		{"two models", "SELECT sum(logit_weight([i]::FLOAT[] || repeat([1::FLOAT], 31), if(i % 2 = 0, 'llama', 'gpt2'), 1)) FROM range(1_000_000) t(i)"},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				var x float64
				if err := db.QueryRowContext(b.Context(), q.sql).Scan(&x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
