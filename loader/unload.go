package loader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

const unload = "unload"

// The kinds of what can be unloaded.
const (
	UnloadSAE          = "sae"
	UnloadDirections   = "directions"
	UnloadModel        = "model"
	UnloadSets         = "sets"
	UnloadExplanations = "explanations"
	UnloadLens         = "lens"
)

// UnloadKinds are all of them.
var UnloadKinds = []string{UnloadSAE, UnloadModel, UnloadSets, UnloadDirections, UnloadExplanations, UnloadLens}

// UnloadRequest asks to take out what was loaded.
type UnloadRequest struct {
	Kind string
	// Names are words for SAEs and directions, as [schema.MatchSAEs] takes them; names or
	// glob patterns of the others.
	Names    []string
	Model    string   // of token sets, where several models have one of a name
	Families []string // of token sets; in place of names
	Cascade  bool     // with a model, its SAEs too
}

// Unloaded is one thing that was taken out.
type Unloaded struct {
	Kind, Name string
	With       string // what went with it, or empty
}

// Unload takes out what r names, all of it or nothing: its rows, what was computed of it
// and the records of its loads. The space is used again by what is loaded next, and given
// back by a compaction. What r names must be there.
func (ld *Loader) Unload(ctx context.Context, r UnloadRequest) ([]Unloaded, error) {
	if len(r.Names) == 0 && (r.Kind != UnloadSets || len(r.Families) == 0) {
		return nil, &fault.Error{Op: unload + " " + r.Kind, Problem: "nothing is named"}
	}
	var out []Unloaded
	err := ld.transact(ctx, func(tx *sql.Tx) (changed bool, err error) {
		switch r.Kind {
		case UnloadSAE, UnloadDirections:
			out, err = unloadSAEs(ctx, tx, r)
		case UnloadModel:
			out, err = unloadModels(ctx, tx, r)
		case UnloadSets:
			out, err = unloadSets(ctx, tx, r)
		case UnloadLens:
			out, err = unloadLenses(ctx, tx, r)
		case UnloadExplanations:
			out, err = unloadExplanations(ctx, tx, r)
		default:
			err = &fault.Error{Expected: "one of " + strings.Join(UnloadKinds, ", "), Found: r.Kind}
		}
		return len(out) > 0, err
	})
	return out, fault.At(unload+" "+r.Kind, "", err)
}

