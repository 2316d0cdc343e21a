package web

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/figures"
)

// A row is one of a list, by column.
type row map[string]any

// list returns the rows of a query of ours.
func (s *Server) list(ctx context.Context, query string, args ...any) ([]row, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	out := []row{}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		one := row{}
		for i, c := range columns {
			if at, ok := values[i].(time.Time); ok {
				values[i] = at.UTC().Format("2006-01-02 15:04")
			}
			one[c] = values[i]
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// overview is what is loaded, for the first page and the filters.
func (s *Server) overview(r *http.Request) (any, error) {
	saes, err := s.list(r.Context(), `SELECT s.release, s.sae, s.model, s.layer, s.hook, s.architecture, s.d_sae AS features, s.tokens, l.source, l.sha256, l.loaded_at
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

// sortable are the columns that features may be sorted and bounded by.
var sortable = map[string]bool{
	"layer": true, "feature": true, "mean": true, "std": true, "skewness": true, "kurtosis": true, "log_sparsity": true,
	"cos_mean": true, "cos_std": true, "cos_skewness": true, "cos_kurtosis": true,
}

// mostRows is how many rows a page of features has at most.
const mostRows = 500

// features is one page of the table of features: filtered, sorted and cut in SQL.
// token is a part of the text of one of the ten highest tokens; min_X and max_X
// bound a statistic.
func (s *Server) features(r *http.Request) (any, error) {
	q := r.URL.Query()
	where, args, err := featureFilter(q)
	if err != nil {
		return nil, err
	}
	order := q.Get("sort")
	if order == "" {
		order = "skewness"
	}
	if !sortable[order] {
		return nil, fmt.Errorf("sort: no column %q", order)
	}
	direction := "DESC"
	if q.Get("order") == "asc" {
		direction = "ASC"
	}
	offset, err := number(q, "offset", 0, 1<<31)
	if err != nil {
		return nil, err
	}
	limit, err := number(q, "limit", 50, mostRows)
	if err != nil {
		return nil, err
	}
	counted := make(chan error, 1)
	var total int64
	go func() {
		var err error
		total, err = s.count(r.Context(), where, args)
		counted <- err
	}()
	rows, err := s.featureRows(r.Context(), fmt.Sprintf(`SELECT release, sae, feature FROM features WHERE %s
		ORDER BY %s %s NULLS LAST, release, sae, feature LIMIT %d OFFSET %d`, where, order, direction, limit, offset), args)
	if err = errors.Join(err, <-counted); err != nil {
		return nil, err
	}
	return map[string]any{"total": total, "rows": rows}, nil
}

// count is how many features a filter leaves. It is remembered: the database does
// not change while it is served, and each page of a table asks again.
func (s *Server) count(ctx context.Context, where string, args []any) (total int64, err error) {
	key := fmt.Sprintf("%s %q", where, args)
	if known, ok := s.counts.Load(key); ok {
		return known.(int64), nil
	}
	err = s.db.QueryRowContext(ctx, `SELECT count(*) FROM features WHERE `+where, args...).Scan(&total)
	if err == nil && s.counted.Add(1) < mostCounts {
		s.counts.Store(key, total)
	}
	return total, err
}

// mostCounts is how many counts are remembered.
const mostCounts = 10_000

// featureRows are the features that a query of ours chooses, in its order, with
// the columns that it gives and those of the table of features. Only their lists of
// tokens are read, and not those of all features.
func (s *Server) featureRows(ctx context.Context, query string, args []any) ([]row, error) {
	chosen, err := s.list(ctx, query, args...)
	if err != nil || len(chosen) == 0 {
		return chosen, err
	}
	type key struct{ release, sae, feature any }
	place := map[key]row{}
	var indices []string
	var pairs []any
	for _, c := range chosen {
		place[key{c["release"], c["sae"], c["feature"]}] = c
		indices = append(indices, fmt.Sprint(c["feature"]))
		pairs = append(pairs, c["release"], c["sae"])
	}
	found, err := s.list(ctx, `SELECT release, sae, layer, feature, mean, std, skewness, kurtosis, log_sparsity, top_tokens, bottom_tokens, neuronpedia_url
		FROM features WHERE feature IN (`+strings.Join(indices, ", ")+`) AND (release, sae) IN (`+strings.Repeat("(?, ?), ", len(chosen)-1)+`(?, ?))`, pairs...)
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		if c, ok := place[key{f["release"], f["sae"], f["feature"]}]; ok {
			maps.Copy(c, f)
		}
	}
	return chosen, nil
}

func featureFilter(q url.Values) (where string, args []any, err error) {
	conditions := []string{"true"}
	for _, column := range []string{"release", "sae", "model"} {
		if v := q.Get(column); v != "" {
			conditions, args = append(conditions, column+" = ?"), append(args, v)
		}
	}
	if v := q.Get("layer"); v != "" {
		layer, err := strconv.Atoi(v)
		if err != nil {
			return "", nil, fmt.Errorf("layer: expected a number, found %q", v)
		}
		conditions, args = append(conditions, "layer = ?"), append(args, layer)
	}
	if v := q.Get("token"); v != "" {
		conditions, args = append(conditions, "contains(lower(array_to_string(top_tokens, chr(31))), lower(?))"), append(args, v)
	}
	for _, key := range slices.Sorted(maps.Keys(q)) {
		column, isMin := strings.CutPrefix(key, "min_")
		compare := ">="
		if !isMin {
			var isMax bool
			if column, isMax = strings.CutPrefix(key, "max_"); !isMax {
				continue
			}
			compare = "<="
		}
		if q.Get(key) == "" {
			continue
		}
		bound, err := strconv.ParseFloat(q.Get(key), 64)
		if err != nil || !sortable[column] {
			return "", nil, fmt.Errorf("%s: expected a number for a statistic, found %q", key, q.Get(key))
		}
		conditions, args = append(conditions, column+" "+compare+" ?"), append(args, bound)
	}
	return strings.Join(conditions, " AND "), args, nil
}

// number reads a whole number of at most most.
func number(q url.Values, key string, otherwise, most int) (int, error) {
	v := q.Get(key)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > most {
		return 0, fmt.Errorf("%s: expected a number up to %d, found %q", key, most, v)
	}
	return n, nil
}

// one reads which feature a request is about.
func one(r *http.Request) (release, sae string, feature int, err error) {
	q := r.URL.Query()
	feature, err = number(q, "feature", -1, 1<<31-1)
	if err == nil && feature < 0 {
		err = errors.New("feature: expected a number")
	}
	return q.Get("release"), q.Get("sae"), feature, err
}

// feature is all that is stored of one feature.
func (s *Server) feature(r *http.Request) (any, error) {
	release, sae, index, err := one(r)
	if err != nil {
		return nil, err
	}
	found, err := s.list(r.Context(), `SELECT release, sae, model, hook, layer, feature, mean, std, skewness, kurtosis,
			cos_mean, cos_std, cos_skewness, cos_kurtosis, log_sparsity, neuronpedia_url
		FROM features WHERE release = ? AND sae = ? AND feature = ?`, release, sae, index)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &notFound{fmt.Sprintf("feature %d of %s", index, sae)}
	}
	tokens, err := s.list(r.Context(), `SELECT direction, rank, token_id, token, text, logit_weight FROM feature_tokens
		WHERE release = ? AND sae = ? AND feature = ? ORDER BY direction, rank`, release, sae, index)
	if err != nil {
		return nil, err
	}
	enrichment, err := s.list(r.Context(), `SELECT token_set, size, es, direction, p_value, q_value, auc FROM release_enrichment
		WHERE release = ? AND sae = ? AND feature = ? ORDER BY p_value, es DESC, token_set LIMIT 40`, release, sae, index)
	if err != nil {
		return nil, err
	}
	return map[string]any{"feature": found[0], "tokens": tokens, "enrichment": enrichment}, nil
}

// similar are the features whose decoder directions are nearest; it reads every
// decoder, so the page asks for it after the rest.
func (s *Server) similar(r *http.Request) (any, error) {
	release, sae, index, err := one(r)
	if err != nil {
		return nil, err
	}
	return s.featureRows(r.Context(), `WITH one AS (SELECT model, w_dec FROM decoder_directions WHERE release = ? AND sae = ? AND feature = ?)
		SELECT d.release, d.sae, d.feature, list_cosine_similarity(d.w_dec, one.w_dec) AS cosine
		FROM decoder_directions d JOIN one ON d.model = one.model
		WHERE (d.release, d.sae, d.feature) IS DISTINCT FROM (?, ?, CAST(? AS INTEGER)) ORDER BY cosine DESC LIMIT 10`,
		[]any{release, sae, index, release, sae, index})
}

// sets lists the token sets.
func (s *Server) sets(r *http.Request) (any, error) {
	return s.list(r.Context(), `SELECT model, family, token_set, any_value(size) AS size,
			list(coalesce(nullif(text, ''), token) ORDER BY token_id)[:12] AS first_tokens
		FROM token_sets JOIN token_set_members USING (model, family, token_set) GROUP BY ALL ORDER BY ALL`)
}

// set is a token set, its first tokens, and the features that promote it most.
func (s *Server) set(r *http.Request) (any, error) {
	model, name := r.URL.Query().Get("model"), r.URL.Query().Get("set")
	found, err := s.list(r.Context(), `SELECT model, family, token_set, size FROM token_sets WHERE token_set = ? AND (? = '' OR model = ?)`, name, model, model)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, &notFound{"token set " + name}
	}
	tokens, err := s.list(r.Context(), `SELECT token_id, token, text FROM token_set_members WHERE token_set = ? AND model = ? ORDER BY token_id LIMIT 300`, name, found[0]["model"])
	if err != nil {
		return nil, err
	}
	features, err := s.featureRows(r.Context(), `SELECT release, sae, feature, es, direction, q_value, auc
		FROM release_enrichment WHERE token_set = ? ORDER BY p_value, es DESC, release, sae, feature LIMIT 50`, []any{name})
	if err != nil {
		return nil, err
	}
	return map[string]any{"set": found[0], "tokens": tokens, "features": features}, nil
}

// figure draws any figure of saedb plot; q is a query of the user's.
func (s *Server) figure(r *http.Request) (any, error) {
	q := r.URL.Query()
	request := figures.Request{Name: q.Get("name"), SAE: q.Get("sae"), Sets: q["set"], Score: q.Get("score"), Statistic: q.Get("statistic"), Feature: -1}
	if sae := q.Get("sae"); sae != "" {
		request.SAE = literal(sae)
		if release := q.Get("release"); release != "" {
			request.SAE = literal(release + "/" + sae)
		}
	}
	var err error
	if q.Get("feature") != "" {
		if request.Feature, err = number(q, "feature", -1, 1<<31-1); err != nil {
			return nil, err
		}
	}
	if q.Get("q") == "" {
		return s.build(r.Context(), request)
	}
	var f *figures.Figure
	err = s.exclusively(r, func(ctx context.Context, query string) error {
		request.Query = query
		f, err = figures.Build(ctx, s.db.DB, request)
		return err
	})
	return f, err
}

// build reads a figure of ours. Its functions stop when a user's query that runs
// meanwhile is stopped; then it is read again.
func (s *Server) build(ctx context.Context, request figures.Request) (*figures.Figure, error) {
	f, err := figures.Build(ctx, s.db.DB, request)
	if err != nil && ctx.Err() == nil && (errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "context ")) {
		return figures.Build(ctx, s.db.DB, request)
	}
	return f, err
}

// literal returns the glob that matches s alone.
func literal(s string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(s)
}
