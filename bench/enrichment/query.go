package main

import (
	"database/sql"
	"fmt"
	"slices"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
)

// queries are what people ask of a layer's scores; each gives rows of what it names.
var queries = []struct {
	what string
	rows func(features int) int
	text string
}{
	{"one set, one layer", func(features int) int { return features }, "SELECT * FROM enrichment WHERE token_set = 'set 50' AND layer = 8"},
	{"the ten best sets of one feature", func(int) int { return 10 }, "SELECT * FROM enrichment WHERE layer = 8 AND feature = 77 ORDER BY es DESC LIMIT 10"},
}

// query says what the scores in 100 sets take on disk, and for how long DuckDB, without
// saedb's functions, looks for them: medians, all rows fetched.
func (s *setting) query() error {
	rows := int64(s.files.Features * len(s.many.sets))
	each := float64(s.bytes) / float64(rows)
	fmt.Printf("storage: %d rows take %.1f MB, %.1f bytes each; 12 layers of 24,576 features and 100 sets %.0f MB\n",
		rows, float64(s.bytes)/1e6, each, each*12*24576*100/1e6)
	db, err := sql.Open("duckdb", s.many.Path+"?access_mode=READ_ONLY")
	if err != nil {
		return err
	}
	defer db.Close()
	for _, q := range queries {
		var seconds []float64
		for range 11 {
			begun := time.Now()
			found, err := fetch(db, q.text)
			if err != nil {
				return err
			}
			if expected := q.rows(s.files.Features); found != expected {
				return fmt.Errorf("%s: %d rows, expected %d", q.what, found, expected)
			}
			seconds = append(seconds, time.Since(begun).Seconds())
		}
		first := seconds[0]
		slices.Sort(seconds)
		fmt.Printf("query: %s: %.1f ms, the first time %.1f ms\n", q.what, 1000*seconds[len(seconds)/2], 1000*first)
	}
	return nil
}

func fetch(db *sql.DB, query string) (n int, err error) {
	rows, err := db.Query(query)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for rows.Next() {
		n++
	}
	return n, rows.Err()
}
