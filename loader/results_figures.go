package loader

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// figures writes the figures of one side of an SAE in place of those that are there.
func (i *resultsImport) figures(side schema.Side, id int, s *resultsSAE, m *resultsModel, c computed) error {
	err := deleteWhere(i.ctx, i.tx, fmt.Sprintf("sae_id = %d", id), sideTables(side)...)
	if err != nil || !c.any {
		return err
	}
	if s.baseline(side).like {
		if err := i.baselines(side, m, s); err != nil {
			return err
		}
	}
	baseline, err := i.baselineOf(side, s, m, c.tokens)
	if err != nil {
		return err
	}
	counted := 0
	err = i.tx.QueryRowContext(i.ctx, "SELECT "+schema.CountedTokens(fmt.Sprint(m.id), schema.Literal(c.tokens))).Scan(&counted)
	if err != nil {
		return err
	}
	err = schema.Insert(i.ctx, i.tx, side.SQL("stored_computations"), schema.Row{
		{"sae_id", id}, {"tokens", c.tokens}, {"kernel", c.kernel}, {"saedb_version", c.version}, {"computed_at", c.at},
		{"counted_tokens", counted}, {"features", 0}, {"scores", 0}, {"baseline_id", baseline},
	})
	if err != nil {
		return err
	}
	t := i.features
	columns, values := strings.Join(side.StatisticsColumns(), ", "), resultsColumns(side)
	if side.Name == schema.Output.Name {
		derived := map[string]string{"top_share": schema.TopShare(fmt.Sprint(counted)), "decoder_norm": t.as("decoder_norm", "DOUBLE")}
		for _, c := range schema.DerivedColumns {
			values += ", " + derived[c]
		}
	}
	err = execute(i.ctx, i.tx,
		fmt.Sprintf(`INSERT INTO %s (sae_id, feature, %s) SELECT %d, feature, %s FROM %s WHERE %s AND %smean IS NOT NULL ORDER BY feature`,
			side.SQL("stored_statistics"), columns, id, values, t.from, s.where(), side.Prefix),
		fmt.Sprintf(`INSERT INTO %s (sae_id, feature, skewness_p, skewness_q, kurtosis_p, kurtosis_q)
			SELECT * FROM (SELECT %d, feature, %s AS skewness_p, %s, %s AS kurtosis_p, %s FROM %s WHERE %s)
			WHERE skewness_p IS NOT NULL OR kurtosis_p IS NOT NULL ORDER BY feature`, side.SQL("stored_significance"), id,
			t.as(side.Prefix+"skewness_p", "DOUBLE"), t.as(side.Prefix+"skewness_q", "DOUBLE"), t.as(side.Prefix+"kurtosis_p", "DOUBLE"), t.as(side.Prefix+"kurtosis_q", "DOUBLE"), t.from, s.where()))
	if err != nil {
		return err
	}
	if i.of(side).enrichment != nil {
		if err := i.scoresOf(side, id, s, m); err != nil {
			return err
		}
		// A new database gets its macros with its views, when all is in it.
		if _, err := i.tx.ExecContext(i.ctx, schema.ViewMacros()+side.InsertLabels(id)+";"+side.CountSets(fmt.Sprintf("sae_id = %d", id))); err != nil {
			return err
		}
	}
	return schema.RecordCounts(i.ctx, i.tx, fmt.Sprintf("sae_id = %d", id))
}

// inputNames are the names in results of the columns of the input side's statistics that are not
// those of the output side after a prefix.
var inputNames = map[string]string{
	"top_tokens": "input_tokens", "top_token_ids": "input_token_ids", "top_logit_weights": "input_weights", "bottom_logit_weights": "input_bottom_weights",
}

// resultsColumns is the SQL of schema.StatisticsColumns of a side in results.
func resultsColumns(side schema.Side) string {
	all := make([]string, len(schema.StatisticsColumns))
	for i, name := range schema.StatisticsColumns {
		if all[i] = side.Prefix + name; side.Name == schema.Input.Name && inputNames[name] != "" {
			all[i] = inputNames[name]
		}
	}
	return strings.Join(all, ", ")
}

