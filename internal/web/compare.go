package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// How much of a comparison is shown: tokens of either direction, token sets of either feature and
// direction, pairs of features and features without one.
const (
	comparedTokens = 20
	comparedSets   = 10
	comparedPairs  = 25
)

// compare is two features side by side: what is stored of each, how alike their directions and
// the rankings of their logit weights are, and the tokens and token sets in which they differ.
func (s *Server) compare(ctx context.Context, q url.Values) (any, error) {
	a, feature, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	b, err := s.otherSAE(ctx, q, a)
	if err != nil {
		return nil, err
	}
	other, err := number(q, "other", -1, 1<<31-1)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(a.check(feature), b.check(other)); err != nil {
		return nil, err
	}
	if a == b && feature == other {
		return nil, fmt.Errorf("compare: expected two features, found feature %d of %s twice", feature, a.name)
	}
	answer := map[string]any{"model": a.model}
	if answer["features"], err = s.featureRows(ctx, `SELECT CAST(unnest([?, ?]) AS INTEGER) AS sae_id, CAST(unnest([?, ?]) AS INTEGER) AS feature`,
		[]any{a.id, b.id, feature, other}); err != nil {
		return nil, err
	}
	two := []any{a.name, feature, b.name, other}
	for _, part := range []struct{ name, query string }{
		// Of weights that are in their file, too.
		{"likeness", `SELECT decoder_cosine(a.w_dec, b.w_dec) AS cosine, rank_correlation(a.w_dec, a.model, b.w_dec, coalesce(s.tokens, 'all')) AS rank_correlation
			FROM decoder_directions_of($1) a JOIN saes s USING (sae), decoder_directions_of($3) b WHERE a.feature = $2 AND b.feature = $4`},
		{"tokens", fmt.Sprintf(`FROM token_differences($1, $2, $3, $4, k := %d)`, comparedTokens)},
		{"sets", fmt.Sprintf(`WITH shown AS (SELECT token_set FROM strongest_of_feature($1, $2, k := %[1]d) UNION SELECT token_set FROM strongest_of_feature($3, $4, k := %[1]d)),
			one AS (SELECT token_set, size, effect, q_value FROM enrichment WHERE sae = $1 AND feature = $2 AND token_set IN (FROM shown)),
			other AS (SELECT token_set, size, effect, q_value FROM enrichment WHERE sae = $3 AND feature = $4 AND token_set IN (FROM shown))
			SELECT token_set, coalesce(one.size, other.size) AS size, one.effect, one.q_value, other.effect AS other_effect, other.q_value AS other_q_value
			FROM one FULL JOIN other USING (token_set) ORDER BY abs(coalesce(one.effect, 0) - coalesce(other.effect, 0)) DESC, token_set`, comparedSets)},
	} {
		if answer[part.name], err = s.list(ctx, part.query, two...); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// otherSAE is the one that a request compares a with: of the same model.
func (s *Server) otherSAE(ctx context.Context, q url.Values, a *sae) (*sae, error) {
	b, err := s.catalogue.find(q.Get("other_sae"))
	if err != nil {
		return nil, err
	}
	if a.modelID != b.modelID {
		return nil, fmt.Errorf("compare: expected two SAEs of one model, found %s of %s and %s of %s", a.name, a.model, b.name, b.model)
	}
	return b, nil
}

// compareSAEs is how far two SAEs have the same features, from the nearest directions that
// compute --neighbours stored: how many features are each other's nearest, the distribution of
// the cosines, the most alike, and of both the features that are least like any of the other's.
// Where they are not stored it is the command that stores them.
func (s *Server) compareSAEs(ctx context.Context, q url.Values) (any, error) {
	a, err := s.catalogue.find(q.Get("sae"))
	if err != nil {
		return nil, err
	}
	b, err := s.otherSAE(ctx, q, a)
	if err != nil {
		return nil, err
	}
	if a == b {
		return nil, fmt.Errorf("compare: expected two SAEs, found %s twice", a.name)
	}
	stored, err := s.list(ctx, `SELECT pair_id FROM whole_neighbours(1) WHERE (sae_id, other_id) IN ((?, ?), (?, ?))`, a.id, b.id, b.id, a.id)
	if err != nil {
		return nil, err
	}
	if len(stored) < 2 {
		return map[string]any{"command": fmt.Sprintf("saedb --db %s compute --neighbours --from %s --to %s", s.database, schema.Literal(a.name), schema.Literal(b.name))}, nil
	}
	answer := map[string]any{}
	if answer["cosines"], err = s.list(ctx, `SELECT sae, count(*) AS features, count(cosine) AS with_direction, count(*) FILTER (mutual) AS mutual, avg(cosine) AS mean_cosine
		FROM nearest_between(?, ?) GROUP BY sae ORDER BY sae <> ?`, a.name, b.name, a.name); err != nil {
		return nil, err
	}
	if answer["histogram"], err = s.list(ctx, `SELECT sae, least(floor(20 * cosine), 19) / 20 AS cosine, count(*) AS features
		FROM nearest_between(?, ?) WHERE cosine IS NOT NULL GROUP BY ALL ORDER BY cosine`, a.name, b.name); err != nil {
		return nil, err
	}
	if answer["mutual"], err = s.pairs(ctx, a, b); err != nil {
		return nil, err
	}
	for name, of := range map[string]*sae{"alone": a, "other_alone": b} {
		if answer[name], err = s.featureRows(ctx, fmt.Sprintf(`SELECT CAST(? AS INTEGER) AS sae_id, feature, nearest, cosine FROM nearest_between(?, ?)
			WHERE sae = ? AND cosine IS NOT NULL ORDER BY cosine, feature LIMIT %d`, comparedPairs), []any{of.id, a.name, b.name, of.name}); err != nil {
			return nil, err
		}
	}
	return answer, nil
}

// pairs are the features of two SAEs that are each other's nearest, the most alike first, a row
// of each.
func (s *Server) pairs(ctx context.Context, a, b *sae) ([]map[string]any, error) {
	ones, err := s.featureRows(ctx, fmt.Sprintf(`SELECT CAST(? AS INTEGER) AS sae_id, feature, nearest, cosine FROM nearest_between(?, ?)
		WHERE sae = ? AND mutual ORDER BY cosine DESC, feature LIMIT %d`, comparedPairs), []any{a.id, a.name, b.name, a.name})
	if err != nil || len(ones) == 0 {
		return []map[string]any{}, err
	}
	var nearest []string
	for _, one := range ones {
		nearest = append(nearest, fmt.Sprint(one["nearest"]))
	}
	others, err := s.featureRows(ctx, `SELECT CAST(? AS INTEGER) AS sae_id, CAST(unnest([`+strings.Join(nearest, ", ")+`]) AS INTEGER) AS feature`, []any{b.id})
	if err != nil {
		return nil, err
	}
	pairs := make([]map[string]any, len(ones))
	for i, one := range ones {
		pairs[i] = map[string]any{"cosine": one["cosine"], "one": one, "other": others[i]}
	}
	return pairs, nil
}
