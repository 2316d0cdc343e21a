package web

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// How many features a set's page has each way, tokens of the set it begins with, and tokens of
// the set stand beside each feature.
const (
	featuresOfSet = 25
	tokensOfSet   = 300
	mostEvidence  = 6
	mostSets      = 2000 // whose features are kept, 50 rows each
)

// strongestOfSet are the features of the SAEs of a model that promote a set most, and those that
// suppress it most, as strongest_features has them; its argument is the set's id, which is of one
// model. The 25th largest effect of each kind bounds what is sorted: to sort by all that
// decides takes three times as long, and the view enrichment, which has names, twice that. Scores through a
// lens, of negative numbers, are none of them.
var strongestOfSet = `WITH scored AS (
		SELECT sae_id, feature, ` + schema.ScoreEffect + ` AS effect, es, promoted, ` + schema.ScoreQ + ` AS q, beyond_chance(q) AS beyond
		FROM stored_enrichment WHERE set_id = ? AND promoted IS NOT NULL AND sae_id > 0),
	bounds AS (SELECT promoted, beyond, list_last(max(abs(effect), %[1]d)) AS least FROM scored GROUP BY ALL),
	few AS (SELECT s.* FROM scored s JOIN bounds b ON s.promoted = b.promoted AND s.beyond = b.beyond AND coalesce(abs(effect) >= least, true))
	SELECT sae_id, feature, effect, es, CASE WHEN promoted THEN 'promoted' ELSE 'suppressed' END AS direction, q AS q_value, beyond AS beyond_chance
	FROM few JOIN stored_saes USING (sae_id)
	QUALIFY row_number() OVER (PARTITION BY promoted ORDER BY beyond DESC, abs(effect) DESC, q, sae, feature) <= %[1]d
	ORDER BY promoted DESC, beyond DESC, abs(effect) DESC, q, sae, feature`

// strongestFeatures are the rows of strongestOfSet. They are kept, of the first mostSets,
// since a set's page asks for them again with the evidence of each direction.
func (s *Server) strongestFeatures(ctx context.Context, set any) ([]row, error) {
	id := set.(int32)
	if known, ok := s.ofSets.Load(id); ok {
		return copied(known.([]row)), nil
	}
	found, err := s.list(ctx, fmt.Sprintf(strongestOfSet, featuresOfSet), id)
	if err == nil && s.rememberedSets.Add(1) <= mostSets {
		s.ofSets.Store(id, copied(found))
	}
	return found, err
}

// copied are rows that may be changed.
func copied(rows []row) []row {
	own := make([]row, len(rows))
	for i, r := range rows {
		own[i] = maps.Clone(r)
	}
	return own
}

// sets lists the token sets, each with its first tokens and how many features of all SAEs promote and
// suppress it beyond chance, NULL where no baseline tells.
func (s *Server) sets(ctx context.Context, _ url.Values) (any, error) {
	found, err := s.list(ctx, `WITH written AS (
			SELECT model, token_set, `+schema.BeyondChanceIn("promoted")+` AS promoted_by, `+schema.BeyondChanceIn("suppressed")+` AS suppressed_by
			FROM set_enrichment WHERE beyond_chance IS NOT NULL GROUP BY ALL
		)
		SELECT model, family, token_set, len(token_ids) AS size, token_ids[:12] AS first_token_ids, promoted_by, suppressed_by, model_id
		FROM stored_token_sets JOIN stored_models USING (model_id) LEFT JOIN written USING (model, token_set) ORDER BY model, family, token_set`)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		v, err := s.vocabulary(ctx, int(f["model_id"].(int32)))
		if err != nil {
			return nil, err
		}
		f["first_tokens"] = v.texts(f["first_token_ids"], 12)
		delete(f, "model_id")
	}
	return found, nil
}

// set is a token set, its first tokens, what it comes to in each SAE, and the features that promote and
// suppress it most.
func (s *Server) set(ctx context.Context, q url.Values) (any, error) {
	set, v, err := s.tokenSet(ctx, q)
	if err != nil {
		return nil, err
	}
	chosen, err := s.strongestFeatures(ctx, set["set_id"])
	if err != nil {
		return nil, err
	}
	features, err := s.describedRows(ctx, chosen)
	if err != nil {
		return nil, err
	}
	tokens := []row{}
	if ids, ok := set["token_ids"].([]any); ok {
		for _, id := range ids[:min(len(ids), tokensOfSet)] {
			tokens = append(tokens, row{"token_id": id, "text": v.text(id)})
		}
	}
	delete(set, "token_ids")
	delete(set, "set_id")
	saes, err := s.list(ctx, `SELECT sae, layer, direction, beyond_chance, features, feature, effect, q_value
		FROM set_enrichment WHERE model = ? AND token_set = ? ORDER BY layer, sae, direction`, set["model"], set["token_set"])
	if err != nil {
		return nil, err
	}
	return map[string]any{"set": set, "tokens": tokens, "saes": saes, "features": features}, nil
}

// tokenSet is the one that a request names, with all its tokens, and its model's vocabulary.
func (s *Server) tokenSet(ctx context.Context, q url.Values) (set row, v *vocabulary, err error) {
	model, name := q.Get("model"), q.Get("set")
	found, err := s.list(ctx, `SELECT model, family, token_set, description, len(token_ids) AS size, token_ids, set_id, model_id
		FROM stored_token_sets JOIN stored_models USING (model_id) WHERE token_set = ? AND (? = '' OR model = ?) ORDER BY model LIMIT 1`, name, model, model)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		there, err := schema.Collect[string](ctx, s.db, `SELECT DISTINCT token_set FROM token_sets WHERE ? IN ('', model) ORDER BY token_set`, model)
		if err != nil {
			return nil, nil, err
		}
		return nil, nil, missing("token set", name, there)
	}
	v, err = s.vocabulary(ctx, int(found[0]["model_id"].(int32)))
	delete(found[0], "model_id")
	return found[0], v, err
}

