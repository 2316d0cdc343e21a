package loader

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tokenset"
	schema "github.com/saedb/saedb/sql"
)

// newIncoming makes the temporary table of the sets that are about to be stored, so that
// they are compared and written by a few statements however many they are.
const newIncoming = `CREATE OR REPLACE TEMP TABLE incoming_token_sets (
	position INTEGER, token_set VARCHAR PRIMARY KEY, family VARCHAR, description VARCHAR, token_ids INTEGER[])`

// differing is the rows of incoming_token_sets and stored_token_sets of the same name, of
// the model $1, with other tokens.
const differing = `FROM incoming_token_sets i JOIN stored_token_sets t USING (token_set)
	WHERE t.model_id = $1 AND t.token_ids <> i.token_ids`

// fillIncoming makes incoming_token_sets of sets, in their order.
func fillIncoming(ctx context.Context, tx *sql.Tx, sets []tokenset.Set) error {
	if _, err := tx.ExecContext(ctx, newIncoming); err != nil {
		return err
	}
	const atOnce = 1000
	done := 0
	for some := range slices.Chunk(sets, atOnce) {
		var names, families, descriptions []string
		members := []byte{'['}
		for i, set := range some {
			names, families, descriptions = append(names, set.Name), append(families, set.Family), append(descriptions, set.Description)
			if i > 0 {
				members = append(members, ',')
			}
			members = appendList(members, set.IDs)
		}
		values := []any{done, done + len(some)}
		for _, texts := range [][]string{names, families, descriptions} {
			between := inNone(texts)
			values = append(values, strings.Join(texts, between), between)
		}
		// A parameter for each value of each set would take as long as all the rest.
		_, err := tx.ExecContext(ctx, `INSERT INTO incoming_token_sets SELECT unnest(range($1, $2)), unnest(string_split($3, $4)), unnest(string_split($5, $6)),
			unnest(string_split($7, $8)), unnest(CAST($9 AS INTEGER[][]))`, append(values, string(append(members, ']')))...)
		if err != nil {
			return err
		}
		done += len(some)
	}
	return nil
}

// appendList appends ids as a list in SQL.
func appendList(text []byte, ids []int32) []byte {
	text = append(text, '[')
	for i, id := range ids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(id), 10)
	}
	return append(text, ']')
}

// inNone is a character that none of the texts has.
func inNone(texts []string) string {
	const unitSeparator = '\x1f'
	char := unitSeparator
	for slices.ContainsFunc(texts, func(text string) bool { return strings.ContainsRune(text, char) }) {
		char++
	}
	return string(char)
}

// storeIncoming stores those of incoming_token_sets that are not there already for the
// model, and adds to the outcome what it did. A set of the same name with other tokens is
// an error unless replace is set; its scores go with it.
func storeIncoming(ctx context.Context, tx *sql.Tx, v *vocabulary, source string, replace bool, outcome *SetsOutcome) error {
	var all, same, changed int
	var first sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (t.token_ids = i.token_ids), count(*) FILTER (t.token_ids <> i.token_ids),
			arg_min(i.token_set, i.position) FILTER (t.token_ids <> i.token_ids)
		FROM incoming_token_sets i LEFT JOIN stored_token_sets t ON t.model_id = $1 AND t.token_set = i.token_set`, v.id).Scan(&all, &same, &changed, &first)
	if err != nil {
		return err
	}
	if changed > 0 && !replace {
		return &fault.Error{
			Op: loadSets, Subject: "token set " + first.String, Problem: "already loaded for model " + v.name + ", with other tokens",
			Hint: "give it another name, or replace that one with --replace",
		}
	}
	if changed > 0 {
		if err := deleteSets(ctx, tx, `(SELECT t.set_id `+differing+`)`, v.id); err != nil {
			return err
		}
		if err := schema.RecordCounts(ctx, tx, "true"); err != nil {
			return err
		}
	}
	if all > same {
		if err := insertIncoming(ctx, tx, v.id, all-same, source); err != nil {
			return err
		}
	}
	outcome.Added += all - same - changed
	outcome.Replaced += changed
	outcome.Unchanged += same
	_, err = tx.ExecContext(ctx, `DROP TABLE incoming_token_sets`)
	return err
}

// insertIncoming stores the count of incoming_token_sets whose names are free, with
// ascending ids in their order.
func insertIncoming(ctx context.Context, tx *sql.Tx, model, count int, source string) error {
	var first, last int
	err := tx.QueryRowContext(ctx, fmt.Sprintf(`SELECT min(id), max(id) FROM (SELECT nextval('token_set_ids') AS id FROM range(%d))`, count)).Scan(&first, &last)
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, schema.InsertTokenSets(`
		SELECT $2 + row_number() OVER (ORDER BY position) - 1, CAST($1 AS INTEGER) AS model_id, token_set, family, description, token_ids, CAST($3 AS VARCHAR) AS source, $4
		FROM incoming_token_sets i WHERE NOT EXISTS (SELECT 1 FROM stored_token_sets t WHERE t.model_id = $1 AND t.token_set = i.token_set)
		ORDER BY position`), model, first, source, time.Now().UTC())
	if err != nil {
		return err
	}
	written, err := result.RowsAffected()
	if err == nil && (written != int64(count) || last-first != count-1) {
		err = &fault.Error{
			Expected: fmt.Sprintf("%d sets with ids in a row", count), Found: fmt.Sprintf("%d with ids of %d to %d", written, first, last),
		}
	}
	return err
}
