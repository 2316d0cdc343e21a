package web

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// mostEnds is how many tokens of each end a feature's page has.
const mostEnds = 50

// one reads which feature of which SAE a request is about. The SAE is there; whether it has the
// feature is not looked at.
func (s *Server) one(ctx context.Context, q url.Values) (a *sae, feature int, err error) {
	if feature, err = number(q, "feature", -1, 1<<31-1); err != nil {
		return nil, 0, err
	}
	if feature < 0 {
		return nil, 0, errors.New("feature: expected a number")
	}
	a, err = s.catalogue.find(q.Get("sae"))
	return a, feature, err
}

// feature is what is stored of one feature itself.
func (s *Server) feature(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, `SELECT sae, release, model, hook, layer, feature, label, role, `+strings.Join(schema.MomentColumns, ", ")+`,
			log_sparsity, input_skewness, input_kurtosis, encoder_decoder_cosine, neuronpedia_url
		FROM features WHERE sae = ? AND feature = ?`, a.name, index)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &notFound{fmt.Sprintf("feature %d of %s; it has 0 to %d", index, a.name, a.features-1)}
	}
	tokens, err := s.storedEnds(ctx, a, index, schema.Output)
	if err != nil {
		return nil, err
	}
	inputs, err := s.storedEnds(ctx, a, index, schema.Input)
	if err != nil {
		return nil, err
	}
	explanations, err := s.list(ctx, `SELECT description, type, explainer FROM explanations
		WHERE sae = ? AND feature = ? ORDER BY ALL`, a.name, index)
	if err != nil {
		return nil, err
	}
	return map[string]any{"feature": found[0], "tokens": tokens, "input_tokens": inputs, "explanations": explanations}, nil
}

// storedEnds are the outermost tokens that are stored of one side of a feature, with their weights.
func (s *Server) storedEnds(ctx context.Context, a *sae, feature int, side schema.Side) ([]row, error) {
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, side.SQL(`SELECT direction, unnest(range(1, len(ids) + 1)) AS rank, unnest(ids) AS token_id, unnest(weights) AS weight FROM (
			SELECT 'promoted' AS direction, top_token_ids AS ids, top_logit_weights AS weights FROM stored_statistics WHERE sae_id = $1 AND feature = $2
			UNION ALL SELECT 'suppressed', bottom_token_ids, bottom_logit_weights FROM stored_statistics WHERE sae_id = $1 AND feature = $2
		) ORDER BY direction, rank`), a.id, feature)
	for _, f := range found {
		f["text"] = v.text(f["token_id"])
	}
	return found, err
}

// ends are the mostEnds highest and lowest tokens of a feature with their logit weights, computed
// from its direction, each marked where it is a member of the token set of the request; where the
// weights are not in the database, the tokens that are stored.
func (s *Server) ends(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return nil, err
	}
	end := func(direction, function string) string {
		return fmt.Sprintf(`SELECT '%s' AS direction, unnest(%s(w_dec, model, %d, tokens)) AS one, unnest(range(1, %[3]d + 1)) AS rank FROM feature`, direction, function, mostEnds)
	}
	direction, err := schema.Output.DirectionOf(ctx, s.db, a.name, "d.feature")
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, `WITH feature AS (
			SELECT `+direction+` AS w_dec, s.model, coalesce(s.tokens, 'all') AS tokens FROM stored_decoders d JOIN saes s ON s.load_id = d.sae_id JOIN stored_loads l ON l.load_id = d.sae_id
			WHERE d.sae_id = $1 AND d.feature = $2 AND NOT `+schema.Output.LacksDirections()+`)
		SELECT direction, rank, one.token_id AS token_id, one.logit_weight AS weight
		FROM (`+end("promoted", "top_tokens")+` UNION ALL `+end("suppressed", "bottom_tokens")+`) WHERE one IS NOT NULL ORDER BY direction, rank`, a.id, index)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		if found, err = s.storedEnds(ctx, a, index, schema.Output); err != nil {
			return nil, err
		}
	}
	members, err := s.members(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		f["text"], f["member"] = v.text(f["token_id"]), members[f["token_id"]]
	}
	return found, nil
}

