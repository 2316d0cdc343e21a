package schema

import (
	"fmt"
	"strings"
)

// SetEnrichment is the query for the rows of stored_set_enrichment, or of the input side's, that
// follow from the scores for which a condition on the number of their SAE holds. The strongest feature is
// found among those whose effect is the largest, which takes a fraction of the time of sorting by
// all that decides. A score without a direction, of a set that is empty or holds every
// token, is in no row.
func (s Side) SetEnrichment(where string) string {
	return s.SQL(strings.ReplaceAll(`WITH every AS (
		SELECT sae_id, set_id, promoted, feature, auc, log10_p, log10_q, `+ScoreQ+` AS q, beyond_chance(q) AS beyond,
		       abs(`+ScoreEffect+`) AS magnitude
		FROM stored_enrichment WHERE $where AND promoted IS NOT NULL
	), counted AS (
		SELECT sae_id, set_id, promoted, count(*) AS features, count(log10_q) AS adjusted, count(*) FILTER (beyond) AS beyond_chance,
		       max(log10_p) FILTER (beyond) AS highest_log10_p, bool_or(beyond) AS beyond, coalesce(max(magnitude) FILTER (beyond), max(magnitude)) AS magnitude
		FROM every GROUP BY sae_id, set_id, promoted
	)
	SELECT sae_id, set_id, promoted, any_value(c.features) AS features, any_value(c.adjusted) AS adjusted,
	       any_value(c.beyond_chance) AS beyond_chance, any_value(c.highest_log10_p) AS highest_log10_p,
	       unnest(arg_min({'feature': e.feature, 'auc': e.auc, 'log10_q': e.log10_q}, row(e.q, e.feature)))
	FROM every e JOIN counted c USING (sae_id, set_id, promoted, beyond, magnitude)
	GROUP BY sae_id, set_id, promoted ORDER BY sae_id, set_id, promoted`, "$where", where))
}

// CountSets is the statements that store [SetEnrichment] in place of what is there: after
// every change of q-values, once all features have their scores.
func (s Side) CountSets(where string) string {
	return s.SQL("DELETE FROM stored_set_enrichment WHERE "+where+";\nINSERT INTO stored_set_enrichment ") + s.SetEnrichment(where)
}

// BeyondChanceIn is the SQL, of rows of the view set_enrichment together, of how many features are
// beyond chance in a direction.
func BeyondChanceIn(direction string) string {
	return fmt.Sprintf("CAST(coalesce(sum(beyond_chance) FILTER (direction = '%s'), 0) AS BIGINT)", direction)
}
