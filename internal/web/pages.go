package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
)

// A row is one of a list, by column.
type row map[string]any

// list returns the rows of a query of ours.
func (s *Server) list(ctx context.Context, query string, args ...any) ([]row, error) {
	columns, rows, err := schema.Values(ctx, s.db, query, args...)
	if err != nil {
		return nil, err
	}
	out := make([]row, len(rows))
	for i, values := range rows {
		out[i] = row{}
		for j, v := range values {
			if at, ok := v.(time.Time); ok {
				v = at.UTC().Format("2006-01-02 15:04")
			}
			out[i][columns[j]] = v
		}
	}
	return out, nil
}

// overview is what is loaded, for the first page and the filters.
func (s *Server) overview(r *http.Request) (any, error) {
	saes, err := s.list(r.Context(), `SELECT s.sae, s.release, s.model, s.layer, s.hook, s.architecture, s.d_sae AS features, s.tokens, l.source, l.sha256, l.loaded_at
		FROM saes s JOIN loads l USING (load_id) ORDER BY s.release, s.layer, s.sae`)
	if err != nil {
		return nil, err
	}
	models, err := s.list(r.Context(), `SELECT m.model, m.architecture, m.d_model, m.d_vocab AS tokens, l.source, l.sha256, l.loaded_at
		FROM models m JOIN loads l USING (load_id) ORDER BY m.model`)
	if err != nil {
		return nil, err
	}
	return map[string]any{"database": s.database, "version": saedb.Version, "saes": saes, "models": models}, nil
}

// layers is how many features of each SAE write something beyond chance. Every score is read.
func (s *Server) layers(r *http.Request) (any, error) {
	return s.list(r.Context(), `SELECT sae, beyond_chance, expected_by_chance FROM layers`)
}

// one reads which feature a request is about.
func one(r *http.Request) (sae string, feature int, err error) {
	q := r.URL.Query()
	feature, err = number(q, "feature", -1, 1<<31-1)
	if err == nil && feature < 0 {
		err = errors.New("feature: expected a number")
	}
	return q.Get("sae"), feature, err
}

// feature is all that is stored of one feature.
func (s *Server) feature(r *http.Request) (any, error) {
	name, index, err := one(r)
	if err != nil {
		return nil, err
	}
	a, err := s.catalogue.find(name)
	if err != nil {
		return nil, err
	}
	found, err := s.list(r.Context(), `SELECT sae, release, model, hook, layer, feature, label, role, `+strings.Join(schema.MomentColumns, ", ")+`,
			log_sparsity, neuronpedia_url
		FROM features WHERE sae = ? AND feature = ?`, a.name, index)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &notFound{fmt.Sprintf("feature %d of %s; it has 0 to %d", index, name, a.features-1)}
	}
	tokens, err := s.ends(r.Context(), a, index)
	if err != nil {
		return nil, err
	}
	enrichment, err := s.list(r.Context(), `SELECT token_set, size, effect, es, direction, p_value, q_value, auc, beyond_chance
		FROM strongest_of_feature(?, ?, k := 20)`, a.name, index)
	if err != nil {
		return nil, err
	}
	explanations, err := s.list(r.Context(), `SELECT description, type, explainer FROM explanations
		WHERE sae = ? AND feature = ? ORDER BY ALL`, a.name, index)
	if err != nil {
		return nil, err
	}
	return map[string]any{"feature": found[0], "tokens": tokens, "enrichment": enrichment, "explanations": explanations}, nil
}

// ends are the highest and the lowest tokens of a feature, with their logit weights.
func (s *Server) ends(ctx context.Context, a *sae, feature int) ([]row, error) {
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return nil, err
	}
	found, err := s.list(ctx, `SELECT direction, unnest(range(1, len(ids) + 1)) AS rank, unnest(ids) AS token_id, unnest(weights) AS logit_weight FROM (
			SELECT 'promoted' AS direction, top_token_ids AS ids, top_logit_weights AS weights FROM stored_statistics WHERE sae_id = $1 AND feature = $2
			UNION ALL SELECT 'suppressed', bottom_token_ids, bottom_logit_weights FROM stored_statistics WHERE sae_id = $1 AND feature = $2
		) ORDER BY direction, rank`, a.id, feature)
	for _, f := range found {
		f["text"] = v.text(f["token_id"])
	}
	return found, err
}

