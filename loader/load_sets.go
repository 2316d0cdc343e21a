package loader

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/tokenset"
	"github.com/saedb/saedb/loader/vocab"
	schema "github.com/saedb/saedb/sql"
)

const loadSets = "load sets"

// SetsRequest asks for token sets. Without Files, Pattern and Query it asks for
// the built-in ones.
type SetsRequest struct {
	Model      string   // every model loaded, when empty
	Families   []string // of the built-in sets; all when empty
	Files      []string
	Name       string // of the set that Pattern or Query makes
	Pattern    string // a regular expression, matched at the start of raw tokens
	Query      string // SQL that gives token ids in its first column
	MultiToken string // tokenset.Options
	Replace    bool   // sets of the same name with other tokens
}

// SetsOutcome is what a load of token sets did, for one model.
type SetsOutcome struct {
	Model                               string
	Added, Replaced, Dropped, Unchanged int
	FromTable                           bool // the sets are those of the table user_token_sets
}

func (o SetsOutcome) changed() bool { return o.Added+o.Replaced+o.Dropped > 0 }

// Sets loads token sets, and those of the table user_token_sets as [Loader.UserSets]
// does.
func (ld *Loader) Sets(ctx context.Context, r SetsRequest) ([]SetsOutcome, error) {
	var outcomes []SetsOutcome
	err := ld.transact(ctx, func(tx *sql.Tx) (changed bool, err error) {
		models, err := vocabularies(ctx, tx, r.Model)
		if err != nil {
			return false, err
		}
		for _, m := range models {
			sets, source, err := r.make(ctx, tx, m)
			if err != nil {
				return false, err
			}
			outcome, err := writeSets(ctx, tx, m, sets, source, r.Replace)
			if err != nil {
				return false, err
			}
			outcomes = append(outcomes, outcome)
		}
		fromTable, err := adoptUserSets(ctx, tx)
		outcomes = append(outcomes, fromTable...)
		return slices.ContainsFunc(outcomes, SetsOutcome.changed), fault.At(readUserSets, "", err)
	})
	return outcomes, fault.At(loadSets, "", err)
}

// vocabulary is a loaded model's.
type vocabulary struct {
	id     int
	name   string
	tokens []vocab.Token
}

