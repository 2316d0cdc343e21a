package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

const (
	mostFound    = 20  // of each kind that a search answers
	mostSearched = 200 // characters that it looks for
)

// A found is what a search has of one kind: the first mostFound rows, of so many. Query is SQL
// that gives all of them.
type found struct {
	Total int64  `json:"total"`
	Rows  []row  `json:"rows"`
	Query string `json:"query,omitempty"`
}

// search looks for a text, whatever its case, in tokens, token sets, labels, explanations and notes, and
// for a number among the features: 63 is that of every SAE, 29/63 that of the SAEs of layer 29.
func (s *Server) search(ctx context.Context, asked url.Values) (any, error) {
	q := asked.Get("q")
	if strings.TrimSpace(q) == "" {
		return nil, errors.New("search: expected what to look for: a part of a token, set, label, explanation or note, or a feature's number")
	}
	if len([]rune(q)) > mostSearched {
		return nil, fmt.Errorf("search: expected at most %d characters, found %d", mostSearched, len([]rune(q)))
	}
	q = strings.ReplaceAll(q, "␣", " ") // as pages spell a token's first space
	answer := map[string]any{"q": q}
	for kind, look := range map[string]func(context.Context, string) (*found, error){
		"tokens": s.searchTokens, "sets": s.searchSets, "labels": s.searchLabels,
		"explanations": s.searchExplanations, "features": s.searchFeatures, "notes": s.searchNotes,
	} {
		f, err := look(ctx, q)
		if err != nil {
			return nil, err
		}
		answer[kind] = f
	}
	return answer, nil
}

// holds is the SQL of whether a text has another in it, whatever the case of both.
func holds(column, text string) string {
	return "contains(lower(" + column + "), lower(" + schema.Literal(text) + "))"
}

