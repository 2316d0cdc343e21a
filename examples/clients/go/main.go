// Command go reads a database from Go, with saedb's functions in database/sql.
//
//	go run ./examples/clients/go demo.db
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb"
)

func main() {
	ctx := context.Background()
	db, err := saedb.Open(ctx, os.Args[1], saedb.Options{ReadOnly: true})
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	if err := mostSkewed(ctx, db); err != nil {
		log.Fatal(err)
	}
	if err := steer(ctx, db); err != nil {
		log.Fatal(err)
	}
}

// mostSkewed reads a view: they are tables like any others.
func mostSkewed(ctx context.Context, db *saedb.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT feature, skewness, top_tokens FROM layer_29 ORDER BY skewness DESC LIMIT 5")
	if err != nil {
		return err
	}
	defer rows.Close()
	fmt.Println("most skewed features of layer 29:")
	for rows.Next() {
		var feature int
		var skewness float64
		var tokens duckdb.Composite[[]string]
		if err := rows.Scan(&feature, &skewness, &tokens); err != nil {
			return err
		}
		fmt.Printf("%6d %.2f %s\n", feature, skewness, strings.Join(tokens.Get()[:4], " "))
	}
	return rows.Err()
}

// steer asks about a steering vector: any vector will do where a decoder direction does.
func steer(ctx context.Context, db *saedb.DB) error {
	steering, err := sum(ctx, db)
	if err != nil {
		return err
	}
	var skewness float64
	err = db.QueryRowContext(ctx, "SELECT (logit_stats(?, 'smollm2-135m')).skewness", steering).Scan(&skewness)
	if err != nil {
		return err
	}
	fmt.Printf("features 63 + 1328: skewness %.2f\n", skewness)

	tokens, err := db.QueryContext(ctx, `
		SELECT text, logit_weight FROM (SELECT unnest(top_tokens(?, 'smollm2-135m', 5), recursive := true))`, steering)
	if err != nil {
		return err
	}
	defer tokens.Close()
	for tokens.Next() {
		var text string
		var weight float64
		if err := tokens.Scan(&text, &weight); err != nil {
			return err
		}
		fmt.Printf("%6.2f %s\n", weight, text)
	}
	if err := tokens.Err(); err != nil {
		return err
	}

	scores, err := db.QueryContext(ctx, `
		SELECT token_set, es, direction
		FROM (SELECT unnest(enrich(?, 'smollm2-135m', ['all_digits', 'contains_close_bracket', 'boy_names']), recursive := true))`, steering)
	if err != nil {
		return err
	}
	defer scores.Close()
	fmt.Println("enriched in:")
	for scores.Next() {
		var set, direction string
		var es float64
		if err := scores.Scan(&set, &es, &direction); err != nil {
			return err
		}
		fmt.Printf("%6.3f %s, %s\n", es, set, direction)
	}
	return scores.Err()
}

// sum is the sum of two decoder directions.
func sum(ctx context.Context, db *saedb.DB) ([]float32, error) {
	rows, err := db.QueryContext(ctx, "SELECT w_dec FROM decoder_directions WHERE layer = 29 AND feature IN (63, 1328)")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var sum []float32
	for rows.Next() {
		var direction duckdb.Composite[[]float32]
		if err := rows.Scan(&direction); err != nil {
			return nil, err
		}
		if sum == nil {
			sum = make([]float32, len(direction.Get()))
		}
		for i, x := range direction.Get() {
			sum[i] += x
		}
	}
	return sum, rows.Err()
}