// checkInputSide makes sure that the figures of the input side of an SAE are whole, where there are
// any: results of an older saedb lack their columns, and those of other jobs may have NULL there.
func (i *resultsImport) checkInputSide(s *resultsSAE) (computed, error) {
	c := s.input
	if i.features.columns["input_mean"] == "" {
		return c, nil
	}
	columns := strings.Split(resultsColumns(schema.Input), ", ")
	for _, column := range columns {
		if i.features.columns[column] == "" {
			columns = nil
		}
	}
	if columns == nil {
		// What a view alone has shown is not enough.
		var there bool
		err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf("SELECT count(input_mean) > 0 FROM %s WHERE %s", i.features.from, s.where())).Scan(&there)
		if err == nil && there {
			err = &fault.Error{Problem: "figures of its input side lack columns: expected " + resultsColumns(schema.Input), Hint: "docs/export.md has the layout of results"}
		}
		return c, err
	}
	var counted, torn int
	var nulls []string
	for _, column := range columns {
		if !strings.HasSuffix(column, "skewness") && !strings.HasSuffix(column, "kurtosis") {
			nulls = append(nulls, "(input_mean IS NULL) <> ("+column+" IS NULL)")
		}
	}
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf("SELECT count(input_mean), count(*) FILTER (%s) FROM %s WHERE %s",
		strings.Join(nulls, " OR "), i.features.from, s.where())).Scan(&counted, &torn)
	switch {
	case err != nil:
		return c, err
	case torn > 0:
		return c, &fault.Error{Problem: fmt.Sprintf("%d rows lack some figures of their input side", torn), Hint: "was the job that wrote it interrupted?"}
	case counted > 0 && c.tokens != "all" && c.tokens != "real":
		return c, &fault.Error{Expected: "all or real as input_side_tokens of " + i.saes.name + ", which its figures of the input side are for", Found: schema.Literal(c.tokens)}
	}
	c.any = counted > 0
	return c, nil
}