// members are the tokens of the set of a request, by id; none where it names none.
func (s *Server) members(ctx context.Context, q url.Values) (map[any]bool, error) {
	in := map[any]bool{}
	if q.Get("set") == "" {
		return in, nil
	}
	set, _, err := s.tokenSet(ctx, q)
	if err != nil {
		return nil, err
	}
	ids, _ := set["token_ids"].([]any)
	for _, id := range ids {
		in[id] = true
	}
	return in, nil
}

// enrichment is a feature's in every token set, of a side, the largest effects beyond chance first.
func (s *Server) enrichment(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	given := q.Get("side")
	side, known := schema.SideNamed(given)
	if !known {
		return nil, fmt.Errorf("side: expected output or input, found %q", given)
	}
	// Of the view of both sides the other's would be read as well.
	return s.list(ctx, `SELECT token_set, family, size, direction, effect, es, q_value, p_value, auc, beyond_chance(q_value) AS beyond_chance
		FROM `+side.Prefix+`enrichment WHERE sae = ? AND feature = ? AND direction IS NOT NULL
		ORDER BY beyond_chance(q_value) DESC, abs(effect) DESC, q_value, token_set`, a.name, index)
}

// mostLinks is how many features a feature's page has each way, excited and inhibited.
const mostLinks = 5

// links are the features that a feature writes to and reads from, where compute --links stored them.
func (s *Server) links(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	way := func(of, other string) ([]row, error) {
		return s.featureRows(ctx, fmt.Sprintf(`SELECT o.load_id AS sae_id, l.%[2]s_feature AS feature, l.direction, l.rank, l.weight, l.z
			FROM feature_links l JOIN saes o ON o.sae = l.%[2]s_sae
			WHERE l.%[1]s_sae = ? AND l.%[1]s_feature = ? AND l.ranked_for = '%[1]s' AND l.rank <= %[3]d
			ORDER BY o.layer, o.sae, l.direction, l.rank`, of, other, mostLinks), []any{a.name, index})
	}
	to, err := way("source", "target")
	if err != nil {
		return nil, err
	}
	from, err := way("target", "source")
	if err != nil {
		return nil, err
	}
	return map[string]any{"writes_to": to, "reads_from": from}, nil
}

// similar are the features of one SAE (of; that of the
// feature where none is named) whose decoder directions are nearest to a feature's.
// They are those that compute --neighbours stored, where it did; otherwise every direction is
// read, 76 MB of an SAE of GPT-2, so the page asks SAE by SAE. similar_features, which runs in any
// client, has the same answers.
func (s *Server) similar(ctx context.Context, q url.Values) (any, error) {
	a, index, err := s.one(ctx, q)
	if err != nil {
		return nil, err
	}
	in := a
	if of := q.Get("of"); of != "" {
		if in, err = s.catalogue.find(of); err != nil {
			return nil, err
		}
		if in.modelID != a.modelID {
			return nil, fmt.Errorf("similar: expected an SAE of model %s, found one of %s", a.model, in.model)
		}
	}
	const k = 10
	stored, err := s.list(ctx, `SELECT pair_id FROM whole_neighbours(?) WHERE sae_id = ? AND other_id = ?`, k, a.id, in.id)
	if err != nil {
		return nil, err
	}
	if len(stored) > 0 {
		return s.featureRows(ctx, `SELECT CAST(? AS INTEGER) AS sae_id, neighbour AS feature, cosine FROM neighbours_of(?, ?, ?)`,
			[]any{in.id, stored[0]["pair_id"], index, k})
	}
	one, err := schema.Output.DirectionOf(ctx, s.db, a.name, "d.feature")
	if err != nil {
		return nil, err
	}
	others, err := schema.Output.DirectionOf(ctx, s.db, in.name, "d.feature")
	if err != nil {
		return nil, err
	}
	// Nothing is left out before the end: DuckDB copies the directions that a condition leaves.
	return s.featureRows(ctx, `SELECT sae_id, feature, cosine FROM (
			SELECT sae_id, feature, decoder_cosine(`+others+`, (SELECT `+one+` FROM stored_decoders d WHERE sae_id = ? AND feature = ?)) AS cosine
			FROM stored_decoders d WHERE sae_id = ? ORDER BY cosine DESC NULLS LAST, feature LIMIT ? + 1
		) WHERE cosine IS NOT NULL AND (sae_id, feature) IS DISTINCT FROM (?, CAST(? AS INTEGER)) ORDER BY cosine DESC, feature LIMIT ?`,
		[]any{a.id, index, in.id, k, a.id, index, k})
}