func vocabularies(ctx context.Context, tx *sql.Tx, name string) ([]*vocabulary, error) {
	rows, err := tx.QueryContext(ctx, `SELECT m.model_id, m.model, t.token_id, t.token, t.text, t.is_special
		FROM stored_models m JOIN stored_tokens t USING (model_id)
		WHERE NOT t.is_padding AND t.token_id < m.d_vocab AND (? = '' OR m.model = ?) ORDER BY m.model, t.token_id`, name, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []*vocabulary
	for rows.Next() {
		var id int
		var model string
		var t vocab.Token
		if err := rows.Scan(&id, &model, &t.ID, &t.Token, &t.Text, &t.Special); err != nil {
			return nil, err
		}
		if len(all) == 0 || all[len(all)-1].id != id {
			all = append(all, &vocabulary{id: id, name: model})
		}
		last := all[len(all)-1]
		last.tokens = append(last.tokens, t)
	}
	if len(all) == 0 && rows.Err() == nil {
		return nil, &fault.Error{Op: loadSets, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database", Hint: "saedb info lists what is loaded"}
	}
	return all, rows.Err()
}

// make builds the sets that r asks for from a vocabulary, and says where they are from.
func (r *SetsRequest) make(ctx context.Context, tx *sql.Tx, v *vocabulary) (sets []tokenset.Set, source string, err error) {
	o := tokenset.Options{MultiToken: r.MultiToken}
	if r.MultiToken == tokenset.MultiTokenAll {
		encoder, err := openEncoder(ctx, tx, v)
		if err != nil {
			return nil, "", err
		}
		defer encoder.Close()
		o.Encoder = encoder
	}
	switch {
	case r.Pattern != "":
		set, err := tokenset.FromRegex(r.Name, r.Pattern, v.tokens)
		return []tokenset.Set{set}, "pattern " + r.Pattern, err
	case r.Query != "":
		set, err := setFromQuery(ctx, tx, r.Name, r.Query, v)
		return []tokenset.Set{set}, "query " + r.Query, err
	case len(r.Files) > 0:
		for _, path := range r.Files {
			read, err := tokenset.ReadFile(path, v.tokens, o)
			if err != nil {
				return nil, "", err
			}
			sets = append(sets, read...)
		}
		return sets, "file " + filepath.Base(r.Files[0]), nil
	}
	families := r.Families
	if len(families) == 0 {
		families = tokenset.Families()
	}
	sets, err = tokenset.Builtin(v.tokens, families, o)
	return sets, "built in", err
}

// encoder is a tokenizer that turns text to token ids.
type encoder interface {
	tokenset.Encoder
	Close()
}

// openEncoder opens the tokenizer.json that a model was loaded with.
func openEncoder(ctx context.Context, tx *sql.Tx, v *vocabulary) (encoder, error) {
	var source, file string
	var revision sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT l.source, l.revision, coalesce(max(f.path) FILTER (f.path LIKE '%tokenizer.json'), '')
		FROM stored_loads l LEFT JOIN stored_load_files f USING (load_id) WHERE l.load_id = ? GROUP BY ALL`, v.id).Scan(&source, &revision, &file)
	if err != nil {
		return nil, err
	}
	if file == "" {
		return nil, &fault.Error{
			Op: loadSets, Subject: "model " + v.name, Problem: "words of several tokens need a tokenizer.json, and the model was loaded without one",
			Hint: "leave out --multi-token, which keeps to words of one token",
		}
	}
	switch {
	case filepath.IsAbs(file): // a tokenizer of elsewhere
	case revision.Valid:
		if file, err = cachedFile(ctx, source+"/"+file, revision.String); err != nil {
			return nil, fault.At(loadSets, "model "+v.name, err)
		}
	default:
		file = filepath.Join(source, file)
	}
	return openTokenizer(file)
}

// setFromQuery makes a set of the token ids in the first column of a query.
func setFromQuery(ctx context.Context, tx *sql.Tx, name, query string, v *vocabulary) (tokenset.Set, error) {
	set := tokenset.Set{Name: name, Family: tokenset.FamilyUser}
	if err := tokenset.CheckName(name); err != nil {
		return set, err
	}
	rows, err := tx.QueryContext(ctx, "SELECT CAST(id AS INTEGER) FROM ("+query+") AS q(id) WHERE id IS NOT NULL")
	if err != nil {
		return set, &fault.Error{Op: loadSets, Subject: "query of set " + name, Err: plain(err), Hint: "its first column must give token ids"}
	}
	defer rows.Close()
	for rows.Next() {
		var id int32
		if err := rows.Scan(&id); err != nil {
			return set, err
		}
		if _, known := slices.BinarySearchFunc(v.tokens, int(id), func(t vocab.Token, id int) int { return t.ID - id }); !known {
			return set, &fault.Error{
				Op: loadSets, Subject: "query of set " + name, Expected: "ids of tokens of model " + v.name, Found: fmt.Sprint(id),
			}
		}
		set.IDs = append(set.IDs, id)
	}
	slices.Sort(set.IDs)
	set.IDs = slices.Compact(set.IDs)
	if len(set.IDs) == 0 && rows.Err() == nil {
		return set, &fault.Error{Op: loadSets, Subject: "query of set " + name, Problem: "it gives no token"}
	}
	return set, rows.Err()
}

// writeSets stores sets of one model that are not there already.
func writeSets(ctx context.Context, tx *sql.Tx, v *vocabulary, sets []tokenset.Set, source string, replace bool) (SetsOutcome, error) {
	outcome := SetsOutcome{Model: v.name}
	begun := time.Now().UTC()
	for _, set := range sets {
		var old sql.NullInt64
		var same sql.NullBool
		err := tx.QueryRowContext(ctx, `SELECT max(set_id), bool_or(token_ids = CAST(? AS INTEGER[])) FROM stored_token_sets
			WHERE model_id = ? AND token_set = ?`, schema.List(set.IDs), v.id, set.Name).Scan(&old, &same)
		switch {
		case err != nil:
			return outcome, err
		case old.Valid && same.Bool:
			outcome.Unchanged++
			continue
		case old.Valid && !replace:
			return outcome, &fault.Error{
				Op: loadSets, Subject: "token set " + set.Name, Problem: "already loaded for model " + v.name + ", with other tokens",
				Hint: "give it another name, or replace that one with --replace",
			}
		case old.Valid:
			outcome.Replaced++
			for _, table := range []string{"stored_token_sets", "stored_enrichment"} {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE set_id = ?`, old.Int64); err != nil {
					return outcome, err
				}
			}
		default:
			outcome.Added++
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO stored_token_sets
			SELECT nextval('token_set_ids'), ?, ?, ?, ?, CAST(? AS INTEGER[]), ?, ?`,
			v.id, set.Name, set.Family, set.Description, schema.List(set.IDs), source, begun)
		if err != nil {
			return outcome, err
		}
	}
	return outcome, nil
}

// ExportSets writes the token sets of a model, the only one loaded when name is
// empty, in GMT format.
func ExportSets(ctx context.Context, db *sql.DB, name string, w io.Writer) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	models, err := vocabularies(ctx, tx, name)
	if err != nil {
		return err
	}
	if len(models) > 1 {
		return &fault.Error{Op: "export sets", Problem: "several models are loaded", Hint: "choose one with --model"}
	}
	rows, err := tx.QueryContext(ctx, `SELECT token_set, family, coalesce(description, ''), unnest(token_ids) FROM stored_token_sets
		WHERE model_id = ? ORDER BY set_id`, models[0].id)
	if err != nil {
		return err
	}
	defer rows.Close()
	var sets []tokenset.Set
	for rows.Next() {
		var set tokenset.Set
		var id int32
		if err := rows.Scan(&set.Name, &set.Family, &set.Description, &id); err != nil {
			return err
		}
		if len(sets) == 0 || sets[len(sets)-1].Name != set.Name {
			sets = append(sets, set)
		}
		last := &sets[len(sets)-1]
		last.IDs = append(last.IDs, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return tokenset.WriteGMT(w, sets, models[0].tokens)
}