// similar are the features of one SAE (of; that of the
// feature where none is named) whose decoder directions are nearest to a feature's.
// They are those that compute --neighbours stored, where it did; otherwise every direction is
// read, 76 MB of an SAE of GPT-2, so the page asks SAE by SAE. similar_features, which runs in any
// client, has the same answers.
func (s *Server) similar(r *http.Request) (any, error) {
	name, index, err := one(r)
	if err != nil {
		return nil, err
	}
	a, err := s.catalogue.find(name)
	if err != nil {
		return nil, err
	}
	in := a
	if of := r.URL.Query().Get("of"); of != "" {
		if in, err = s.catalogue.find(of); err != nil {
			return nil, err
		}
		if in.modelID != a.modelID {
			return nil, fmt.Errorf("similar: expected an SAE of model %s, found one of %s", a.model, in.model)
		}
	}
	const k = 10
	stored, err := s.list(r.Context(), `SELECT pair_id FROM whole_neighbours(?) WHERE sae_id = ? AND other_id = ?`, k, a.id, in.id)
	if err != nil {
		return nil, err
	}
	if len(stored) > 0 {
		return s.featureRows(r.Context(), `SELECT CAST(? AS INTEGER) AS sae_id, neighbour AS feature, cosine FROM neighbours_of(?, ?, ?)`,
			[]any{in.id, stored[0]["pair_id"], index, k})
	}
	// Nothing is left out before the end: DuckDB copies the directions that a condition leaves.
	return s.featureRows(r.Context(), `SELECT sae_id, feature, cosine FROM (
			SELECT sae_id, feature, decoder_cosine(w_dec, (SELECT w_dec FROM stored_decoders WHERE sae_id = ? AND feature = ?)) AS cosine
			FROM stored_decoders WHERE sae_id = ? ORDER BY cosine DESC NULLS LAST, feature LIMIT ? + 1
		) WHERE cosine IS NOT NULL AND (sae_id, feature) IS DISTINCT FROM (?, CAST(? AS INTEGER)) ORDER BY cosine DESC, feature LIMIT ?`,
		[]any{a.id, index, in.id, k, a.id, index, k})
}

// sets lists the token sets, each with its first tokens.
func (s *Server) sets(r *http.Request) (any, error) {
	found, err := s.list(r.Context(), `SELECT model, family, token_set, len(token_ids) AS size, token_ids[:12] AS first_tokens, model_id
		FROM stored_token_sets JOIN stored_models USING (model_id) ORDER BY model, family, token_set`)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		v, err := s.vocabulary(r.Context(), int(f["model_id"].(int32)))
		if err != nil {
			return nil, err
		}
		f["first_tokens"] = v.texts(f["first_tokens"], 12)
		delete(f, "model_id")
	}
	return found, nil
}

// set is a token set, its first tokens, and the features that promote and suppress it most.
func (s *Server) set(r *http.Request) (any, error) {
	model, name := r.URL.Query().Get("model"), r.URL.Query().Get("set")
	found, err := s.list(r.Context(), `SELECT model, family, token_set, len(token_ids) AS size, token_ids[:300] AS tokens, model_id
		FROM stored_token_sets JOIN stored_models USING (model_id) WHERE token_set = ? AND (? = '' OR model = ?) ORDER BY model LIMIT 1`, name, model, model)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		there, err := schema.Collect[string](r.Context(), s.db, `SELECT DISTINCT token_set FROM token_sets WHERE ? IN ('', model) ORDER BY token_set`, model)
		if err != nil {
			return nil, err
		}
		return nil, missing("token set", name, there)
	}
	set := found[0]
	v, err := s.vocabulary(r.Context(), int(set["model_id"].(int32)))
	if err != nil {
		return nil, err
	}
	features, err := s.featureRows(r.Context(), `SELECT s.load_id AS sae_id, f.feature, f.effect, f.es, f.direction, f.q_value, f.beyond_chance
		FROM strongest_features(?, k := 25) f JOIN saes s USING (sae) WHERE f.model = ?
		ORDER BY f.direction, f.beyond_chance DESC, abs(f.effect) DESC, f.q_value, f.sae, f.feature`, []any{name, set["model"]})
	if err != nil {
		return nil, err
	}
	tokens := v.texts(set["tokens"], 300)
	for _, c := range []string{"tokens", "model_id"} {
		delete(set, c)
	}
	return map[string]any{"set": set, "tokens": tokens, "features": features}, nil
}

// promoters are the features of one SAE that promote a token set most.
func (s *Server) promoters(r *http.Request) (any, error) {
	q := r.URL.Query()
	a, err := s.catalogue.find(q.Get("sae"))
	if err != nil {
		return nil, err
	}
	return s.list(r.Context(), `SELECT feature, effect, q_value FROM strongest_features(?, k := 4, of_sae := ?)
		WHERE direction = 'promoted'`, q.Get("set"), a.name)
}
