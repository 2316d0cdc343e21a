package loader

import (
	"context"
	"database/sql"
	"errors"
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
	if err := checkUserNames(ctx, tx); err != nil {
		return nil, err
	}
	models, err := loadedModels(ctx, tx)
	if err != nil {
		return nil, err
	}
	var outcomes []SetsOutcome
	slices.SortFunc(models, func(a, b loadedModel) int { return a.id - b.id })
	for _, m := range models {
		outcome := SetsOutcome{Model: m.name, FromTable: true}
		if err := fillFromTable(ctx, tx, m); err != nil {
			return nil, err
		}
		if err := freeNames(ctx, tx, m); err != nil {
			return nil, err
		}
		if outcome.Dropped, err = dropUserSets(ctx, tx, m.id); err != nil {
			return nil, err
		}
		if err := storeIncoming(ctx, tx, m.id, m.name, sourceTable, true, &outcome); err != nil {
			return nil, err
		}
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
	row := userRow(model, name, id)
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

// checkUserNames returns an error for the first row whose set has a name that no set may have.
func checkUserNames(ctx context.Context, tx *sql.Tx) error {
	type row struct {
		model, name string
		id          int
	}
	rows, err := schema.Rows(ctx, tx, func(r *row) []any { return []any{&r.model, &r.name, &r.id} },
		`SELECT model, token_set, min(token_id) FROM user_token_sets GROUP BY model, token_set ORDER BY ALL`)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := tokenset.CheckName(r.name); err != nil {
			return fault.At("", userRow(r.model, r.name, r.id), err)
		}
	}
	return nil
}

func userRow(model, name string, id int) string {
	return fmt.Sprintf("row (%s, %s, %d)", schema.Literal(model), schema.Literal(name), id)
}

// fillFromTable makes incoming_token_sets of a model's sets in user_token_sets.
func fillFromTable(ctx context.Context, tx *sql.Tx, m loadedModel) error {
	if _, err := tx.ExecContext(ctx, newIncoming); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO incoming_token_sets
		SELECT row_number() OVER (ORDER BY token_set), token_set, ?, '', list_sort(list(DISTINCT token_id))
		FROM user_token_sets WHERE model = ? GROUP BY token_set`, tokenset.FamilyUser, m.name)
	return err
}

// freeNames returns an error for a set that is loaded from elsewhere under the same
// name, with other tokens.
func freeNames(ctx context.Context, tx *sql.Tx, m loadedModel) error {
	var name, source string
	err := tx.QueryRowContext(ctx, `SELECT i.token_set, t.source `+differing+` AND t.source <> $2 ORDER BY i.position LIMIT 1`, m.id, sourceTable).Scan(&name, &source)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return &fault.Error{
		Subject: fmt.Sprintf("token set %q of model %s", name, m.name),
		Problem: "a set of that name, with other tokens, is loaded from elsewhere: " + source,
		Hint:    "give it another name: UPDATE user_token_sets SET token_set = … WHERE token_set = " + schema.Literal(name),
	}
}

// dropUserSets drops the model's sets that were made from the table, but for those of the
// names in incoming_token_sets, and the scores of the model's SAEs in them.
func dropUserSets(ctx context.Context, tx *sql.Tx, model int) (dropped int, err error) {
	gone := fmt.Sprintf(`(SELECT set_id FROM stored_token_sets WHERE model_id = %d AND source = '%s'
		AND token_set NOT IN (SELECT token_set FROM incoming_token_sets))`, model, sourceTable)
	err = tx.QueryRowContext(ctx, `SELECT count(*) FROM `+gone).Scan(&dropped)
	if err != nil || dropped == 0 {
		return 0, err
	}
	return dropped, dropSets(ctx, tx, gone)
}
