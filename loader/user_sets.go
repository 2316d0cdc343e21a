package loader

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tokenset"
	schema "github.com/saedb/saedb/sql"
)

const readUserSets = "read user_token_sets"

// sourceTable is the source of the token sets that the table user_token_sets makes.
const sourceTable = "user_token_sets"

// UserSets brings the token sets of the table user_token_sets, which any client can
// write to, to where enrichment reads them: new ones are added, those with other
// tokens than before replaced, and those that are no longer there dropped. What was
// computed for the latter two is dropped too. A row that makes no sense is an error
// that shows it. It returns an outcome for each model whose sets changed.
func (ld *Loader) UserSets(ctx context.Context) ([]SetsOutcome, error) {
	var outcomes []SetsOutcome
	err := ld.transact(ctx, func(tx *sql.Tx) (changed bool, err error) {
		outcomes, err = adoptUserSets(ctx, tx)
		return len(outcomes) > 0, err
	})
	return outcomes, fault.At(readUserSets, "", err)
}

func adoptUserSets(ctx context.Context, tx *sql.Tx) ([]SetsOutcome, error) {
	if err := checkUserRows(ctx, tx); err != nil {
		return nil, err
	}
	models, err := userSets(ctx, tx)
	if err != nil {
		return nil, err
	}
	var outcomes []SetsOutcome
	for _, m := range models {
		var names []string
		for _, set := range m.sets {
			names = append(names, set.Name)
		}
		if err := freeNames(ctx, tx, m); err != nil {
			return nil, err
		}
		dropped, err := dropUserSets(ctx, tx, m.id, names)
		if err != nil {
			return nil, err
		}
		outcome, err := writeSets(ctx, tx, &m.vocabulary, m.sets, sourceTable, true)
		if err != nil {
			return nil, err
		}
		outcome.FromTable, outcome.Dropped = true, dropped
		if outcome.changed() {
			outcomes = append(outcomes, outcome)
		}
	}
	return outcomes, nil
}

// checkUserRows returns an error for the first row whose model is not loaded or
// whose token is none of that model.
func checkUserRows(ctx context.Context, tx *sql.Tx) error {
	var model, name, known string
	var id, tokens, largest int
	err := tx.QueryRowContext(ctx, `SELECT u.model, u.token_set, u.token_id, coalesce(m.d_vocab, 0),
			coalesce((SELECT max(t.token_id) FROM stored_tokens t WHERE t.model_id = m.model_id AND NOT t.is_padding), 0),
			(SELECT string_agg(model, ', ' ORDER BY model) FROM stored_models)
		FROM user_token_sets u LEFT JOIN stored_models m USING (model)
		LEFT JOIN stored_tokens t ON t.model_id = m.model_id AND t.token_id = u.token_id AND NOT t.is_padding AND t.token_id < m.d_vocab
		WHERE t.token_id IS NULL ORDER BY u.model, u.token_set, u.token_id LIMIT 1`).Scan(&model, &name, &id, &tokens, &largest, &known)
	if err == sql.ErrNoRows {
		return nil
	}
	if err != nil {
		return err
	}
	row := fmt.Sprintf("row (%s, %s, %d)", schema.Literal(model), schema.Literal(name), id)
	where := fmt.Sprintf("DELETE FROM user_token_sets WHERE model = %s", schema.Literal(model))
	if tokens == 0 {
		return &fault.Error{
			Subject: row, Problem: "no such model in this database",
			Hint: "loaded: " + known + "; " + where + " takes out all of its sets",
		}
	}
	return &fault.Error{
		Subject: row, Expected: fmt.Sprintf("the id of a token of model %s, at most %d", model, min(largest, tokens-1)), Found: fmt.Sprint(id),
		Hint: where + fmt.Sprintf(" AND token_id = %d takes it out", id),
	}
}

// userModel is a model and the sets that user_token_sets has for it.
type userModel struct {
	vocabulary // without tokens
	sets       []tokenset.Set
}

// userSets reads the sets of every loaded model.
func userSets(ctx context.Context, tx *sql.Tx) ([]userModel, error) {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT m.model_id, m.model, u.token_set, u.token_id
		FROM stored_models m LEFT JOIN user_token_sets u USING (model) ORDER BY ALL`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var models []userModel
	for rows.Next() {
		var id int
		var model string
		var name sql.NullString
		var token sql.NullInt32
		if err := rows.Scan(&id, &model, &name, &token); err != nil {
			return nil, err
		}
		if len(models) == 0 || models[len(models)-1].id != id {
			models = append(models, userModel{vocabulary: vocabulary{id: id, name: model}})
		}
		if !name.Valid {
			continue
		}
		m := &models[len(models)-1]
		if last := len(m.sets) - 1; last < 0 || m.sets[last].Name != name.String {
			if err := tokenset.CheckName(name.String); err != nil {
				row := fmt.Sprintf("row (%s, %s, %d)", schema.Literal(model), schema.Literal(name.String), token.Int32)
				return nil, fault.At("", row, err)
			}
			m.sets = append(m.sets, tokenset.Set{Name: name.String, Family: tokenset.FamilyUser})
		}
		set := &m.sets[len(m.sets)-1]
		set.IDs = append(set.IDs, token.Int32)
	}
	return models, rows.Err()
}

// freeNames returns an error for a set that is loaded from elsewhere under the same
// name, with other tokens.
func freeNames(ctx context.Context, tx *sql.Tx, m userModel) error {
	for _, set := range m.sets {
		var source string
		err := tx.QueryRowContext(ctx, `SELECT source FROM stored_token_sets
			WHERE model_id = ? AND token_set = ? AND source <> ? AND token_ids <> CAST(? AS INTEGER[])`,
			m.id, set.Name, sourceTable, schema.List(set.IDs)).Scan(&source)
		if err == sql.ErrNoRows {
			continue
		}
		if err != nil {
			return err
		}
		return &fault.Error{
			Subject: fmt.Sprintf("token set %q of model %s", set.Name, m.name),
			Problem: "a set of that name, with other tokens, is loaded from elsewhere: " + source,
			Hint:    "give it another name: UPDATE user_token_sets SET token_set = … WHERE token_set = " + schema.Literal(set.Name),
		}
	}
	return nil
}

// dropUserSets drops the sets that were made from the table, but for those of the
// names, and the scores of the model's SAEs in them.
func dropUserSets(ctx context.Context, tx *sql.Tx, model int, names []string) (dropped int, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT set_id, token_set FROM stored_token_sets WHERE model_id = ? AND source = ?`, model, sourceTable)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	var gone []int
	for rows.Next() {
		var id int
		var name string
		if err := rows.Scan(&id, &name); err != nil {
			return 0, err
		}
		if !slices.Contains(names, name) {
			gone = append(gone, id)
		}
	}
	if err := rows.Err(); err != nil || len(gone) == 0 {
		return 0, err
	}
	return len(gone), dropSets(ctx, tx, gone)
}
