package web

import (
	"context"
	"net/url"
)

// mostThrough is how many token sets are shown of a feature as it is read through a lens.
const mostThrough = 20

// through is a feature directly and through a lens, side by side: the lenses that it is computed
// through, and of the one that the request names its label, moments, tokens at both ends beside the
// direct ones, and strongest token sets. A request that names none is answered with the lenses.
func (s *Server) through(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	lenses, err := s.list(ctx, `SELECT l.lens, u.layer AS lens_layer, u.lens_sae_id FROM stored_lens_saes u JOIN stored_lenses l USING (lens_id)
		JOIN stored_statistics t ON t.sae_id = u.lens_sae_id AND t.feature = ? WHERE u.sae_id = ? ORDER BY l.lens`, index, a.id)
	if err != nil {
		return nil, err
	}
	answer, names := map[string]any{}, []any{}
	asked := q.Get("lens")
	for _, l := range lenses {
		if names = append(names, l["lens"]); l["lens"] != asked {
			continue
		}
		if err := s.throughLens(ctx, q, answer, a, index, asked, l["lens_sae_id"]); err != nil {
			return nil, err
		}
	}
	if asked != "" && len(answer) == 0 {
		return nil, &notFound{"lens " + asked + ", of those that this feature is computed through (compute --lens)"}
	}
	answer["lenses"] = names
	return answer, nil
}

// throughLens adds what one lens shows of a feature; id is the SAE's number in it.
func (s *Server) throughLens(ctx context.Context, q url.Values, answer map[string]any, a *sae, feature int, lens string, id any) error {
	found, err := s.list(ctx, `SELECT label, role, mean, std, skewness, kurtosis, decoder_norm, top_overlap, bottom_overlap, rank_correlation, lens_layer
		FROM features_through(?) WHERE sae = ? AND feature = ?`, lens, a.name, feature)
	if err != nil || len(found) == 0 {
		return err
	}
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return err
	}
	tokens, err := s.list(ctx, `SELECT direction, unnest(range(1, len(through) + 1)) AS rank, unnest(ids) AS token_id, unnest(weights) AS logit_weight,
			unnest(through) AS through_token_id, unnest(through_weights) AS through_logit_weight
		FROM (SELECT 'promoted' AS direction, d.top_token_ids AS ids, d.top_logit_weights AS weights, t.top_token_ids AS through, t.top_logit_weights AS through_weights
				FROM stored_statistics t LEFT JOIN stored_statistics d ON d.sae_id = $2 AND d.feature = t.feature WHERE t.sae_id = $1 AND t.feature = $3
			UNION ALL SELECT 'suppressed', d.bottom_token_ids, d.bottom_logit_weights, t.bottom_token_ids, t.bottom_logit_weights
				FROM stored_statistics t LEFT JOIN stored_statistics d ON d.sae_id = $2 AND d.feature = t.feature WHERE t.sae_id = $1 AND t.feature = $3)
		ORDER BY direction, rank`, id, a.id, feature)
	if err != nil {
		return err
	}
	for _, one := range tokens {
		one["text"], one["through_text"] = v.text(one["token_id"]), v.text(one["through_token_id"])
	}
	enrichment, err := s.list(ctx, `SELECT token_set, size, effect, es, direction, q_value, beyond_chance(q_value) AS beyond_chance
		FROM enrichment_through(?) WHERE sae = ? AND feature = ? ORDER BY beyond_chance(q_value) DESC NULLS LAST, abs(effect) DESC NULLS LAST, token_set LIMIT ?`, lens, a.name, feature, mostThrough)
	answer["feature"], answer["tokens"], answer["enrichment"] = found[0], tokens, enrichment
	return err
}
