package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
)

// mostSpellings is how many tokens a token's page has that are the same word.
const mostSpellings = 12

// tokenPage is what there is of one token: its sets, the tokens that are the same but for case
// and spaces around, and how many features of each SAE have these at an end of their ranking.
func (s *Server) tokenPage(ctx context.Context, q url.Values) (any, error) {
	t, err := s.token(ctx, q, "id")
	if err != nil {
		return nil, err
	}
	of, err := s.catalogue.model(t.model)
	if err != nil {
		return nil, err
	}
	v, err := s.vocabulary(ctx, of.modelID)
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, `SELECT token, is_special, is_padding FROM tokens WHERE model = ? AND token_id = ?`, t.model, t.id)
	if err != nil {
		return nil, err
	}
	about := row{"model": t.model, "token_id": t.id, "text": t.text}
	for _, f := range found {
		about["token"], about["is_special"], about["is_padding"] = f["token"], f["is_special"], f["is_padding"]
	}
	sets, err := s.list(ctx, `SELECT token_set, family, members AS size FROM token_sets
		WHERE model = ? AND list_contains(tokens, ?) ORDER BY members, token_set`, t.model, t.id)
	if err != nil {
		return nil, err
	}
	spellings := v.spellings(t.id)
	shown := []row{}
	for _, id := range spellings {
		shown = append(shown, row{"token_id": id, "text": v.text(int32(id))})
	}
	counts, err := s.countsAtEnds(ctx, of.modelID, spellings)
	if err != nil {
		return nil, err
	}
	return map[string]any{"token": about, "sets": sets, "spellings": shown, "counts": counts}, nil
}

// spellings are a token and those that are the same word but for case and spaces around, in the
// order of their ids, the token itself first.
func (v *vocabulary) spellings(id int) []int {
	ids := []int{id}
	if id >= len(v.lower) { // a column of the unembedding that the tokenizer has no token for
		return ids
	}
	word := strings.TrimSpace(v.lower[id])
	for other, text := range v.lower {
		if word != "" && other != id && strings.TrimSpace(text) == word && len(ids) < mostSpellings {
			ids = append(ids, other)
		}
	}
	return ids
}

// countsAtEnds says of tokens of a model, for each SAE and each end of the ranking, how many
// features have them among the tokens stored, and the best of their ranks there. Where none has, no
// row says so.
func (s *Server) countsAtEnds(ctx context.Context, model int, tokens []int) ([]row, error) {
	var parts []string
	var saes []int
	for _, a := range s.catalogue.saes {
		if a.modelID == model {
			saes = append(saes, a.id)
		}
	}
	for _, e := range ends {
		// To look into the lists for a few tokens is faster than to unnest all of them; for many it is not.
		has := "true"
		if len(tokens) <= 4 {
			var each []string
			for _, id := range tokens {
				each = append(each, fmt.Sprintf("list_contains(%s, %d)", e.ids, id))
			}
			has = strings.Join(each, " OR ")
		}
		parts = append(parts, fmt.Sprintf(`SELECT '%[1]s' AS parameter, sae_id, token_id, count(*) AS features, min(rank) AS best
			FROM (SELECT sae_id, unnest(%[2]s) AS token_id, unnest(range(1, len(%[2]s) + 1)) AS rank FROM %[3]s WHERE sae_id IN (%[4]s) AND (%[6]s))
			WHERE token_id IN (%[5]s) GROUP BY ALL`, e.parameter, e.ids, e.table, joinInts(saes), joinInts(tokens), has))
	}
	found, err := s.list(ctx, strings.Join(parts, " UNION ALL ")+" ORDER BY ALL")
	for _, f := range found {
		f["sae"] = s.catalogue.byID[int(f["sae_id"].(int32))].name
		delete(f, "sae_id")
	}
	return found, err
}