// scoresOf writes the enrichment of a side of an SAE.
func (i *resultsImport) scoresOf(side schema.Side, id int, s *resultsSAE, m *resultsModel) error {
	var rows int64
	t := i.of(side).enrichment
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
	result, err := i.tx.ExecContext(i.ctx, fmt.Sprintf(`INSERT INTO `+side.SQL(`stored_enrichment (sae_id, set_id, feature, es, promoted, auc, log10_ks_p, log10_p, log10_q, log10_q_all)
		SELECT %d, k.set_id, e.feature, e.es, CASE WHEN e.es IS NOT NULL THEN e.direction = 'promoted' END, e.auc, %s`)+`
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
		Problem: fmt.Sprintf("%d of %d rows of %s are of features that it does not have, or of sets that token_sets does not have", rows-written, rows, t.name),
	}
}

// baselineOf is the number of the baseline that p-values of a side of an SAE are against, NULL for none.
func (i *resultsImport) baselineOf(side schema.Side, s *resultsSAE, m *resultsModel, tokens string) (id sql.NullInt64, err error) {
	b := s.baseline(side)
	if !b.seed.Valid || !b.directions.Valid {
		return id, nil
	}
	like := sql.NullInt64{Int64: int64(s.id), Valid: b.like}
	err = i.tx.QueryRowContext(i.ctx, `SELECT baseline_id FROM stored_baselines WHERE model_id = ? AND tokens = ? AND seed = ? AND directions = ? AND sae_id IS NOT DISTINCT FROM ? AND side = ? AND `+side.OfBaseline(),
		m.id, tokens, b.seed, b.directions, like, side.Name).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return id, &fault.Error{
			Expected: fmt.Sprintf("in "+i.baselinesIn()+" the baseline of its p-values, %d directions of seed %d for %s tokens, side %s", b.directions.Int64, b.seed.Int64, tokens, side.Name),
			Found:    "none",
		}
	}
	return id, err
}

// baselines adds the baselines of a side of a model, which has its token sets, that this database
// does not have, and the nulls of sets that its own lack. One that both have is the same. They are
// the isotropic ones, or those that are like the SAE s.
func (i *resultsImport) baselines(side schema.Side, m *resultsModel, s *resultsSAE) error {
	if i.chance == nil {
		return nil
	}
	name, like, number := schema.Literal(m.name), " IS NULL", "NULL"
	if s != nil {
		like, number = " = "+schema.Literal(s.name), fmt.Sprint(s.id)
	}
	of := func(t *resultsTable) string {
		return "model = " + name + " AND " + t.as("like_sae", "VARCHAR") + like + " AND coalesce(" + t.as("side", "VARCHAR") + ", 'output') = " + schema.Literal(side.Name) + through(side, t)
	}
	nulls := i.of(side).nulls
	there := fmt.Sprintf(`(SELECT baseline_id, tokens, seed, directions FROM stored_baselines WHERE model_id = %d AND sae_id IS NOT DISTINCT FROM %s AND side = %s AND %s)`,
		m.id, number, schema.Literal(side.Name), side.OfBaseline())
	if err := i.checkBaselines(of, nulls, there); err != nil {
		return err
	}
	t := i.chance
	where, lens := of(t), "NULL, NULL"
	if id, layer := side.BaselineLens(); id != nil {
		lens = fmt.Sprintf("%d, %d", id, layer)
	}
	statements := []string{
		fmt.Sprintf(`INSERT INTO stored_baselines (baseline_id, model_id, sae_id, side, tokens, seed, directions, kernel, saedb_version, computed_at, lens_id, lens_layer)
			SELECT nextval('baseline_ids'), %d, %s, %s, tokens, seed, directions, coalesce(kernel, 'unknown'), saedb_version, coalesce(computed_at, %s), %s
			FROM (SELECT tokens, seed, directions, any_value(%s) AS kernel, any_value(saedb_version) AS saedb_version, min(%s) AS computed_at
				FROM %s WHERE %s GROUP BY tokens, seed, directions ORDER BY ALL) ANTI JOIN %s b USING (tokens, seed, directions)`,
			m.id, number, schema.Literal(side.Name), i.now(), lens, t.as("kernel", "VARCHAR"), t.as("computed_at", "TIMESTAMP"), t.from, where, there),
		fmt.Sprintf(`INSERT INTO stored_baseline_statistics (baseline_id, statistic, sorted_values, direction_rows)
			SELECT baseline_id, statistic, sorted_values, direction_rows FROM %s JOIN %s b USING (tokens, seed, directions) ANTI JOIN stored_baseline_statistics o USING (baseline_id, statistic)
			WHERE %s ORDER BY ALL`, t.from, there, where),
	}
	if nulls != nil {
		statements = append(statements, fmt.Sprintf(`INSERT INTO stored_baseline_enrichment
				(baseline_id, set_id, directions, scores, counts, threshold, location, scale, median, auc_scale, resolution)
			SELECT b.baseline_id, k.set_id, n.directions, n.scores, n.counts, n.es_q99, n.es_location, n.es_scale, n.expected_es, n.auc_scale, n.resolution
			FROM (FROM %s WHERE %s) n
			JOIN %s b ON b.tokens = n.tokens AND b.seed = n.seed AND b.directions = n.baseline_directions
			JOIN stored_token_sets k ON k.model_id = %d AND k.token_set = n.token_set
			ANTI JOIN stored_baseline_enrichment o ON o.baseline_id = b.baseline_id AND o.set_id = k.set_id
			ORDER BY b.baseline_id, k.set_id`, nulls.from, of(nulls), there, m.id))
	}
	return execute(i.ctx, i.tx, statements...)
}

// checkBaselines refuses baselines that are not whole, or of which this database has others.
// of gives the condition that is for the rows of a table.
func (i *resultsImport) checkBaselines(of func(*resultsTable) string, nulls *resultsTable, there string) error {
	var torn, other, wrong int
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FILTER (NOT coalesce(tokens IN ('all', 'real') AND s.directions > 0 AND len(s.sorted_values) BETWEEN 1 AND s.directions
				AND s.sorted_values = list_sort(s.sorted_values) AND `+schema.RowsOfDirections("s", "s.directions")+` AND of_it = 1, false)), count(*) FILTER (o.sorted_values <> s.sorted_values OR o.direction_rows <> s.direction_rows)
		FROM (SELECT *, count(*) OVER (PARTITION BY tokens, seed, directions, statistic) AS of_it FROM %s WHERE %s) s
		LEFT JOIN (SELECT b.* EXCLUDE (baseline_id), o.statistic, o.sorted_values, o.direction_rows FROM %s b JOIN stored_baseline_statistics o USING (baseline_id)) o
			USING (tokens, seed, directions, statistic)`, i.chance.from, of(i.chance), there)).Scan(&torn, &other)
	if err == nil && nulls != nil {
		// A set without a null has none of it.
		err = i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*) FILTER (NOT coalesce(of_it = 1 AND CASE WHEN scores IS NULL THEN counts IS NULL
				ELSE len(scores) > 0 AND len(scores) = len(counts) AND directions > 0 AND es_q99 >= 0 AND es_location >= 0 AND es_scale > 0 AND expected_es >= 0 AND resolution > 0
					AND scores = list_reverse_sort(scores) AND counts = list_sort(counts) END, false))
			FROM (SELECT *, count(*) OVER (PARTITION BY tokens, seed, baseline_directions, token_set) AS of_it FROM %s WHERE %s)`, nulls.from, of(nulls))).Scan(&wrong)
	}
	switch {
	case err != nil:
		return err
	case torn > 0:
		return &fault.Error{Problem: fmt.Sprintf("%d rows of %s are not whole, or there twice", torn, i.baselinesIn())}
	case wrong > 0:
		return &fault.Error{Problem: fmt.Sprintf("%d rows of %s are not whole, or there twice", wrong, nulls.name)}
	case other > 0:
		return &fault.Error{Problem: "this database has another baseline of the same seed and number of directions", Hint: "import into a new database"}
	}
	return nil
}
