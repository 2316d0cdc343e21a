package schema

import "strings"

// Kinds of baselines, as the views name them: what the covariance of their random directions is.
const (
	Isotropic = "isotropic" // of the model alone
	LikeSAE   = "sae"       // with the covariance of an SAE's unit decoder
)

// FeaturePValues is the query for rows (statistic, feature, p) of the features of an SAE, with
// its number and that of a baseline in SQL: with R random directions of which r are as far
// out, p is (1 + r)/(1 + R), of kurtosis at the upper end, and of skewness twice that at the nearer end.
// A feature without a statistic has no row for it, and without the baseline none has. The baseline
// has the statistics of the input side by their names in the view features.
func (s Side) FeaturePValues(sae, baseline string) string {
	return s.SQL(pValues(s.Prefix, sae, baseline))
}

// InputPrefix is what the columns of the input side in the view features begin with.
const InputPrefix = "input_"

func pValues(prefix, sae, baseline string) string {
	return strings.NewReplacer("$sae", sae, "$baseline", baseline, "$prefix", prefix).Replace(`WITH all_values AS (
		SELECT substr(statistic, len('$prefix') + 1) AS statistic, unnest(sorted_values) AS v, 1 AS random, CAST(NULL AS INTEGER) AS feature FROM stored_baseline_statistics
		WHERE baseline_id = $baseline AND statistic IN ('$prefixskewness', '$prefixkurtosis')
		UNION ALL SELECT 'skewness', skewness, 0, feature FROM stored_statistics WHERE sae_id = $sae AND skewness IS NOT NULL
		UNION ALL SELECT 'kurtosis', kurtosis, 0, feature FROM stored_statistics WHERE sae_id = $sae AND kurtosis IS NOT NULL
	),
	reached AS (
		SELECT statistic, feature,
			sum(random) OVER (PARTITION BY statistic ORDER BY v DESC RANGE UNBOUNDED PRECEDING) AS above,
			sum(random) OVER (PARTITION BY statistic ORDER BY v RANGE UNBOUNDED PRECEDING) AS below,
			sum(random) OVER (PARTITION BY statistic) AS directions
		FROM all_values
	)
	SELECT statistic, feature,
		CASE statistic WHEN 'skewness' THEN least(1.0, 2.0 * (1 + least(above, below)) / (1 + directions)) ELSE (1.0 + above) / (1 + directions) END AS p
	FROM reached WHERE feature IS NOT NULL AND directions > 0`)
}

// RowsOfDirections is the condition that each value of a statistic, a row of the table of,
// in a baseline of so many random directions has a row of theirs, and no row two.
func RowsOfDirections(of, directions string) string {
	return strings.NewReplacer("$of", of, "$directions", directions).Replace(`len($of.direction_rows) = len($of.sorted_values)
		AND len(list_distinct($of.direction_rows)) = len($of.sorted_values) AND list_min($of.direction_rows) >= 0 AND list_max($of.direction_rows) < $directions`)
}
