package web

import (
	"context"
	"net/url"

	"github.com/saedb/saedb/internal/figures"
	schema "github.com/saedb/saedb/sql"
)

// mostPoints bounds the points of a figure; it is less than a megabyte then.
const mostPoints = 5000

// figure draws any figure of saedb plot, or with a mark a chart of any columns; q is a query of
// the user's.
func (s *Server) figure(ctx context.Context, q url.Values) (any, error) {
	if q.Has("mark") {
		chart := figures.Chart{Mark: q.Get("mark"), X: q.Get("x"), Y: q.Get("y"), Color: q.Get("color")}
		return s.box.Chart(ctx, chart, q.Get("q"))
	}
	request := figures.Request{
		Name: q.Get("name"), SAE: q.Get("sae"), Lens: q.Get("lens"), Sets: q["set"], Score: q.Get("score"), Statistic: q.Get("statistic"), Feature: -1, MostPoints: mostPoints,
	}
	var err error
	if q.Get("feature") != "" {
		if request.Feature, err = number(q, "feature", -1, 1<<31-1); err != nil {
			return nil, err
		}
	}
	if q.Get("q") != "" {
		return s.box.Figure(ctx, request, q.Get("q"))
	}
	request.SAEs, request.EndTokens = s.catalogue.drawn(request.SAE), s.endTokens
	request.StrongestSets = s.strongestSets
	return figures.Build(ctx, s.db.DB, request)
}

// endTokens are the tokens that features of an SAE promote and suppress, read as ids.
func (s *Server) endTokens(ctx context.Context, name string, features []int64) (top, bottom [][]string, err error) {
	a, err := s.catalogue.find(name)
	if err != nil {
		return nil, nil, err
	}
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return nil, nil, err
	}
	type row struct {
		feature         int64
		highest, lowest any
	}
	rows, err := schema.Rows(ctx, s.db, func(r *row) []any { return []any{&r.feature, &r.highest, &r.lowest} },
		`SELECT feature, top_token_ids[:6], bottom_token_ids[:6] FROM stored_statistics
		WHERE sae_id = ? AND feature IN (SELECT unnest(CAST(? AS INTEGER[])))`, a.id, schema.List(features))
	of := map[int64][2][]string{}
	for _, r := range rows {
		of[r.feature] = [2][]string{v.texts(r.highest, 6), v.texts(r.lowest, 6)}
	}
	for _, feature := range features {
		top, bottom = append(top, of[feature][0]), append(bottom, of[feature][1])
	}
	return top, bottom, err
}
