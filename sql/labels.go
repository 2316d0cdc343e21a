package schema

import (
	"fmt"
	"strings"
)

// What a row of stored_enrichment says, in SQL: effect and q_value of the view enrichment, and
// whether it is beyond chance. Files of SQL have marks for the first two.
const (
	ScoreEffect       = "2 * auc - 1"
	ScoreQ            = "pow(10.0, CAST(log10_q AS DOUBLE))"
	ScoreBeyondChance = "beyond_chance(" + ScoreQ + ")"
)

// Labels is the query for the labels of one side of an SAE's features, the rows of stored_labels without
// sae_id, as [InsertLabels] stores them: of each feature that has a set beyond chance, the
// strongest, in the order of strongest_of_feature, in words, with its members among the ten
// tokens at that end.
func (s Side) Labels(sae int) string {
	return s.SQL(strings.ReplaceAll(`WITH strongest AS (
		SELECT e.feature, e.set_id, e.promoted, t.token_set, t.family
		FROM stored_enrichment e JOIN (SELECT set_id, token_set, family FROM stored_token_sets) t USING (set_id)
		WHERE e.sae_id = $sae AND `+ScoreBeyondChance+`
		QUALIFY row_number() OVER (PARTITION BY e.feature ORDER BY abs(`+ScoreEffect+`) DESC, e.log10_q, t.token_set) = 1
	), ends AS (
		SELECT s.*, CASE WHEN promoted THEN t.top_tokens ELSE t.bottom_tokens END AS tokens,
		       CASE WHEN promoted THEN t.top_token_ids ELSE t.bottom_token_ids END AS token_ids
		FROM strongest s JOIN stored_statistics t ON t.sae_id = $sae AND t.feature = s.feature
	), members AS (
		SELECT set_id, unnest(token_ids) AS token_id FROM stored_token_sets WHERE set_id IN (SELECT set_id FROM strongest)
	), marked AS (
		SELECT e.feature, list(m.token_id IS NOT NULL ORDER BY e.rank) AS members
		FROM (SELECT feature, set_id, unnest(token_ids) AS token_id, unnest(range(len(token_ids))) AS rank FROM ends) e
		LEFT JOIN members m ON m.set_id = e.set_id AND m.token_id = e.token_id
		GROUP BY e.feature
	)
	SELECT feature, set_id, feature_label(CASE WHEN promoted THEN 'promoted' ELSE 'suppressed' END, set_phrase(token_set, family), tokens, members) AS label
	FROM ends JOIN marked USING (feature)
	ORDER BY feature`, "$sae", fmt.Sprint(sae)))
}

// InsertLabels is the statement that stores [Labels], once the SAE has its q-values.
func (s Side) InsertLabels(sae int) string {
	return s.SQL(fmt.Sprintf("INSERT INTO stored_labels SELECT %d, * FROM (%s)", sae, Output.Labels(sae)))
}
