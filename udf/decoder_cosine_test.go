package udf_test

import (
	"testing"

	"github.com/saedb/saedb"
)

// TestDecoderCosine: as DuckDB has it of DOUBLEs, with one direction for all rows and with one
// each, from any vectors, and NULL of zeros.
func TestDecoderCosine(t *testing.T) {
	db := withModels(t, saedb.Options{})
	for query, want := range map[string]int{
		`WITH v AS (SELECT i, [sin(i * j)::FLOAT FOR j IN range(1, 34)] AS w FROM range(3000) r(i)), one AS (SELECT w FROM v WHERE i = 7)
		SELECT count(*) FROM (SELECT i, decoder_cosine(w, (FROM one)) AS c, list_cosine_similarity(w::DOUBLE[], (SELECT w::DOUBLE[] FROM one)) AS d FROM v) WHERE abs(c - d) < 1e-14`: 2999, // of the first, which is zero, there is none
		`WITH v AS (SELECT i, [sin(i * j)::FLOAT FOR j IN range(1, 34)] AS w, [cos(i * j)::FLOAT FOR j IN range(1, 34)] AS o FROM range(3000) r(i) WHERE i % 7 > 2)
		SELECT count(*) FROM (SELECT i, decoder_cosine(w, o) AS c, list_cosine_similarity(w::DOUBLE[], o::DOUBLE[]) AS d FROM v) WHERE abs(c - d) < 1e-14`: 1713,
		`SELECT count(*) FROM range(3000) r(i) WHERE decoder_cosine(CASE WHEN i % 3 > 0 THEN [i, 1]::FLOAT[] END, [1, 0]::FLOAT[]) IS NULL`: 1000,
		`SELECT count(decoder_cosine([0, 0]::FLOAT[], [1, 0]::FLOAT[])) + count(decoder_cosine([1, 0]::FLOAT[], [0, 0]::FLOAT[]))`:          0,
	} {
		var got int
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", query, got, err, want)
		}
	}
	var none float64
	if err := db.QueryRow(`SELECT decoder_cosine([1, 0]::FLOAT[], [1]::FLOAT[])`).Scan(&none); err == nil {
		t.Error("directions of two lengths have a cosine")
	}
}
