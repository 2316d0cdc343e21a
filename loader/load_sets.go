package loader

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"path/filepath"
	"slices"

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
	FromTable                           bool     // the sets are those of the table user_token_sets
	Notes                               []string // what a person should know of them: members that are no token, sets left out
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
			outcome := SetsOutcome{Model: m.name}
			err := r.make(ctx, tx, m, func(made madeSets) error {
				outcome.Notes = append(outcome.Notes, made.notes...)
				if err := fillIncoming(ctx, tx, made.sets); err != nil {
					return err
				}
				return storeIncoming(ctx, tx, m.id, m.name, made.source, r.Replace, &outcome)
			})
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
	models, err := loadedModels(ctx, tx)
	if err != nil {
		return nil, err
	}
	var all []*vocabulary
	for _, m := range models {
		if name != "" && m.name != name {
			continue
		}
		v := &vocabulary{id: m.id, name: m.name}
		v.tokens, err = schema.Rows(ctx, tx, func(t *vocab.Token) []any { return []any{&t.ID, &t.Token, &t.Text, &t.Special} },
			`SELECT token_id, token, text, is_special FROM stored_tokens JOIN stored_models USING (model_id)
			WHERE NOT is_padding AND token_id < d_vocab AND model_id = ? ORDER BY token_id`, m.id)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	if len(all) == 0 {
		return nil, &fault.Error{Op: loadSets, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database", Hint: "saedb info lists what is loaded"}
	}
	return all, nil
}

// madeSets is sets that one file, pattern or query makes.
type madeSets struct {
	sets   []tokenset.Set
	source string
	notes  []string
}

// make builds the sets that r asks for from a vocabulary, and gives them to store.
func (r *SetsRequest) make(ctx context.Context, tx *sql.Tx, v *vocabulary, store func(madeSets) error) error {
	o := tokenset.Options{Model: v.name, MultiToken: r.MultiToken}
	if r.MultiToken == tokenset.MultiTokenAll {
		encoder, err := openEncoder(ctx, tx, v)
		if err != nil {
			return err
		}
		defer encoder.Close()
		o.Encoder = encoder
	}
	switch {
	case r.Pattern != "":
		set, err := tokenset.FromRegex(r.Name, r.Pattern, v.tokens)
		if err != nil {
			return err
		}
		return store(madeSets{sets: []tokenset.Set{set}, source: "pattern " + r.Pattern})
	case r.Query != "":
		made, err := setFromQuery(ctx, tx, r.Name, r.Query, v)
		if err != nil {
			return err
		}
		return store(made)
	case len(r.Files) > 0:
		for _, path := range r.Files {
			sets, notes, err := tokenset.ReadFile(path, v.tokens, o)
			if err != nil {
				return err
			}
			if err := store(madeSets{sets, "file " + filepath.Base(path), notes}); err != nil {
				return err
			}
		}
		return nil
	}
	sets, err := tokenset.Builtin(v.tokens, r.Families, o)
	if err != nil {
		return err
	}
	return store(madeSets{sets: sets, source: "built in"})
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
func setFromQuery(ctx context.Context, tx *sql.Tx, name, query string, v *vocabulary) (made madeSets, err error) {
	if err := tokenset.CheckName(name); err != nil {
		return made, err
	}
	ids, err := schema.Collect[sql.NullInt32](ctx, tx, "SELECT CAST(id AS INTEGER) FROM ("+query+") AS q(id)")
	if err != nil {
		return made, &fault.Error{Op: loadSets, Subject: "query of set " + name, Err: fault.Returned(err), Hint: "its first column must give token ids"}
	}
	set := tokenset.Set{Name: name, Family: tokenset.FamilyUser}
	without := 0
	for _, id := range ids {
		if !id.Valid {
			without++
			continue
		}
		if _, known := slices.BinarySearchFunc(v.tokens, int(id.Int32), func(t vocab.Token, id int) int { return t.ID - id }); !known {
			return made, &fault.Error{
				Op: loadSets, Subject: "query of set " + name, Expected: "ids of tokens of model " + v.name, Found: fmt.Sprint(id.Int32),
			}
		}
		set.IDs = append(set.IDs, id.Int32)
	}
	if len(set.IDs) == 0 {
		return made, &fault.Error{Op: loadSets, Subject: "query of set " + name, Problem: "it gives no token"}
	}
	slices.Sort(set.IDs)
	set.IDs = slices.Compact(set.IDs)
	made = madeSets{sets: []tokenset.Set{set}, source: "query " + query}
	if without > 0 {
		made.notes = []string{fmt.Sprintf("query of set %s: %d of its %d rows have no token id, but NULL", name, without, len(ids))}
	}
	return made, nil
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
	sets, err := schema.Rows(ctx, tx, func(s *tokenset.Set) []any {
		return []any{&s.Name, &s.Family, &s.Description, (*schema.ListOf[int32])(&s.IDs)}
	}, `SELECT token_set, family, coalesce(description, ''), token_ids FROM stored_token_sets WHERE model_id = ? AND len(token_ids) > 0 ORDER BY set_id`, models[0].id)
	if err != nil {
		return err
	}
	return tokenset.WriteGMT(w, sets, models[0].tokens)
}
