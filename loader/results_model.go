package loader

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// model finds a model of the results in this database, where it must be of the same files
// and processed in the same way, or makes it without its weights. Its token sets come with it.
func (i *resultsImport) model(name string) (*resultsModel, error) {
	if m := i.models[name]; m != nil {
		return m, nil
	}
	m := &resultsModel{name: name}
	where := "model = " + schema.Literal(name)
	var rows int
	var source, conventions string
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*), coalesce(any_value(CAST(d_model AS INTEGER)), 0), coalesce(any_value(CAST(d_vocab AS INTEGER)), 0),
			coalesce(any_value(sha256), ''), coalesce(any_value(source), ''), coalesce(any_value(conventions), '') FROM %s WHERE %s`, i.stored.from, where)).Scan(
		&rows, &m.dModel, &m.dVocab, &m.sha256, &source, &conventions)
	if err != nil {
		return nil, err
	}
	if rows != 1 || m.dModel < 1 || m.dVocab < 1 || m.sha256 == "" {
		return nil, &fault.Error{Problem: fmt.Sprintf("expected one whole row of its model %s in models, found %d", name, rows)}
	}
	l := &load{kind: "model", name: name, source: source, conventions: strings.TrimSuffix(conventions, schema.WithoutWeights)}
	earlier, err := current(i.ctx, i.tx, l)
	if err != nil {
		return nil, err
	}
	switch {
	case earlier.id == 0:
		if err := i.newModel(l, m, where); err != nil {
			return nil, err
		}
	case earlier.digest != m.sha256 || strings.TrimSuffix(earlier.conventions, schema.WithoutWeights) != l.conventions:
		return nil, &fault.Error{
			Problem: "its model " + name + " is another than the one in this database", Expected: fmt.Sprintf("sha256 %s (%s)", earlier.digest, earlier.conventions),
			Found: fmt.Sprintf("%s (%s)", m.sha256, l.conventions), Hint: "import into a new database",
		}
	default:
		m.id = earlier.id
	}
	i.models[name] = m
	if i.sets != nil {
		if err := i.tokenSets(m, where); err != nil {
			return nil, err
		}
	}
	for _, side := range schema.Sides {
		if err := i.baselines(side, m, nil); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// newModel records a model with its vocabulary.
func (i *resultsImport) newModel(l *load, m *resultsModel, where string) error {
	if i.stored.columns["revision"] != "" {
		if err := i.tx.QueryRowContext(i.ctx, "SELECT revision FROM "+i.stored.from+" WHERE "+where).Scan(&l.revision); err != nil {
			return err
		}
	}
	if err := i.recordImport(l, m.sha256, i.stored, where); err != nil {
		return err
	}
	m.id = l.id
	var tokens, distinct int
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT count(*), count(DISTINCT token_id) FROM %s WHERE %s AND token_id >= 0 AND token_id < %d`,
		i.tokens.from, where, m.dVocab)).Scan(&tokens, &distinct)
	if err != nil {
		return err
	}
	if tokens != m.dVocab || distinct != m.dVocab {
		return &fault.Error{
			Subject: "model " + l.name, Expected: fmt.Sprintf("%d tokens in %s", m.dVocab, i.tokens.name), Found: fmt.Sprintf("%d rows of %d tokens", tokens, distinct),
		}
	}
	err = execute(i.ctx, i.tx,
		fmt.Sprintf(`INSERT INTO stored_models (model_id, %[2]s) SELECT %[1]d, %[2]s FROM %[3]s WHERE %[4]s`, m.id, strings.Join(modelColumns, ", "), i.stored.from, where),
		fmt.Sprintf(`INSERT INTO stored_tokens SELECT %d, CAST(token_id AS INTEGER), token, text, is_special, is_padding FROM %s WHERE %s ORDER BY token_id`, m.id, i.tokens.from, where),
		fmt.Sprintf(`INSERT INTO stored_unembeddings SELECT %d, CAST(range AS INTEGER), NULL FROM range(%d)`, m.id, m.dVocab))
	if err != nil {
		return err
	}
	return schema.RecordContents(i.ctx, i.tx, m.id, "stored_unembeddings", "stored_tokens")
}

// tokenSets adds the token sets of a model. One of the same name must hold the same tokens.
func (i *resultsImport) tokenSets(m *resultsModel, where string) error {
	sets := fmt.Sprintf(`(SELECT token_set, any_value(family) AS family, list_sort(list_distinct(any_value(CAST(tokens AS INTEGER[])))) AS token_ids, count(*) AS rows
		FROM %s WHERE %s GROUP BY token_set)`, i.sets.from, where)
	var wrong, name string
	err := i.tx.QueryRowContext(i.ctx, fmt.Sprintf(`SELECT token_set, CASE
			WHEN rows > 1 THEN 'it is there ' || rows || ' times'
			WHEN g.token_ids IS NULL THEN 'it has no tokens, not even an empty list'
			WHEN list_min(g.token_ids) < 0 OR list_max(g.token_ids) >= %[1]d THEN 'it has ids of tokens that the model does not have'
			WHEN k.token_ids <> g.token_ids THEN 'this database has another set of that name'
		END AS wrong FROM %[2]s g LEFT JOIN (SELECT token_set, token_ids FROM stored_token_sets WHERE model_id = %[3]d) k USING (token_set)
		WHERE wrong IS NOT NULL ORDER BY token_set LIMIT 1`, m.dVocab, sets, m.id)).Scan(&name, &wrong)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	default:
		return &fault.Error{Problem: "token set " + name + ": " + wrong, Hint: "import into a new database, or rename the set where it was computed"}
	}
	_, err = i.tx.ExecContext(i.ctx, schema.InsertTokenSets(fmt.Sprintf(`
		SELECT nextval('token_set_ids'), %[1]d AS model_id, token_set, family, CAST(NULL AS VARCHAR) AS description, token_ids, CAST(? AS VARCHAR) AS source, ? FROM (
			SELECT * FROM %[2]s ANTI JOIN (SELECT token_set FROM stored_token_sets WHERE model_id = %[1]d) USING (token_set) ORDER BY token_set)`, m.id, sets)),
		absolute(i.Dir), i.begun.UTC())
	return err
}
