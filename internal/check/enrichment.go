package check

// enrichmentTables checks the stored scores of each SAE.
func (r *run) enrichmentTables() error {
	add, end := r.begin("enrichment", int64(len(r.saes)), "SAEs")
	defer end()
	for i := range r.saes {
		if err := r.applyAll(enrichmentRules, r.namedSAE(&r.saes[i])...); err != nil {
			return err
		}
		add(1)
	}
	return nil
}

const (
	scoreSubject = `'$subject, feature ' || feature || ', ' || coalesce('token set ' || token_set, 'set_id ' || e.set_id)`
	scoreTables  = ` FROM stored_enrichment e LEFT JOIN stored_token_sets t USING (set_id) WHERE sae_id = $id AND `

	// adjusted is the Benjamini-Hochberg q-values of an SAE as logarithms: with its
	// N p-values in ascending order, q of the i-th is the least N·p/j of those from
	// the i-th on. Equal p-values have the q-value of the last of them.
	adjusted = `SELECT set_id, feature, log10_q, least(0, min(log10_p + log10(n) - log10(place)) OVER (ORDER BY log10_p DESC)) AS expected
		FROM (SELECT set_id, feature, log10_p, log10_q, count(*) OVER () AS n, count(*) OVER (ORDER BY log10_p) AS place
			FROM (SELECT set_id, feature, log10_p, log10_q FROM stored_enrichment WHERE sae_id = $id AND log10_p IS NOT NULL))`

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
		((es IS NULL) <> (promoted IS NULL) OR (es IS NULL) <> (log10_p IS NULL) OR (es IS NULL) <> (auc IS NULL) OR es IS NULL AND log10_q IS NOT NULL)`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected es and auc from 0 to 1 and p- and q-values of at most 1, found es ' || es || ', auc ' || auc || ', log10_p ' || log10_p || coalesce(', log10_q ' || log10_q, '')` + scoreTables + `
		NOT (es >= 0 AND es <= 1.000001 AND auc >= -0.000001 AND auc <= 1.000001 AND log10_p <= 0.00001 AND coalesce(log10_q, 0) <= 0 AND NOT isnan(es) AND NOT isnan(auc) AND NOT isnan(log10_p))`},
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'expected log10_q ' || expected || ' of its p-value among all, found ' || log10_q
		FROM (` + adjusted + `) e LEFT JOIN stored_token_sets t USING (set_id)
		WHERE ` + complete + ` AND NOT abs(log10_q - expected) <= 1e-5 * greatest(1, abs(expected)) ORDER BY ALL`},
	// What is there may lack p-values, or have those of sets that are gone: the order stays.
	{"stored_enrichment", `SELECT ` + scoreSubject + `, 'its q-value is below that of a lower p-value'
		FROM (SELECT set_id, feature, log10_q, max(log10_q) OVER (ORDER BY log10_p RANGE UNBOUNDED PRECEDING) AS before
			FROM stored_enrichment WHERE sae_id = $id AND log10_p IS NOT NULL AND log10_q IS NOT NULL AND NOT ` + complete + `) e LEFT JOIN stored_token_sets t USING (set_id)
		WHERE log10_q < before - 1e-5 * greatest(1, abs(before)) ORDER BY ALL`},
}
