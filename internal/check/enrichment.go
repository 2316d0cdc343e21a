package check

import (
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// enrichmentTables checks the stored scores of each SAE, on both sides.
func (r *run) enrichmentTables() error {
	add, end := r.begin("enrichment", int64(len(r.saes)), "SAEs")
	defer end()
	for i := range r.lensed {
		s := &r.lensed[i]
		if err := r.applyAll(append(labelRules(s.side, s.id), enrichmentRules...), r.namedSAE(s)...); err != nil {
			return err
		}
	}
	sides := slices.DeleteFunc(slices.Clone(schema.Sides), func(side schema.Side) bool {
		return r.empty(side.SQL("stored_enrichment"), side.SQL("stored_labels"), side.SQL("stored_set_enrichment"))
	})
	for i := range r.saes {
		for _, side := range sides {
			for _, rule := range append(labelRules(side, r.saes[i].id), enrichmentRules...) {
				rule.table, rule.query = side.SQL(rule.table), side.SQL(rule.query)
				if err := r.apply(rule, r.namedSAE(&r.saes[i])...); err != nil {
					return err
				}
			}
		}
		add(1)
	}
	return nil
}

const (
	scoreSubject = `'$subject, feature ' || feature || ', ' || coalesce('token set ' || token_set, 'set_id ' || e.set_id)`
	scoreTables  = ` FROM stored_enrichment e LEFT JOIN stored_token_sets t USING (set_id) WHERE sae_id = $id AND `

	// adjusted is the Benjamini-Hochberg q-values of an SAE as logarithms, within a family of
	// sets and over all: with N p-values in ascending order, q of the i-th is the least N·p/j
	// of those from the i-th on. Equal p-values have the q-value of the last of them.
	adjusted = `SELECT set_id, feature, log10_q, least(0, min(log10_p + log10(n) - log10(place)) OVER (PARTITION BY family ORDER BY log10_p DESC)) AS expected,
			log10_q_all, least(0, min(log10_p + log10(n_all) - log10(place_all)) OVER (ORDER BY log10_p DESC)) AS expected_all
		FROM (SELECT set_id, feature, family, log10_p, log10_q, log10_q_all, count(*) OVER (PARTITION BY family) AS n, count(*) OVER (PARTITION BY family ORDER BY log10_p) AS place,
				count(*) OVER () AS n_all, count(*) OVER (ORDER BY log10_p) AS place_all
			FROM stored_enrichment JOIN stored_token_sets USING (set_id) WHERE sae_id = $id AND log10_p IS NOT NULL)`

	// complete is an SAE with the scores of all features in all sets of its model, all
	// adjusted. Until compute has made it so, q-values may be those of other scores.
	complete = `(SELECT count(*) = $d_sae * (SELECT count(*) FROM stored_token_sets WHERE model_id = $model_id) AND count(log10_p) = count(log10_q)
		FROM stored_enrichment WHERE sae_id = $id)`
)

var enrichmentRules = []rule{
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected 1 row, found ' || count(*)` + scoreTables + `true GROUP BY e.set_id, token_set, feature HAVING count(*) > 1 ORDER BY ALL`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected features from 0 to ' || ($d_sae - 1)` + scoreTables + `(feature < 0 OR feature >= $d_sae)`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'the set is of another model'` + scoreTables + `t.model_id <> $model_id`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'some of its figures are NULL'` + scoreTables + `
		((es IS NULL) <> (promoted IS NULL) OR (es IS NULL) <> (log10_ks_p IS NULL) OR (es IS NULL) <> (auc IS NULL) OR es IS NULL AND log10_p IS NOT NULL
			OR log10_p IS NULL AND log10_q IS NOT NULL OR (log10_q IS NULL) > (log10_q_all IS NULL))`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected es and auc from 0 to 1 and p- and q-values of at most 1, found es ' || es || ', auc ' || auc || ', log10_ks_p ' || log10_ks_p || coalesce(', log10_p ' || log10_p, '') || coalesce(', log10_q ' || log10_q, '')` + scoreTables + `
		NOT (es >= 0 AND es <= 1.000001 AND auc >= -0.000001 AND auc <= 1.000001 AND log10_ks_p <= 0.00001 AND coalesce(log10_p, 0) <= 0 AND coalesce(log10_q, 0) <= 0
			AND NOT isnan(es) AND NOT isnan(auc) AND NOT isnan(log10_ks_p) AND NOT isnan(coalesce(log10_p, 0)))`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected log10_q ' || expected || ' of its p-value in its family and ' || expected_all || ' among all, found ' || log10_q || ' and ' || log10_q_all
		FROM (` + adjusted + `) e LEFT JOIN stored_token_sets t USING (set_id)
		WHERE ` + complete + ` AND NOT (abs(log10_q - expected) <= 1e-5 * greatest(1, abs(expected)) AND abs(log10_q_all - expected_all) <= 1e-5 * greatest(1, abs(expected_all))) ORDER BY ALL`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected log10_p ' || coalesce(expected, 'NULL') || ' of es ' || es || ' against its baseline, found ' || log10_p
		FROM (SELECT e.*, CAST(baseline_log10_p((SELECT model FROM stored_models WHERE model_id = $model_id), c.baseline_id, e.set_id, e.es) AS FLOAT) AS expected
			FROM stored_enrichment e JOIN stored_computations c USING (sae_id) JOIN stored_baseline_enrichment n ON n.baseline_id = c.baseline_id AND n.set_id = e.set_id
			WHERE e.sae_id = $id AND e.log10_p IS NOT NULL) e LEFT JOIN stored_token_sets t USING (set_id)
		WHERE NOT coalesce(abs(log10_p - expected) <= 1e-5 * greatest(1, abs(expected)), false) ORDER BY ALL`},
	// What is there may lack p-values, or have those of sets that are gone: the order stays.
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'its q-value is below that of a lower p-value'
		FROM (SELECT set_id, feature, log10_q, max(log10_q) OVER (PARTITION BY family ORDER BY log10_p RANGE UNBOUNDED PRECEDING) AS before
			FROM stored_enrichment JOIN stored_token_sets USING (set_id) WHERE sae_id = $id AND log10_p IS NOT NULL AND log10_q IS NOT NULL AND NOT ` + complete + `) e LEFT JOIN stored_token_sets t USING (set_id)
		WHERE log10_q < before - 1e-5 * greatest(1, abs(before)) ORDER BY ALL`},
	// Until compute has held the scores against a baseline, or has found that there is none, they may not be counted.
	{"stored_set_enrichment", `SELECT '$subject, ' || coalesce('token set ' || token_set, 'set_id ' || set_id) || CASE WHEN promoted THEN ', promoted' ELSE ', suppressed' END,
		'expected ' || coalesce(e.features || ' features, ' || e.beyond_chance || ' beyond chance, the strongest ' || e.feature, 'no row') || ' by its scores, found '
			|| coalesce(c.features || ', ' || c.beyond_chance || ' and ' || c.feature, 'none') || ', or other figures of these'
		FROM (` + schema.Output.SetEnrichment("sae_id = $id") + `) e FULL JOIN (FROM stored_set_enrichment WHERE sae_id = $id) c USING (sae_id, set_id, promoted)
		LEFT JOIN stored_token_sets USING (set_id)
		WHERE ` + complete + ` AND ` + setFigures("e") + ` IS DISTINCT FROM ` + setFigures("c") + ` AND (c.feature IS NOT NULL OR e.adjusted > 0) ORDER BY ALL`},
	{"stored_set_enrichment", `SELECT '$subject, set_id ' || set_id, 'expected 1 row each way, found ' || count(*)
		FROM stored_set_enrichment WHERE sae_id = $id GROUP BY set_id, promoted HAVING count(*) > 1 ORDER BY ALL`},
}

// setFigures are those of a row of stored_set_enrichment.
func setFigures(row string) string {
	return strings.ReplaceAll("row(row.features, row.adjusted, row.beyond_chance, row.highest_log10_p, row.feature, row.auc, row.log10_q)", "row.", row+".")
}

// labelRules make the labels of an SAE anew from its scores and its features' tokens.
func labelRules(side schema.Side, sae int) []rule {
	return []rule{
		{"stored_labels", `SELECT '$subject, feature ' || feature, 'expected 1 row, found ' || count(*) FROM stored_labels WHERE sae_id = $id GROUP BY feature HAVING count(*) > 1 ORDER BY ALL`},
		{"stored_labels", `SELECT '$subject, feature ' || feature, 'expected ' || coalesce('label ' || e.label, 'no label') || ' by its scores, found ' || coalesce(l.label, 'none')
			FROM (` + side.Labels(sae) + `) e FULL JOIN (SELECT feature, set_id, label FROM stored_labels WHERE sae_id = $id) l USING (feature)
			WHERE ` + complete + ` AND (e.set_id IS DISTINCT FROM l.set_id OR e.label IS DISTINCT FROM l.label) ORDER BY ALL`},
	}
}