// evidence is, for each feature that a set's page has in one direction, the tokens of the set
// that stand furthest out in its ranking: those among the stored tokens of that end, which come
// first; where these are few, the first of the leading edge, for which the whole vocabulary is
// ranked.
func (s *Server) evidence(ctx context.Context, q url.Values) (any, error) {
	set, v, err := s.tokenSet(ctx, q)
	if err != nil {
		return nil, err
	}
	direction := q.Get("direction")
	end := map[string]string{"promoted": "top", "suppressed": "bottom"}[direction]
	if end == "" {
		return nil, fmt.Errorf("direction: expected promoted or suppressed, found %q", direction)
	}
	chosen, err := s.strongestFeatures(ctx, set["set_id"])
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, c := range chosen {
		if c["direction"] == direction {
			keys = append(keys, fmt.Sprintf("(%d, %d)", c["sae_id"], c["feature"]))
		}
	}
	if len(keys) == 0 {
		return []row{}, nil
	}
	found, err := s.storedMembers(ctx, set["token_ids"], end, strings.Join(keys, ", "))
	if err != nil {
		return nil, err
	}
	if err := s.addLeadingEdges(ctx, set, found); err != nil {
		return nil, err
	}
	for _, f := range found {
		members, _ := f["members"].([]any)
		for _, m := range members {
			if m, ok := m.(map[string]any); ok {
				m["text"] = v.text(m["token_id"])
				delete(m, "token")
			}
		}
		f["sae"] = s.catalogue.byID[int(f["sae_id"].(int32))].name
		delete(f, "sae_id")
	}
	return found, nil
}

// storedMembers are the members of a set among the tokens that are stored of one end, top or
// bottom, of features, given by sae_id and feature between brackets; ranked as leading_edge ranks,
// from the highest.
func (s *Server) storedMembers(ctx context.Context, ids any, end, features string) ([]row, error) {
	members, _ := ids.([]any)
	in := make([]int32, 0, len(members))
	for _, id := range members {
		in = append(in, id.(int32))
	}
	rank := map[string]string{"top": "place", "bottom": "counted_tokens + 1 - place"}[end]
	return s.list(ctx, fmt.Sprintf(`SELECT sae_id, feature, any_value(counted_tokens) AS counted_tokens,
			list({'token_id': token_id, 'rank': %[2]s, 'logit_weight': weight} ORDER BY place) FILTER (list_contains(CAST(? AS INTEGER[]), token_id))[:%[3]d] AS members
		FROM (SELECT sae_id, feature, counted_tokens, unnest(%[1]s_token_ids) AS token_id, unnest(%[1]s_logit_weights) AS weight, unnest(range(1, len(%[1]s_token_ids) + 1)) AS place
			FROM stored_statistics JOIN stored_computations USING (sae_id) WHERE (sae_id, feature) IN (%[4]s))
		GROUP BY sae_id, feature`, end, rank, mostEvidence, features), schema.List(in))
}

// addLeadingEdges puts the first of the leading edge where a feature has fewer members than are
// shown, and than the set has; where the weights are not in the database, nothing.
func (s *Server) addLeadingEdges(ctx context.Context, set row, features []row) error {
	size := int(set["size"].(int64))
	var few []string
	of := map[string]row{}
	for _, f := range features {
		if members, _ := f["members"].([]any); len(members) < min(mostEvidence, size) {
			key := fmt.Sprintf("(%d, %d)", f["sae_id"], f["feature"])
			few, of[key] = append(few, key), f
		}
	}
	if len(few) == 0 {
		return nil
	}
	// Where the rows are is looked up first, so that no weights but theirs are read; in one order they
	// come to leading_edge together, which reads the unembedding once for all of them.
	found, err := s.list(ctx, fmt.Sprintf(`WITH places AS MATERIALIZED (SELECT rowid AS place FROM stored_decoders WHERE (sae_id, feature) IN (%[1]s)),
		directions AS MATERIALIZED (SELECT d.sae_id, d.feature, `+schema.WeightsWherever[schema.DecoderReader]+` AS direction, c.tokens
			FROM stored_decoders d JOIN stored_saes s USING (sae_id) JOIN stored_computations c USING (sae_id)
			WHERE d.rowid IN (SELECT place FROM places) AND (w_dec IS NOT NULL OR sae_id IN (SELECT sae_id FROM stored_in_place))
			ORDER BY d.sae_id, d.feature LIMIT %[2]d)
		SELECT sae_id, feature, leading_edge(direction, ?, ?, tokens)[:%[3]d] AS members FROM directions`,
		strings.Join(few, ", "), len(few), mostEvidence), set["model"], set["token_set"])
	for _, f := range found {
		of[fmt.Sprintf("(%d, %d)", f["sae_id"], f["feature"])]["members"] = f["members"]
	}
	return err
}

// promoters are the features of one SAE that promote a token set most, or suppress it most.
func (s *Server) promoters(ctx context.Context, q url.Values) (any, error) {
	a, err := s.catalogue.find(q.Get("sae"))
	if err != nil {
		return nil, err
	}
	direction := q.Get("direction")
	if direction == "" {
		direction = "promoted"
	}
	return s.list(ctx, `SELECT feature, effect, q_value FROM strongest_features(?, k := 4, of_sae := ?)
		WHERE direction = ?`, q.Get("set"), a.name, direction)
}
