package web

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/figures"
	schema "github.com/saedb/saedb/sql"
)

// A catalogue is what is loaded. It is read once: the database is open read-only,
// and no program can change the file meanwhile.
type catalogue struct {
	saes     []*sae // by release, layer and name
	models   []string
	byID     map[int]*sae
	computed bool // every feature has statistics

	mutex        sync.Mutex
	vocabularies map[int]*vocabulary // by model, those that were asked for
}

type sae struct {
	id, modelID          int
	release, name, model string
	layer                sql.NullInt32
	neuronpediaID        sql.NullString
	features             int
	tokens               int    // of the model
	counted              string // tokens that its statistics count: all or real; empty before saedb compute
}

// A vocabulary is the texts of a model's tokens as lists of tokens show them, by id,
// and in lower case, for finding them. It takes some 60 bytes a token.
type vocabulary struct{ shown, lower []string }

func (s *Server) readCatalogue(ctx context.Context) error {
	s.catalogue = &catalogue{byID: map[int]*sae{}, vocabularies: map[int]*vocabulary{}}
	saes, err := schema.Rows(ctx, s.db, func(a *sae) []any {
		return []any{&a.id, &a.modelID, &a.release, &a.name, &a.model, &a.layer, &a.neuronpediaID, &a.features, &a.tokens, &a.counted}
	}, `SELECT s.load_id, m.load_id, s.release, s.sae, s.model, s.layer, s.neuronpedia_id, s.d_sae, m.d_vocab, coalesce(s.tokens, '')
		FROM saes s JOIN models m ON s.model = m.model ORDER BY s.release, s.layer, s.sae`)
	if err != nil {
		return err
	}
	if s.catalogue.models, err = schema.Collect[string](ctx, s.db, `SELECT model FROM models ORDER BY model`); err != nil {
		return err
	}
	features := 0
	for i := range saes {
		a := &saes[i]
		s.catalogue.saes = append(s.catalogue.saes, a)
		s.catalogue.byID[a.id] = a
		features += a.features
	}
	return s.db.QueryRowContext(ctx, `SELECT count(*) = ? FROM stored_statistics WHERE sae_id > 0`, features).Scan(&s.catalogue.computed)
}

// find is the SAE of that name.
func (c *catalogue) find(name string) (*sae, error) {
	for _, a := range c.saes {
		if a.name == name {
			return a, nil
		}
	}
	return nil, missing("SAE", name, c.names(func(a *sae) string { return a.name }))
}

// drawn is the SAE of that name as figures know it, or all for "".
func (c *catalogue) drawn(name string) (drawn []figures.SAE) {
	for _, a := range c.saes {
		if name == "" || a.name == name {
			drawn = append(drawn, figures.SAE{Name: a.name, Model: a.model, Layer: int(a.layer.Int32), Tokens: a.counted})
		}
	}
	return drawn
}

// names are what the SAEs have of one kind, each once, in their order.
func (c *catalogue) names(of func(*sae) string) (names []string) {
	for _, a := range c.saes {
		if name := of(a); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// vocabulary returns a model's, and reads it the first time.
func (s *Server) vocabulary(ctx context.Context, model int) (*vocabulary, error) {
	c := s.catalogue
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if v := c.vocabularies[model]; v != nil {
		return v, nil
	}
	type token struct {
		id   int
		text string
	}
	tokens, err := schema.Rows(ctx, s.db, func(t *token) []any { return []any{&t.id, &t.text} },
		`SELECT token_id, `+schema.ShownText+` FROM stored_tokens WHERE model_id = ?`, model)
	if err != nil {
		return nil, err
	}
	v := &vocabulary{}
	for _, t := range tokens {
		for len(v.shown) <= t.id {
			v.shown, v.lower = append(v.shown, ""), append(v.lower, "")
		}
		v.shown[t.id], v.lower[t.id] = t.text, strings.ToLower(t.text)
	}
	c.vocabularies[model] = v
	return v, nil
}

// texts are the tokens of a list of ids as DuckDB gives it, the first most of them.
func (v *vocabulary) texts(ids any, most int) []string {
	list, _ := ids.([]any)
	out := make([]string, 0, min(len(list), most))
	for _, id := range list[:min(len(list), most)] {
		out = append(out, v.text(id))
	}
	return out
}

// text is a token's, by its id as DuckDB gives it.
func (v *vocabulary) text(id any) string {
	if n, ok := id.(int32); ok && n >= 0 && int(n) < len(v.shown) {
		return v.shown[n]
	}
	return ""
}

// containing marks the tokens whose text contains one, whatever its case, with a 1 in
// a string of so many digits, a digit a token.
func (v *vocabulary) containing(text string, digits int) (bits string, any bool) {
	text = strings.ToLower(text)
	out := []byte(strings.Repeat("0", digits))
	for id, t := range v.lower {
		if strings.Contains(t, text) {
			out[id], any = '1', true
		}
	}
	return string(out), any
}

// url is the feature's page on Neuronpedia, as the view features has it; nil for none.
func (a *sae) url(feature any) any {
	if !a.neuronpediaID.Valid {
		return nil
	}
	return fmt.Sprintf("https://www.neuronpedia.org/%s/%d", a.neuronpediaID.String, feature)
}

// check is an error where the SAE has no such feature.
func (a *sae) check(feature int) error {
	if feature < 0 || feature >= a.features {
		return &notFound{fmt.Sprintf("feature %d of %s, which has 0 to %d", feature, a.name, a.features-1)}
	}
	return nil
}

func (a *sae) layerOrNil() any {
	if !a.layer.Valid {
		return nil
	}
	return a.layer.Int32
}

// layers is a table of sae_id and layer, for SQL.
func (c *catalogue) layers() string {
	var rows []string
	for _, a := range c.saes {
		layer := "NULL"
		if a.layer.Valid {
			layer = strconv.Itoa(int(a.layer.Int32))
		}
		rows = append(rows, fmt.Sprintf("(%d, %s)", a.id, layer))
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") AS layers(sae_id, layer)"
}
