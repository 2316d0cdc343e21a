package statistics

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// significance holds a side of an SAE's figures against the job's baseline, where it has one, which
// must be there: p-values, and the q-values that depend on all features and sets of the SAE.
// like is the SAE itself where that baseline is like it, else 0. Without one, those of an
// earlier baseline are taken away.
func (j *Job) significance(ctx context.Context, side schema.Side, sae, like int) error {
	var model int
	var name, tokens string
	err := j.DB.QueryRowContext(ctx, side.SQL(`SELECT m.model_id, m.model, c.tokens FROM stored_saes s JOIN stored_models m USING (model_id) JOIN stored_computations c USING (sae_id)
		WHERE s.sae_id = ?`), sae).Scan(&model, &name, &tokens)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	id := 0
	if j.Baseline != 0 {
		if id, _, err = j.findBaseline(ctx, side, model, tokens, like); err != nil {
			return err
		}
	}
	tx, err := j.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// The rows that are there, of any SAE; what this transaction adds has numbers above.
	var last int64
	if err := tx.QueryRowContext(ctx, side.SQL(`SELECT coalesce(max(rowid), -1) FROM stored_enrichment`)).Scan(&last); err != nil {
		return err
	}
	values := strings.NewReplacer("$sae", strconv.Itoa(sae), "$last", strconv.FormatInt(last, 10), "$baseline", strconv.Itoa(id), "$model", schema.Literal(name))
	statements := []string{
		`DELETE FROM stored_significance WHERE sae_id = $sae`,
		`DELETE FROM stored_labels WHERE sae_id = $sae`,
		`UPDATE stored_computations SET baseline_id = nullif($baseline, 0) WHERE sae_id = $sae`,
		enrichmentSignificance(id),
		`DELETE FROM stored_enrichment WHERE sae_id = $sae AND rowid <= $last`,
		schema.Output.CountSets("sae_id = $sae"),
	}
	if id != 0 {
		statements = append(statements, featureSignificance(side.FeaturePValues("$sae", "$baseline")), schema.Output.InsertLabels(sae))
	}
	for i := range statements { // before there are names in them
		statements[i] = side.SQL(statements[i])
	}
	// Baselines that nothing is held against any more, but for those of other choices of tokens.
	statements = append(statements, unusedBaselines...)
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, values.Replace(statement)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// adjusted is the SQL of log10 of the Benjamini-Hochberg q-value: with N p-values in
// ascending order, q of the i-th is the least N·p/j of those from the i-th on (Benjamini
// and Hochberg, 1995). among is what they are partitioned by, or empty; log10_p, n and place
// are the logarithm, N and i.
func adjusted(among string) string {
	return fmt.Sprintf(`CASE WHEN log10_p IS NOT NULL
		THEN least(0, min(log10_p + log10(nullif(n%[1]s, 0)) - log10(place%[1]s)) OVER (%[2]s ORDER BY place%[1]s DESC ROWS UNBOUNDED PRECEDING)) END`,
		map[bool]string{true: "", false: "_all"}[among != ""], among)
}

// enrichmentSignificance writes an SAE's scores anew with their p- and q-values, or without
// where there is no baseline. Every row changes, so all are written, and in the order of sets:
// a set's scores then lie side by side, and whoever asks for one set reads no other. Which of
// equal p-values comes first changes no q-value, so nothing else is sorted by.
func enrichmentSignificance(id int) string {
	const insert = `INSERT INTO stored_enrichment (sae_id, set_id, feature, es, promoted, auc, log10_ks_p, log10_p, log10_q, log10_q_all)
		SELECT sae_id, set_id, feature, es, promoted, auc, log10_ks_p, `
	if id == 0 {
		return insert + `NULL, NULL, NULL FROM stored_enrichment WHERE sae_id = $sae ORDER BY set_id, feature`
	}
	return insert + `log10_p, ` + adjusted("PARTITION BY family") + `, ` + adjusted("") + `
		FROM (SELECT *, count(log10_p) OVER (PARTITION BY family) AS n, row_number() OVER (PARTITION BY family ORDER BY log10_p NULLS LAST) AS place,
		             count(log10_p) OVER () AS n_all, row_number() OVER (ORDER BY log10_p NULLS LAST) AS place_all
		      FROM (SELECT e.* EXCLUDE (log10_p), CAST(baseline_log10_p($model, $baseline, set_id, es) AS FLOAT) AS log10_p, t.family
		            FROM stored_enrichment e JOIN stored_token_sets t USING (set_id) WHERE e.sae_id = $sae))
		ORDER BY set_id, feature`
}

// featureSignificance holds each feature's skewness and kurtosis against the random directions'.
func featureSignificance(pValues string) string {
	return `INSERT INTO stored_significance
	WITH placed AS (
		SELECT *, count(*) OVER (PARTITION BY statistic) AS n, row_number() OVER (PARTITION BY statistic ORDER BY p, feature) AS place
		FROM (` + pValues + `)
	),
	adjusted AS (
		SELECT *, least(1.0, min(p * n / place) OVER (PARTITION BY statistic ORDER BY place DESC ROWS UNBOUNDED PRECEDING)) AS q FROM placed
	)
	SELECT $sae, feature, any_value(p) FILTER (statistic = 'skewness'), any_value(q) FILTER (statistic = 'skewness'),
		any_value(p) FILTER (statistic = 'kurtosis'), any_value(q) FILTER (statistic = 'kurtosis')
	FROM adjusted GROUP BY feature ORDER BY feature`
}

// unusedBaselines drops baselines that another one of the model, its side, its choice of tokens
// and its kind has taken the place of, once no SAE is held against them.
var unusedBaselines = func() []string {
	const unused = `(SELECT baseline_id FROM stored_baselines b WHERE baseline_id NOT IN (SELECT baseline_id FROM stored_computations WHERE baseline_id IS NOT NULL)
		AND baseline_id NOT IN (SELECT baseline_id FROM stored_input_computations WHERE baseline_id IS NOT NULL)
		AND EXISTS (FROM stored_baselines o WHERE o.model_id = b.model_id AND o.side = b.side AND o.tokens = b.tokens AND o.sae_id IS NOT DISTINCT FROM b.sae_id
			AND o.lens_id IS NOT DISTINCT FROM b.lens_id AND o.lens_layer IS NOT DISTINCT FROM b.lens_layer AND o.baseline_id > b.baseline_id))`
	return []string{
		`DELETE FROM stored_baseline_enrichment WHERE baseline_id IN ` + unused,
		`DELETE FROM stored_baseline_statistics WHERE baseline_id IN ` + unused,
		`DELETE FROM stored_baselines WHERE baseline_id IN ` + unused,
	}
}()
