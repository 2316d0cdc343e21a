package web

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// mostListed is how many features a request may list by their indices: those of a whole map.
const mostListed = mostMapped

// listed leaves the features whose indices a request lists, with commas between.
func (f *featureFilter) listed(q url.Values) error {
	if q.Get("features") == "" {
		return nil
	}
	texts := strings.Split(q.Get("features"), ",")
	if len(texts) > mostListed {
		return fmt.Errorf("features: expected at most %d indices, found %d", mostListed, len(texts))
	}
	indices := make([]int, len(texts))
	for i, text := range texts {
		var err error
		if indices[i], err = strconv.Atoi(text); err != nil || indices[i] < 0 || indices[i] > 1<<31-1 {
			return fmt.Errorf("features: expected indices with commas between, found %q", text)
		}
	}
	slices.Sort(indices)
	f.conditions = append(f.conditions, "feature IN ("+joinInts(slices.Compact(indices))+")")
	return nil
}

// A cloud is the features that a request leaves by two statistics, x and y, in the order of SAE and
// index: mostPoints of them where they are more, the same each time.
type cloud struct {
	Statistics []string  `json:"statistics"` // what x and y may be
	Total      int64     `json:"total"`      // with a number for both
	SAEs       []string  `json:"saes"`
	Layers     []any     `json:"layers"` // of SAEs
	SAEOf      []int     `json:"sae_of"` // places in SAEs
	Feature    []int32   `json:"feature"`
	X          []float64 `json:"x"`
	Y          []float64 `json:"y"`
}

// scatter is what the features of a filter are drawn by, as points.
func (s *Server) scatter(ctx context.Context, q url.Values) (any, error) {
	x, y := cmp.Or(q.Get("x"), "skewness"), cmp.Or(q.Get("y"), "kurtosis")
	statistics := slices.Concat(ofStatistics, ofDecoders)
	for name, column := range map[string]string{"x": x, "y": y} {
		if !slices.Contains(statistics, column) {
			return nil, fmt.Errorf("%s: expected one of %s, found %q", name, strings.Join(statistics, ", "), column)
		}
	}
	f, err := s.featureFilter(ctx, q)
	if err != nil {
		return nil, err
	}
	c := &cloud{Statistics: statistics, SAEs: []string{}, Layers: []any{}, SAEOf: []int{}, Feature: []int32{}, X: []float64{}, Y: []float64{}}
	if f.none {
		return c, nil
	}
	type row struct {
		sae, feature int32
		x, y         float64
		total        int64
	}
	// A multiplication by an odd number mixes the order of the indices, and is the same everywhere.
	rows, err := schema.Rows(ctx, s.db, func(r *row) []any { return []any{&r.sae, &r.feature, &r.x, &r.y, &r.total} }, fmt.Sprintf(
		`WITH found AS MATERIALIZED (SELECT sae_id, feature, CAST(%s AS DOUBLE) AS x, CAST(%s AS DOUBLE) AS y FROM %s WHERE %s)
		SELECT sae_id, feature, x, y, (SELECT count(*) FROM found WHERE isfinite(x) AND isfinite(y)) AS total FROM found WHERE isfinite(x) AND isfinite(y)
		ORDER BY (CAST(feature AS BIGINT) * 2654435761 + sae_id * 40503) %% 4294967296, sae_id, feature LIMIT %d`,
		x, y, f.from(s.catalogue.computed, x, y), f.where(), mostPoints), f.arguments()...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.sae, b.sae), cmp.Compare(a.feature, b.feature)) })
	for _, one := range rows {
		a := s.catalogue.byID[int(one.sae)]
		if len(c.SAEs) == 0 || c.SAEs[len(c.SAEs)-1] != a.name {
			c.SAEs, c.Layers = append(c.SAEs, a.name), append(c.Layers, a.layerOrNil())
		}
		c.Total, c.SAEOf, c.Feature = one.total, append(c.SAEOf, len(c.SAEs)-1), append(c.Feature, one.feature)
		c.X, c.Y = append(c.X, one.x), append(c.Y, one.y)
	}
	return c, nil
}
