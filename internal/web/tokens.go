package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// An end is one of a feature's ranking of the vocabulary, of which the database stores the
// outermost tokens, outermost first, as lists of ids and of weights.
type end struct {
	parameter           string // of a request, whose value is a token's id
	table, ids, weights string
}

// The ends that features are found by: what they write, and what excites them.
var ends = []end{
	{"promotes", "stored_statistics", "top_token_ids", "top_logit_weights"},
	{"suppresses", "stored_statistics", "bottom_token_ids", "bottom_logit_weights"},
	{"excited_by", "stored_input_statistics", "top_token_ids", "top_logit_weights"},
}

// A tokenAt is a token at an end.
type tokenAt struct {
	end
	model string
	id    int
	text  string
}

// rank is the column of the token's place in the stored end, from 1.
func (t tokenAt) rank() string { return t.parameter + "_rank" }

// features is the SQL of a table of the features that have the token at this end, with its rank.
func (t tokenAt) features() string {
	return fmt.Sprintf("(SELECT sae_id, feature, list_position(%[1]s, %[2]d) AS %[3]s FROM %[4]s WHERE list_contains(%[1]s, %[2]d))",
		t.ids, t.id, t.rank(), t.table)
}

// place is what [Server.featureRows] reads of features that have the token at this end.
func (t tokenAt) place() string {
	return fmt.Sprintf("list_position(%[1]s, %[2]d) AS rank, %[3]s[list_position(%[1]s, %[2]d)] AS weight FROM %[4]s", t.ids, t.id, t.weights, t.table)
}

func (t tokenAt) described() row {
	return row{"parameter": t.parameter, "model": t.model, "token_id": t.id, "text": t.text}
}

// tokensAsked reads which tokens features must have at their ends, by id.
func (s *Server) tokensAsked(ctx context.Context, q url.Values) (asked []tokenAt, err error) {
	for _, e := range ends {
		if q.Get(e.parameter) == "" {
			continue
		}
		t, err := s.token(ctx, q, e.parameter)
		if err != nil {
			return nil, err
		}
		t.end = e
		asked = append(asked, t)
	}
	return asked, nil
}

// token is that of a request: of its model, which may be left out where there is but one,
// the one whose id is the parameter's.
func (s *Server) token(ctx context.Context, q url.Values, parameter string) (t tokenAt, err error) {
	of, err := s.catalogue.model(q.Get("model"))
	if err != nil {
		return t, fmt.Errorf("%s: %w", parameter, err)
	}
	if t.id, err = number(q, parameter, -1, 1<<31-1); err != nil {
		return t, err
	}
	if t.id < 0 {
		return t, fmt.Errorf("%s: expected the id of a token", parameter)
	}
	if t.id >= of.tokens {
		return t, &notFound{fmt.Sprintf("token %d of model %s, whose tokens are 0 to %d", t.id, of.model, of.tokens-1)}
	}
	v, err := s.vocabulary(ctx, of.modelID)
	if err != nil {
		return t, err
	}
	t.model, t.text = of.model, v.text(int32(t.id))
	return t, nil
}

// model returns an SAE of the model of that name, or, for no name, of the only one.
func (c *catalogue) model(name string) (*sae, error) {
	of := map[string]*sae{}
	for _, a := range c.saes {
		of[a.model] = a
	}
	if a, ok := of[name]; ok {
		return a, nil
	}
	names := slices.Sorted(maps.Keys(of))
	switch {
	case len(names) == 0:
		return nil, errors.New("no SAE is loaded")
	case name != "":
		return nil, missing("SAE of model", name, names)
	case len(names) > 1:
		return nil, errors.New("model: expected one of " + strings.Join(names, ", ") + ": each has tokens of its own")
	}
	return of[names[0]], nil
}

// filterText leaves the features with a token among their ten highest whose text
// contains a text: the tokens are found first, and marked in a bit string by id.
func (s *Server) filterText(ctx context.Context, text string, f *featureFilter) error {
	vocabularies, most := map[int]*vocabulary{}, 0
	saes := map[int][]int{} // by model
	for _, a := range s.catalogue.saes {
		v, err := s.vocabulary(ctx, a.modelID)
		if err != nil {
			return err
		}
		vocabularies[a.modelID], most = v, max(most, len(v.lower), a.tokens)
		saes[a.modelID] = append(saes[a.modelID], a.id)
	}
	var models []string
	for _, id := range slices.Sorted(maps.Keys(vocabularies)) {
		bits, any := vocabularies[id].containing(text, most)
		if !any {
			continue
		}
		var places []string
		for i := 1; i <= 10; i++ {
			places = append(places, fmt.Sprintf("get_bit(bits_%d, top_token_ids[%d]) = 1", len(f.bits), i))
		}
		f.bits = append(f.bits, bits)
		models = append(models, "sae_id IN ("+joinInts(saes[id])+") AND ("+strings.Join(places, " OR ")+")")
	}
	f.none = len(models) == 0
	f.conditions, f.columns = append(f.conditions, "("+strings.Join(models, " OR ")+")"), append(f.columns, "top_token_ids")
	return nil
}
