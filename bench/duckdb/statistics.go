package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
)

// tables copies the weights to tables of a database in memory, as a person would
// have made them: in row groups small enough to keep every core busy, which one
// group of 122,880 rows would not, and with the norms of the tokens' columns at hand.
var tables = []string{
	`ATTACH '{database}' AS saved (READ_ONLY)`,
	`ATTACH ':memory:' AS plain (ROW_GROUP_SIZE 4096)`,
	`CREATE TABLE plain.unembedding AS SELECT token_id, w_u, sqrt(list_inner_product(w_u, w_u)) AS norm FROM saved.stored_unembeddings`,
	`CREATE TABLE plain.unembedding_arrays AS SELECT token_id, CAST(w_u AS FLOAT[{d_model}]) AS w_u, norm FROM plain.unembedding`,
	`CREATE TABLE plain.decoder AS SELECT feature, w_dec FROM saved.stored_decoders WHERE feature < {features}`,
	`CREATE TABLE plain.decoder_arrays AS SELECT feature, CAST(w_dec AS FLOAT[{d_model}]) AS w_dec FROM plain.decoder`,
}

// statistics is one pass over the logit weights. DuckDB's kurtosis_pop is the
// excess; its skewness is corrected for samples, by 3e-5 at GPT-2's vocabulary.
const statistics = `
	CREATE OR REPLACE TABLE plain.statistics AS
	WITH projected AS (
		SELECT feature, token_id, {product}(w_dec, w_u) AS logit_weight, logit_weight / norm AS cosine
		FROM plain.{decoder} CROSS JOIN plain.{unembedding} WHERE feature < {features}
	)
	SELECT feature,
		avg(logit_weight) AS mean, stddev_pop(logit_weight) AS std, skewness(logit_weight) AS skewness, kurtosis_pop(logit_weight) + 3 AS kurtosis,
		avg(cosine) AS cos_mean, stddev_pop(cosine) AS cos_std, skewness(cosine) AS cos_skewness, kurtosis_pop(cosine) + 3 AS cos_kurtosis,
		max_by(token_id, logit_weight, 10) AS top_token_ids, min_by(token_id, logit_weight, 10) AS bottom_token_ids
	FROM projected GROUP BY feature`

// deviation is the largest difference of plain SQL's figures from saedb's: moments
// in standard deviations or in their own units, and tokens in places.
const deviation = `
	SELECT count(*), max(greatest(
			abs(a.mean - b.mean) / b.std, abs(a.std - b.std) / b.std,
			abs(a.skewness - b.skewness), abs(a.kurtosis - b.kurtosis),
			abs(a.cos_mean - b.cos_mean) / b.cos_std, abs(a.cos_std - b.cos_std) / b.cos_std,
			abs(a.cos_skewness - b.cos_skewness), abs(a.cos_kurtosis - b.cos_kurtosis))),
		count(*) FILTER (a.top_token_ids != b.top_token_ids) + count(*) FILTER (a.bottom_token_ids != b.bottom_token_ids)
	FROM plain.statistics a JOIN saved.stored_statistics b USING (feature)`

// way is a way of writing the product in SQL: the function, and the tables that
// hold vectors as it takes them.
type way struct{ product, decoder, unembedding string }

var ways = []way{
	{"list_inner_product", "decoder", "unembedding"},
	{"array_inner_product", "decoder_arrays", "unembedding_arrays"},
}

// compareStatistics runs saedb compute on every feature and plain SQL on the first
// ones, checks that they agree, and prints the extrapolated ratio.
func compareStatistics(s *setting, subset int) error {
	subset = min(subset, s.files.Features)
	computed, err := s.full.Saedb("compute")
	if err != nil {
		return err
	}
	ours := computed.Wall.Seconds()
	fmt.Printf("statistics of %d features:\n  %-52s %.2f s\n", s.files.Features, "saedb compute, the whole command", ours)
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	values := strings.NewReplacer("{database}", s.full.Path, "{d_model}", fmt.Sprint(s.files.DModel), "{features}", fmt.Sprint(subset))
	for _, statement := range tables {
		if _, err := db.Exec(values.Replace(statement)); err != nil {
			return err
		}
	}
	for _, w := range ways {
		perFeature, err := w.measure(db, subset)
		if err != nil {
			return err
		}
		extrapolated := perFeature * float64(s.files.Features)
		fmt.Printf("  %-52s %.0f s for all, extrapolated: saedb × %.0f\n", "", extrapolated, extrapolated/ours)
		if err := agree(db, w.product, subset); err != nil {
			return err
		}
	}
	return nil
}

// measure runs the statistics on growing subsets and returns the seconds a feature
// of the largest one.
func (w way) measure(db *sql.DB, subset int) (perFeature float64, err error) {
	for _, features := range []int{max(subset/4, 1), max(subset/2, 1), subset} {
		values := strings.NewReplacer("{product}", w.product, "{decoder}", w.decoder, "{unembedding}", w.unembedding, "{features}", fmt.Sprint(features))
		begun := time.Now()
		if _, err := db.Exec(values.Replace(statistics)); err != nil {
			return 0, err
		}
		seconds := time.Since(begun).Seconds()
		perFeature = seconds / float64(features)
		fmt.Printf("  %-52s %.2f s for %d features, %.1f ms each\n", w.product+" and aggregates", seconds, features, 1000*perFeature)
	}
	return perFeature, nil
}

// agree returns an error when plain SQL's figures are not saedb's: the products
// of lists are float32 sums in order, which cost some accuracy.
func agree(db *sql.DB, product string, features int) error {
	const tolerance = 1e-3
	var found, differentRankings int
	var largest float64
	if err := db.QueryRowContext(context.Background(), deviation).Scan(&found, &largest, &differentRankings); err != nil {
		return err
	}
	if found != features || !(largest <= tolerance) || differentRankings > features/10 {
		return fmt.Errorf("%s: %d of %d features, deviation %g, %d rankings differ", product, found, features, largest, differentRankings)
	}
	fmt.Printf("  %-52s largest deviation %.1e, %d of %d rankings differ\n", "", largest, differentRankings, 2*features)
	return nil
}
