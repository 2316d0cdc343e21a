package main

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/saedb/saedb/bench/measure"
)

// What is wanted of the example's last layer, and of its first, in which nothing is to find:
// the share of (feature, set) pairs with q < 0.05.
const (
	leastLast = 0.0015
	mostFirst = 0.0001
)

// alone is the p-value that a single pair needs for q < 0.05 among 24,576 features and the
// 100 sets of a family.
const alone = 0.05 / 24576 / 100

// signals are the lengths of what is planted, over the length of the noise.
var signals = []float64{0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1}

// plant is SQL that makes the table planted: for each token set and signal two directions, the
// mean column of the set's tokens less that of all tokens, scaled to the signal, and a random
// direction of unit length.
func plant(dModel int) string {
	lengths := make([]string, len(signals))
	for i, signal := range signals {
		lengths[i] = fmt.Sprint(signal)
	}
	return fmt.Sprintf(`CREATE TABLE planted AS
		WITH every AS (SELECT i, avg(w_u[i]) AS m FROM unembeddings, range(1, %[1]d + 1) r(i) GROUP BY i),
		mean AS (SELECT token_set, i, avg(w_u[i]) - any_value(every.m) AS m
			FROM token_set_members JOIN unembeddings USING (model, token_id), range(1, %[1]d + 1) r(i) JOIN every USING (i) GROUP BY ALL),
		unit AS (SELECT token_set, list(m / length ORDER BY i) AS u FROM (SELECT *, sqrt(sum(m * m) OVER (PARTITION BY token_set)) AS length FROM mean) GROUP BY token_set),
		rows AS (SELECT *, row_number() OVER (ORDER BY token_set, signal, draw) - 1 AS feature FROM unit, (SELECT unnest(CAST([%[2]s] AS DOUBLE[])) AS signal), range(2) d(draw))
		SELECT feature, token_set, signal, list_transform(list_zip(u, random_direction(5, feature, %[1]d)), lambda p: CAST(signal * p[1] + p[2] AS FLOAT)) AS w_dec
		FROM rows ORDER BY feature`, dModel, strings.Join(lengths, ", "))
}

// power prints what is found of the example's layers and of what is planted.
func power(db *sql.DB) error {
	ctx := context.Background()
	var first, last float64
	err := db.QueryRowContext(ctx, `SELECT count(*) FILTER (q_value < 0.05 AND layer = 4) / count(*) FILTER (layer = 4),
		count(*) FILTER (q_value < 0.05 AND layer = 29) / count(*) FILTER (layer = 29) FROM enrichment`).Scan(&first, &last)
	if err != nil {
		return err
	}
	fmt.Printf("pairs with q < 0.05: %.3f %% in layer 4, %.3f %% in layer 29\n\n", 100*first, 100*last)
	fmt.Printf("share of planted directions with p < %.0e in their set\n\n| signal over noise |", alone)
	for _, class := range measure.SizeClasses {
		fmt.Printf(" %s |", class.Name)
	}
	fmt.Printf("\n|%s\n", strings.Repeat("---|", 1+len(measure.SizeClasses)))
	for _, signal := range signals {
		fmt.Printf("| %g |", signal)
		for _, class := range measure.SizeClasses {
			var found sql.NullFloat64
			err := db.QueryRowContext(ctx, `SELECT count(*) FILTER (p_value < $1 AND effect > 0) / count(*)
				FROM planted JOIN enrichment USING (feature, token_set) WHERE sae = 'planted' AND signal = $2 AND (`+class.Is+`)`, alone, signal).Scan(&found)
			if err != nil {
				return err
			}
			fmt.Printf(" %.0f %% |", 100*found.Float64)
		}
		fmt.Println()
	}
	if !(first < mostFirst) || !(last >= leastLast) {
		return fmt.Errorf("%.4f %% of layer 4's pairs have q < 0.05, wanted below %g %%, and %.4f %% of layer 29's, wanted at least %g %%", 100*first, 100*mostFirst, 100*last, 100*leastLast)
	}
	return nil
}
