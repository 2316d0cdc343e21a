package loader

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// figures writes the figures of an SAE in place of those that are there.
func (i *resultsImport) figures(id int, s *resultsSAE, m *resultsModel, c computed) error {
	err := deleteWhere(i.ctx, i.tx, fmt.Sprintf("sae_id = %d", id), "stored_statistics", "stored_significance", "stored_labels", "stored_computations", "stored_enrichment")
	if err != nil || !c.any {
		return err
	}
	if s.like {
		if err := i.baselines(m, s, id); err != nil {
			return err
		}
	}
	baseline, err := i.baselineOf(s, m, id, c.tokens)
	if err != nil {
		return err
	}
	counted := 0
	err = i.tx.QueryRowContext(i.ctx, "SELECT "+schema.CountedTokens(fmt.Sprint(m.id), schema.Literal(c.tokens))).Scan(&counted)
	if err != nil {
		return err
	}
	err = insert(i.ctx, i.tx, "stored_computations", row{
		{"sae_id", id}, {"tokens", c.tokens}, {"kernel", c.kernel}, {"saedb_version", c.version}, {"computed_at", c.at},
		{"counted_tokens", counted}, {"features", 0}, {"scores", 0}, {"baseline_id", baseline},
	})
	if err != nil {
		return err
	}
	t := i.features
	err = execute(i.ctx, i.tx,
		fmt.Sprintf(`INSERT INTO stored_statistics (sae_id, feature, %[1]s, top_share, decoder_norm) SELECT %[2]d, feature, %[1]s, %[5]s, %[6]s FROM %[3]s WHERE %[4]s AND mean IS NOT NULL ORDER BY feature`,
			strings.Join(schema.StatisticsColumns, ", "), id, t.from, s.where(), schema.TopShare(fmt.Sprint(counted)), t.as("decoder_norm", "DOUBLE")),
		fmt.Sprintf(`INSERT INTO stored_significance (sae_id, feature, skewness_p, skewness_q, kurtosis_p, kurtosis_q)
			SELECT * FROM (SELECT %d, feature, %s AS skewness_p, %s, %s AS kurtosis_p, %s FROM %s WHERE %s)
			WHERE skewness_p IS NOT NULL OR kurtosis_p IS NOT NULL ORDER BY feature`,
			id, t.as("skewness_p", "DOUBLE"), t.as("skewness_q", "DOUBLE"), t.as("kurtosis_p", "DOUBLE"), t.as("kurtosis_q", "DOUBLE"), t.from, s.where()))
	if err != nil {
		return err
	}
	if i.enrichment != nil {
		if err := i.scoresOf(id, s, m); err != nil {
			return err
		}
		// A new database gets its macros with its views, when all is in it.
		if _, err := i.tx.ExecContext(i.ctx, schema.ViewMacros()+schema.InsertLabels(id)); err != nil {
			return err
		}
	}
	return schema.RecordCounts(i.ctx, i.tx, fmt.Sprintf("sae_id = %d", id))
}

// scoresOf writes the enrichment of an SAE.
func (i *resultsImport) scoresOf(id int, s *resultsSAE, m *resultsModel) error {
	var rows int64
	t := i.enrichment
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FROM %s WHERE %s`, t.from, s.where())).Scan(&rows)
	if err != nil || rows == 0 {
		return err
	}
	logarithms := strings.Join([]string{t.as("log10_ks_p", "FLOAT"), t.as("log10_p", "FLOAT"), t.as("log10_q", "FLOAT"), t.as("log10_q_all", "FLOAT")}, ", ")
	if t.columns["log10_ks_p"] == "" {
		// Of an saedb before there were baselines: the closed form's, and q-values of that.
		logarithms = t.as("log10_p", "FLOAT") + ", NULL, NULL, NULL"
	}
	// Undefined scores have no direction.
	result, err := i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO stored_enrichment (sae_id, set_id, feature, es, promoted, auc, log10_ks_p, log10_p, log10_q, log10_q_all)
		SELECT %d, k.set_id, e.feature, e.es, CASE WHEN e.es IS NOT NULL THEN e.direction = 'promoted' END, e.auc, %s
		FROM (SELECT * FROM %s WHERE %s) e
		JOIN stored_token_sets k ON k.model_id = %d AND k.token_set = e.token_set
		WHERE e.feature >= 0 AND e.feature < %d ORDER BY k.set_id, e.feature`, id, logarithms, t.from, s.where(), m.id, s.dSAE))
	if err != nil {
		return err
	}
	written, err := result.RowsAffected()
	if err != nil || written == rows {
		i.scores += written
		return err
	}
	return &fault.Error{
		Problem: fmt.Sprintf("%d of %d rows of enrichment are of features that it does not have, or of sets that token_sets does not have", rows-written, rows),
	}
}

// baselineOf is the number of the baseline that an SAE's p-values are against, NULL for none.
func (i *resultsImport) baselineOf(s *resultsSAE, m *resultsModel, sae int, tokens string) (id sql.NullInt64, err error) {
	if !s.seed.Valid || !s.directions.Valid {
		return id, nil
	}
	like := sql.NullInt64{Int64: int64(sae), Valid: s.like}
	err = i.tx.QueryRowContext(i.ctx, `SELECT baseline_id FROM stored_baselines WHERE model_id = ? AND tokens = ? AND seed = ? AND directions = ? AND sae_id IS NOT DISTINCT FROM ?`,
		m.id, tokens, s.seed, s.directions, like).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return id, &fault.Error{
			Expected: fmt.Sprintf("in baseline_statistics the baseline of its p-values, %d directions of seed %d for %s tokens", s.directions.Int64, s.seed.Int64, tokens),
			Found:    "none",
		}
	}
	return id, err
}