// unloadSAEs takes out SAEs, or directions that are no SAE's.
func unloadSAEs(ctx context.Context, tx *sql.Tx, r UnloadRequest) ([]Unloaded, error) {
	chosen := map[string]bool{}
	for _, words := range r.Names {
		names, err := schema.MatchSAEs(ctx, tx, words)
		if err != nil {
			return nil, err
		}
		ours := 0
		for _, name := range names {
			var architecture string
			if err := tx.QueryRowContext(ctx, `SELECT architecture FROM stored_saes WHERE sae = ?`, name).Scan(&architecture); err != nil {
				return nil, err
			}
			if isDirections := slices.Contains(sae.Directionlike, architecture); isDirections == (r.Kind == UnloadDirections) {
				chosen[name] = true
				ours++
			}
		}
		if ours == 0 {
			other, is := UnloadDirections, "directions"
			if r.Kind == UnloadDirections {
				other, is = UnloadSAE, "an SAE"
			}
			return nil, &fault.Error{Subject: words, Problem: "it is " + is, Hint: "saedb unload " + other + " takes it out"}
		}
	}
	var out []Unloaded
	for _, name := range slices.Sorted(maps.Keys(chosen)) {
		one, err := unloadSAE(ctx, tx, r.Kind, name)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

func unloadSAE(ctx context.Context, tx *sql.Tx, kind, name string) (Unloaded, error) {
	var id, features, scores int
	err := tx.QueryRowContext(ctx, `SELECT sae_id, d_sae, (SELECT count(*) FROM stored_enrichment e WHERE e.sae_id = s.sae_id)
			+ (SELECT count(*) FROM stored_input_enrichment e WHERE e.sae_id = s.sae_id) FROM stored_saes s WHERE sae = ?`,
		name).Scan(&id, &features, &scores)
	if err != nil {
		return Unloaded{}, err
	}
	if err := dropSAE(ctx, tx, id); err != nil {
		return Unloaded{}, err
	}
	out := Unloaded{Kind: kind, Name: name, With: listed(count(features, "feature"), count(scores, "enrichment score"))}
	return out, forgetLoad(ctx, tx, id)
}

// saeTables are the tables with rows of SAEs.
var saeTables = slices.Concat([]string{"stored_saes", "stored_decoders", "stored_encoders"}, schema.PlaceTables, figureTables)

// figureTables are those of what was computed of an SAE with its model.
var figureTables = slices.Concat(sideTables(schema.Output), sideTables(schema.Input))

// sideTables are those of what was computed of one side of it.
func sideTables(side schema.Side) []string {
	return strings.Fields(side.SQL("stored_statistics stored_significance stored_labels stored_computations stored_enrichment stored_set_enrichment"))
}

// setTables are the tables with rows of token sets, their own the last.
var setTables = []string{
	"stored_labels", "stored_input_labels", "stored_enrichment", "stored_input_enrichment", "stored_set_enrichment", "stored_input_set_enrichment",
	"stored_baseline_enrichment", "stored_token_sets",
}

// modelTables are the tables with rows of models, but for those of their SAEs.
var modelTables = []string{"stored_models", "stored_tokens", "stored_unembeddings", "stored_embeddings", "stored_attention", "stored_head_weights", "stored_mlps", "stored_mlp_weights", "stored_token_sets"}

// deleteWhere deletes the rows of tables for which a condition holds.
func deleteWhere(ctx context.Context, tx *sql.Tx, condition string, tables ...string) error {
	var statements []string
	for _, table := range tables {
		statements = append(statements, "DELETE FROM "+table+" WHERE "+condition)
	}
	return execute(ctx, tx, statements...)
}

// forgetLoad deletes the records of a load and of those that it replaced.
func forgetLoad(ctx context.Context, tx *sql.Tx, id int) error {
	gone, err := schema.Collect[int](ctx, tx, `WITH RECURSIVE gone(load_id) AS (
			SELECT CAST(? AS INTEGER) UNION SELECT l.load_id FROM stored_loads l JOIN gone ON l.replaced_by = gone.load_id
		) SELECT load_id FROM gone`, id)
	if err != nil {
		return err
	}
	return deleteWhere(ctx, tx, "list_contains("+schema.List(gone)+", load_id)", "stored_contents", "stored_load_files", "stored_loads")
}

// named are the numbers and names of rows that names or glob patterns choose, from a
// query that gives both; a name that none has is an error that lists those there are.
func named(ctx context.Context, tx *sql.Tx, what, query string, patterns []string) (ids []int, names []string, err error) {
	chosen := map[int]bool{}
	type row struct {
		id     int
		name   string
		wanted bool
	}
	for _, pattern := range patterns {
		rows, err := schema.Rows(ctx, tx, func(r *row) []any { return []any{&r.id, &r.name, &r.wanted} },
			`SELECT id, name, name = $1 OR name GLOB $1 FROM (`+query+`) ORDER BY name, id`, pattern)
		if err != nil {
			return nil, nil, err
		}
		found, all := 0, []string{}
		for _, r := range rows {
			all = append(all, r.name)
			if !r.wanted {
				continue
			}
			if found++; !chosen[r.id] {
				chosen[r.id] = true
				ids, names = append(ids, r.id), append(names, r.name)
			}
		}
		if found == 0 {
			return nil, nil, &fault.Error{Subject: pattern, Problem: "no " + what + " is called so", Hint: "there are " + shortList(slices.Compact(all))}
		}
	}
	return ids, names, nil
}

// shortList names the first of many.
func shortList(names []string) string {
	const most = 12
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(", and %d more", len(names)-most)
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// unloadModels takes out models with their token sets. SAEs are useless without their
// model, and go only when that is asked for.
func unloadModels(ctx context.Context, tx *sql.Tx, r UnloadRequest) ([]Unloaded, error) {
	ids, names, err := named(ctx, tx, "model", "SELECT model_id AS id, model AS name FROM stored_models", r.Names)
	if err != nil {
		return nil, err
	}
	var out []Unloaded
	for i, id := range ids {
		gone, err := unloadModel(ctx, tx, id, names[i], r.Cascade)
		if err != nil {
			return nil, err
		}
		out = append(out, gone...)
	}
	return out, nil
}

func unloadModel(ctx context.Context, tx *sql.Tx, id int, name string, cascade bool) ([]Unloaded, error) {
	saes, err := schema.Collect[string](ctx, tx, `SELECT sae FROM stored_saes WHERE model_id = ? ORDER BY sae`, id)
	if err != nil {
		return nil, err
	}
	lenses, err := schema.Collect[string](ctx, tx, `SELECT lens FROM stored_lenses WHERE model_id = ? ORDER BY lens`, id)
	if err != nil {
		return nil, err
	}
	if all := slices.Concat(saes, lenses); len(all) > 0 && !cascade {
		what := strings.Replace(listed(count(len(saes), "SAE"), count(len(lenses), "lens")), "lenss", "lenses", 1)
		return nil, &fault.Error{
			Subject: "model " + name, Problem: what + " of it would be of no use without it: " + shortList(all),
			Hint: "unload them first, or with it by --cascade",
		}
	}
	var out []Unloaded
	if len(lenses) > 0 {
		if out, err = unloadLenses(ctx, tx, UnloadRequest{Names: lenses}); err != nil {
			return nil, err
		}
	}
	for _, s := range saes {
		one, err := unloadSAE(ctx, tx, UnloadSAE, s)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	var sets int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM stored_token_sets WHERE model_id = ?`, id).Scan(&sets); err != nil {
		return nil, err
	}
	if err := dropModel(ctx, tx, id); err != nil {
		return nil, err
	}
	if err := deleteWhere(ctx, tx, "model = "+schema.Literal(name), "user_token_sets"); err != nil {
		return nil, err
	}
	out = append(out, Unloaded{Kind: UnloadModel, Name: name, With: listed(count(sets, "token set"))})
	return out, forgetLoad(ctx, tx, id)
}

// dropModel deletes the rows of a model and its baselines.
func dropModel(ctx context.Context, tx *sql.Tx, id int) error {
	of := fmt.Sprintf("model_id = %d", id)
	if err := dropBaselines(ctx, tx, of); err != nil {
		return err
	}
	if err := schema.DropNeuronPairs(ctx, tx, of); err != nil {
		return err
	}
	return deleteWhere(ctx, tx, of, modelTables...)
}

// dropSAE deletes the rows of an SAE and the baselines that are like it.
func dropSAE(ctx context.Context, tx *sql.Tx, id int) error {
	of := fmt.Sprintf("sae_id = %d", id)
	if err := dropBaselines(ctx, tx, of); err != nil {
		return err
	}
	if err := schema.DropPairs(ctx, tx, schema.OfSAE(id)); err != nil {
		return err
	}
	if err := schema.DropNeuronPairs(ctx, tx, of); err != nil {
		return err
	}
	if err := dropThrough(ctx, tx, of); err != nil {
		return err
	}
	return deleteWhere(ctx, tx, of, saeTables...)
}

// dropBaselines deletes the baselines for which a condition holds.
func dropBaselines(ctx context.Context, tx *sql.Tx, condition string) error {
	of := "baseline_id IN (SELECT baseline_id FROM stored_baselines WHERE " + condition + ")"
	return deleteWhere(ctx, tx, of, "stored_baseline_statistics", "stored_baseline_enrichment", "stored_baselines")
}

// unloadSets takes out token sets, and the scores in them. Those that user_token_sets
// made leave that table too: the next compute would make them again.
func unloadSets(ctx context.Context, tx *sql.Tx, r UnloadRequest) ([]Unloaded, error) {
	query := "SELECT set_id AS id, token_set AS name FROM stored_token_sets JOIN stored_models USING (model_id)"
	var conditions []string
	if r.Model != "" {
		if _, _, err := named(ctx, tx, "model", "SELECT model_id AS id, model AS name FROM stored_models", []string{r.Model}); err != nil {
			return nil, err
		}
		conditions = append(conditions, "model = "+schema.Literal(r.Model))
	}
	if len(r.Families) > 0 {
		known, err := schema.Collect[string](ctx, tx, `SELECT DISTINCT family FROM stored_token_sets ORDER BY family`)
		if err != nil {
			return nil, err
		}
		for _, family := range r.Families {
			if !slices.Contains(known, family) {
				return nil, &fault.Error{Subject: family, Problem: "no token set is of that family", Hint: "families: " + shortList(known)}
			}
		}
		conditions = append(conditions, schema.InSAEs("family", r.Families))
	}
	if len(conditions) > 0 {
		query += " WHERE " + strings.Join(conditions, " AND ")
	}
	names := r.Names
	if len(names) == 0 {
		names = []string{"*"}
	}
	ids, chosen, err := named(ctx, tx, "token set", query, names)
	if err != nil {
		return nil, err
	}
	if repeated := firstRepeated(chosen); repeated != "" && r.Model == "" {
		return nil, &fault.Error{Subject: "token set " + repeated, Problem: "several models have one of that name", Hint: "say which with --model"}
	}
	var out []Unloaded
	for i, id := range ids {
		var scores int
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM stored_enrichment WHERE set_id = $1) + (SELECT count(*) FROM stored_input_enrichment WHERE set_id = $1)`, id).Scan(&scores); err != nil {
			return nil, err
		}
		out = append(out, Unloaded{Kind: UnloadSets, Name: chosen[i], With: listed(count(scores, "enrichment score"))})
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM user_token_sets WHERE (model, token_set) IN (
		SELECT (model, token_set) FROM stored_token_sets JOIN stored_models USING (model_id) WHERE list_contains(CAST(? AS INTEGER[]), set_id))`, schema.List(ids))
	if err != nil {
		return nil, err
	}
	return out, dropSets(ctx, tx, fmt.Sprintf("(SELECT unnest(CAST('%s' AS INTEGER[])))", schema.List(ids)))
}

// firstRepeated is the first name that is there more than once, "" for none.
func firstRepeated(names []string) string {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return name
		}
		seen[name] = true
	}
	return ""
}

// dropSets drops the token sets whose numbers a query in brackets gives, and the scores in
// them. The q-values of other sets count on those scores. That one feature of an SAE lacks
// its q-value is enough for the next compute to make all of its q-values anew.
func dropSets(ctx context.Context, tx *sql.Tx, gone string) error {
	for _, side := range schema.Sides {
		err := execute(ctx, tx, side.SQL(`UPDATE stored_enrichment SET log10_q = NULL, log10_q_all = NULL
			WHERE feature = 0 AND sae_id IN (SELECT sae_id FROM stored_enrichment WHERE set_id IN `)+gone+`)`)
		if err != nil {
			return err
		}
	}
	if err := deleteWhere(ctx, tx, `set_id IN `+gone, setTables...); err != nil {
		return err
	}
	return schema.RecordCounts(ctx, tx, "true")
}

// unloadExplanations takes out files of explanations by their names.
func unloadExplanations(ctx context.Context, tx *sql.Tx, r UnloadRequest) ([]Unloaded, error) {
	ids, names, err := named(ctx, tx, "file of explanations",
		"SELECT load_id AS id, name FROM stored_loads WHERE kind = 'explanations' AND replaced_by IS NULL", r.Names)
	if err != nil {
		return nil, err
	}
	var out []Unloaded
	for i, id := range ids {
		var explanations, features int
		err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM stored_explanations WHERE load_id = $1), (SELECT count(*) FROM stored_neuronpedia_features WHERE load_id = $1)`,
			id).Scan(&explanations, &features)
		if err != nil {
			return nil, err
		}
		out = append(out, Unloaded{Kind: UnloadExplanations, Name: names[i], With: listed(count(explanations, "explanation"), count(features, "feature's activation"))})
		if err := deleteWhere(ctx, tx, fmt.Sprintf("load_id = %d", id), "stored_explanations", "stored_neuronpedia_features"); err != nil {
			return nil, err
		}
		if err := forgetLoad(ctx, tx, id); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// count is a number of things, in words, "" for none.
func count(n int, what string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// listed joins those of the texts that are not empty.
func listed(texts ...string) string {
	return strings.Join(slices.DeleteFunc(texts, func(text string) bool { return text == "" }), ", ")
}