// searchTokens finds the tokens of all models whose text has q in it: those that are q first,
// with or without spaces around and in either case, then those that begin with it.
func (s *Server) searchTokens(ctx context.Context, q string) (*found, error) {
	type model struct {
		id   int
		name string
		*vocabulary
	}
	models, err := schema.Rows(ctx, s.db, func(m *model) []any { return []any{&m.id, &m.name} },
		`SELECT model_id, model FROM stored_models ORDER BY model`)
	if err != nil {
		return nil, err
	}
	type token struct{ place, model, id int }
	var all []token
	lower := strings.ToLower(q)
	for i := range models {
		if models[i].vocabulary, err = s.vocabulary(ctx, models[i].id); err != nil {
			return nil, err
		}
		for id, text := range models[i].lower {
			if strings.Contains(text, lower) {
				all = append(all, token{closeness(models[i].shown[id], q), i, id})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b token) int { return a.place - b.place })
	f := &found{
		Total: int64(len(all)), Rows: []row{},
		Query: "SELECT model, token_id, text FROM tokens\nWHERE " + holds(schema.ShownText, q) + "\nORDER BY model, token_id",
	}
	for _, t := range all[:min(len(all), mostFound)] {
		f.Rows = append(f.Rows, row{"model": models[t.model].name, "token_id": t.id, "text": models[t.model].shown[t.id]})
	}
	return f, nil
}

// closeness of a text that has q in it: 0 where it is q.
func closeness(text, q string) int {
	bare, wanted := strings.TrimSpace(text), strings.TrimSpace(q)
	switch {
	case text == q:
		return 0
	case bare == wanted:
		return 1
	case strings.EqualFold(bare, wanted):
		return 2
	case strings.HasPrefix(strings.ToLower(bare), strings.ToLower(wanted)):
		return 3
	}
	return 4
}

// all is the first rows of a query of ours, and how many there are.
func (s *Server) all(ctx context.Context, f *found, query string) (err error) {
	if f.Rows, err = s.list(ctx, fmt.Sprintf("%s LIMIT %d", query, mostFound)); err != nil {
		return err
	}
	if f.Total = int64(len(f.Rows)); f.Total < mostFound {
		return nil
	}
	return s.db.QueryRowContext(ctx, "SELECT count(*) FROM ("+query+")").Scan(&f.Total)
}

func (s *Server) searchSets(ctx context.Context, q string) (*found, error) {
	query := "SELECT model, family, token_set, members FROM token_sets\nWHERE " + holds("token_set", q) + " OR " + holds("family", q)
	f := &found{Query: query + "\nORDER BY model, family, token_set"}
	return f, s.all(ctx, f, query+" ORDER BY lower(token_set) <> lower("+schema.Literal(q)+"), len(token_set), model, token_set")
}

// searchLabels reads the tables that have labels, which the view features joins with all else.
func (s *Server) searchLabels(ctx context.Context, q string) (*found, error) {
	f := &found{Query: "SELECT sae, feature, label, top_tokens FROM features\nWHERE " + holds("label", q) + "\nORDER BY sae, feature"}
	err := s.all(ctx, f, `SELECT sae_id, feature FROM (
			SELECT sae_id, feature, both_sides(i.label, l.label) AS label FROM stored_labels l FULL JOIN stored_input_labels i USING (sae_id, feature)
		) WHERE sae_id > 0 AND `+holds("label", q)+` ORDER BY len(label), sae_id, feature`)
	if err != nil || len(f.Rows) == 0 {
		return f, err
	}
	f.Rows, err = s.featureRows(ctx, `SELECT unnest(CAST(? AS INTEGER[])) AS sae_id, unnest(CAST(? AS INTEGER[])) AS feature`,
		[]any{schema.List(columnOf(f.Rows, "sae_id")), schema.List(columnOf(f.Rows, "feature"))})
	return f, err
}

// columnOf are the whole numbers of a column.
func columnOf(rows []row, name string) []int {
	var out []int
	for _, r := range rows {
		n, _ := r[name].(int32)
		out = append(out, int(n))
	}
	return out
}

func (s *Server) searchExplanations(ctx context.Context, q string) (*found, error) {
	f := &found{Query: "SELECT sae, feature, description, explainer FROM explanations\nWHERE " + holds("description", q) + "\nORDER BY sae, feature"}
	return f, s.all(ctx, f, `SELECT sae, layer, feature, description, explainer FROM explanations
		WHERE `+holds("description", q)+` ORDER BY len(description), sae, feature`)
}

// searchNotes finds one's own notes of features that are loaded. Where they cannot be read it finds none:
// the page of notes has the error.
func (s *Server) searchNotes(ctx context.Context, q string) (*found, error) {
	f := &found{
		Rows:  []row{},
		Query: "SELECT sae, feature, label, note FROM my_notes\nWHERE sae IN (SELECT sae FROM saes) AND (" + holds("label", q) + " OR " + holds("note", q) + ")\nORDER BY sae, feature",
	}
	kept, _ := s.notes.All(ctx)
	lower := strings.ToLower(q)
	for _, n := range kept.Notes {
		a, err := s.catalogue.find(n.SAE)
		if err != nil || !strings.Contains(strings.ToLower(n.Label), lower) && !strings.Contains(strings.ToLower(n.Note), lower) {
			continue
		}
		if f.Total++; len(f.Rows) < mostFound {
			f.Rows = append(f.Rows, row{"sae": n.SAE, "layer": a.layerOrNil(), "feature": n.Feature, "label": n.Label, "note": n.Note})
		}
	}
	return f, nil
}

// numbered is a feature's number, with the layer of its SAE before it or without.
var numbered = regexp.MustCompile(`^\s*(?:(\d{1,6})\s*/\s*)?(\d{1,9})\s*$`)

// searchFeatures finds the features of a number.
func (s *Server) searchFeatures(ctx context.Context, q string) (*found, error) {
	f := &found{Rows: []row{}}
	parts := numbered.FindStringSubmatch(q)
	if parts == nil {
		return f, nil
	}
	feature, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil, err
	}
	condition := fmt.Sprintf("feature = %d", feature)
	var saes []int
	for _, a := range s.catalogue.saes {
		if feature < a.features && (parts[1] == "" || a.layer.Valid && strconv.Itoa(int(a.layer.Int32)) == parts[1]) {
			saes = append(saes, a.id)
		}
	}
	if parts[1] != "" {
		condition += " AND layer = " + parts[1]
	}
	f.Total, f.Query = int64(len(saes)), "SELECT sae, feature, label, top_tokens FROM features\nWHERE "+condition+"\nORDER BY layer, sae"
	if len(saes) > 0 {
		f.Rows, err = s.featureRows(ctx, `SELECT unnest(CAST(? AS INTEGER[])) AS sae_id, CAST(? AS INTEGER) AS feature`,
			[]any{schema.List(saes[:min(len(saes), mostFound)]), feature})
	}
	return f, err
}