// baselines adds the baselines of a model, which has its token sets, that this database does
// not have, and the nulls of sets that its own lack. One that both have is the same. They are
// the isotropic ones, or those that are like the SAE s, which has number sae here.
func (i *resultsImport) baselines(m *resultsModel, s *resultsSAE, sae int) error {
	if i.chance == nil {
		return nil
	}
	name, like, number := schema.Literal(m.name), " IS NULL", "NULL"
	if s != nil {
		like, number = " = "+schema.Literal(s.name), fmt.Sprint(sae)
	}
	of := func(t *resultsTable) string { return "model = " + name + " AND " + t.as("like_sae", "VARCHAR") + like }
	there := fmt.Sprintf(`(SELECT baseline_id, tokens, seed, directions FROM stored_baselines WHERE model_id = %d AND sae_id IS NOT DISTINCT FROM %s)`, m.id, number)
	if err := i.checkBaselines(of, there); err != nil {
		return err
	}
	t := i.chance
	where := of(t)
	statements := []string{
		fmt.Sprintf(`INSERT INTO stored_baselines (baseline_id, model_id, sae_id, tokens, seed, directions, kernel, saedb_version, computed_at)
			SELECT nextval('baseline_ids'), %d, %s, tokens, seed, directions, coalesce(kernel, 'unknown'), saedb_version, coalesce(computed_at, TIMESTAMP %s)
			FROM (SELECT tokens, seed, directions, any_value(%s) AS kernel, any_value(saedb_version) AS saedb_version, min(%s) AS computed_at
				FROM %s WHERE %s GROUP BY tokens, seed, directions ORDER BY ALL) ANTI JOIN %s b USING (tokens, seed, directions)`,
			m.id, number, schema.Literal(i.begun.UTC().Format("2006-01-02 15:04:05.999999")), t.as("kernel", "VARCHAR"), t.as("computed_at", "TIMESTAMP"), t.from, where, there),
		fmt.Sprintf(`INSERT INTO stored_baseline_statistics (baseline_id, statistic, sorted_values, direction_rows)
			SELECT baseline_id, statistic, sorted_values, direction_rows FROM %s JOIN %s b USING (tokens, seed, directions) ANTI JOIN stored_baseline_statistics o USING (baseline_id, statistic)
			WHERE %s ORDER BY ALL`, t.from, there, where),
	}
	if i.nulls != nil {
		statements = append(statements, fmt.Sprintf(`INSERT INTO stored_baseline_enrichment
				(baseline_id, set_id, directions, scores, counts, threshold, location, scale, median, auc_scale, resolution)
			SELECT b.baseline_id, k.set_id, n.directions, n.scores, n.counts, n.es_q99, n.es_location, n.es_scale, n.expected_es, n.auc_scale, n.resolution
			FROM (FROM %s WHERE %s) n
			JOIN %s b ON b.tokens = n.tokens AND b.seed = n.seed AND b.directions = n.baseline_directions
			JOIN stored_token_sets k ON k.model_id = %d AND k.token_set = n.token_set
			ANTI JOIN stored_baseline_enrichment o ON o.baseline_id = b.baseline_id AND o.set_id = k.set_id
			ORDER BY b.baseline_id, k.set_id`, i.nulls.from, of(i.nulls), there, m.id))
	}
	return execute(i.ctx, i.tx, statements...)
}

// checkBaselines refuses baselines that are not whole, or of which this database has others.
// of gives the condition that is for the rows of a table.
func (i *resultsImport) checkBaselines(of func(*resultsTable) string, there string) error {
	var torn, other, nulls int
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FILTER (NOT coalesce(tokens IN ('all', 'real') AND s.directions > 0 AND len(s.sorted_values) BETWEEN 1 AND s.directions
				AND s.sorted_values = list_sort(s.sorted_values) AND `+schema.RowsOfDirections("s", "s.directions")+` AND of_it = 1, false)), count(*) FILTER (o.sorted_values <> s.sorted_values OR o.direction_rows <> s.direction_rows)
		FROM (SELECT *, count(*) OVER (PARTITION BY tokens, seed, directions, statistic) AS of_it FROM %s WHERE %s) s
		LEFT JOIN (SELECT b.* EXCLUDE (baseline_id), o.statistic, o.sorted_values, o.direction_rows FROM %s b JOIN stored_baseline_statistics o USING (baseline_id)) o
			USING (tokens, seed, directions, statistic)`, i.chance.from, of(i.chance), there)).Scan(&torn, &other)
	if err == nil && i.nulls != nil {
		// A set without a null has none of it.
		err = i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FILTER (NOT coalesce(of_it = 1 AND CASE WHEN scores IS NULL THEN counts IS NULL
				ELSE len(scores) > 0 AND len(scores) = len(counts) AND directions > 0 AND es_q99 >= 0 AND es_location >= 0 AND es_scale > 0 AND expected_es >= 0 AND resolution > 0
					AND scores = list_reverse_sort(scores) AND counts = list_sort(counts) END, false))
			FROM (SELECT *, count(*) OVER (PARTITION BY tokens, seed, baseline_directions, token_set) AS of_it FROM %s WHERE %s)`, i.nulls.from, of(i.nulls))).Scan(&nulls)
	}
	switch {
	case err != nil:
		return err
	case torn > 0:
		return &fault.Error{Problem: fmt.Sprintf("%d rows of baseline_statistics are not whole, or there twice", torn)}
	case nulls > 0:
		return &fault.Error{Problem: fmt.Sprintf("%d rows of baseline_enrichment are not whole, or there twice", nulls)}
	case other > 0:
		return &fault.Error{Problem: "this database has another baseline of the same seed and number of directions", Hint: "import into a new database"}
	}
	return nil
}
