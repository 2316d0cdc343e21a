package web

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// mostBins is how many bars a facet's histogram has at most, but for those at its ends.
const mostBins = 24

// filterMeaning leaves the features whose label contains a text, in capitals or not, those of a
// role, those that somebody has noted, and those that promote or suppress a token set beyond chance.
func (s *Server) filterMeaning(ctx context.Context, q url.Values, f *featureFilter) error {
	if err := s.filterNoted(ctx, q, f); err != nil {
		return err
	}
	if role := q.Get("role"); role != "" {
		if !slices.Contains(schema.Roles, role) {
			return missing("role", role, schema.Roles)
		}
		f.conditions, f.values, f.columns = append(f.conditions, schema.Role+" = ?"), append(f.values, role), append(f.columns, "cos_kurtosis")
	}
	if text := q.Get("label"); text != "" {
		f.conditions = append(f.conditions, `(sae_id, feature) IN (SELECT (sae_id, feature) FROM stored_labels WHERE contains(lower(label), lower(?))
			UNION ALL SELECT (sae_id, feature) FROM stored_input_labels WHERE contains(lower(label), lower(?)))`)
		f.values = append(f.values, text, text)
	}
	name, direction := q.Get("set"), q.Get("direction")
	if direction != "" && (name == "" || direction != "promoted" && direction != "suppressed") {
		return fmt.Errorf("direction: expected promoted or suppressed, with a set, found %q", direction)
	}
	if name == "" {
		return nil
	}
	ids, err := s.setIDs(ctx, name, q.Get("model"))
	if err != nil {
		return err
	}
	way := map[string]string{"promoted": " AND promoted", "suppressed": " AND NOT promoted"}[direction]
	f.conditions = append(f.conditions, fmt.Sprintf(`(sae_id, feature) IN (SELECT (sae_id, feature) FROM stored_enrichment
		WHERE set_id IN (%s)%s AND `+schema.ScoreBeyondChance+`)`, strings.Trim(schema.List(ids), "[]"), way))
	return nil
}

// setIDs are the numbers of the token sets of a name, of a model or, where none is named, of each.
func (s *Server) setIDs(ctx context.Context, name, model string) (ids []int32, err error) {
	type set struct {
		id   int32
		name string
	}
	sets, err := schema.Rows(ctx, s.db, func(t *set) []any { return []any{&t.id, &t.name} }, `SELECT set_id, token_set FROM stored_token_sets
		JOIN stored_models USING (model_id) WHERE ? IN ('', model) ORDER BY token_set`, model)
	if err != nil {
		return nil, err
	}
	var there []string
	for _, t := range sets {
		if there = append(there, t.name); t.name == name {
			ids = append(ids, t.id)
		}
	}
	if len(ids) == 0 {
		return nil, missing("token set", name, slices.Compact(there))
	}
	return ids, nil
}

// facets are what the features that a request leaves are of: how many each SAE has, and
// histograms of statistics. Each is without the filters of its own, so that it shows what
// another choice would leave.
func (s *Server) facets(ctx context.Context, q url.Values) (any, error) {
	f, err := s.featureFilter(ctx, without(q, "sae", "layer", "min_layer", "max_layer"))
	if err != nil {
		return nil, err
	}
	counts := []row{}
	if !f.none {
		counts, err = s.list(ctx, "SELECT sae_id, count(*) AS features FROM "+f.from(s.catalogue.computed)+" WHERE "+f.where()+" GROUP BY sae_id ORDER BY sae_id", f.arguments()...)
		if err != nil {
			return nil, err
		}
	}
	for _, c := range counts {
		a := s.catalogue.byID[int(c["sae_id"].(int32))]
		c["sae"], c["layer"] = a.name, a.layerOrNil()
		delete(c, "sae_id")
	}
	roles, err := s.countRoles(ctx, q)
	if err != nil {
		return nil, err
	}
	histograms := map[string]any{}
	for _, statistic := range []string{"skewness", "kurtosis"} {
		f, err := s.featureFilter(ctx, without(q, "min_"+statistic, "max_"+statistic))
		if err != nil {
			return nil, err
		}
		if histograms[statistic], err = s.histogram(ctx, f, statistic); err != nil {
			return nil, err
		}
	}
	return map[string]any{"saes": counts, "roles": roles, "histograms": histograms}, nil
}

// countRoles counts the features of each role, in the order of all roles.
func (s *Server) countRoles(ctx context.Context, q url.Values) ([]row, error) {
	f, err := s.featureFilter(ctx, without(q, "role"))
	if err != nil || f.none {
		return []row{}, err
	}
	counted, err := s.list(ctx, "SELECT role, count(*) AS features FROM (SELECT "+schema.Role+" AS role FROM "+f.from(s.catalogue.computed, "cos_kurtosis")+
		" WHERE "+f.where()+") WHERE role IS NOT NULL GROUP BY role", f.arguments()...)
	place := func(r row) int { return slices.Index(schema.Roles, r["role"].(string)) }
	slices.SortFunc(counted, func(a, b row) int { return place(a) - place(b) })
	return counted, err
}

func without(q url.Values, keys ...string) url.Values {
	left := maps.Clone(q)
	for _, k := range keys {
		left.Del(k)
	}
	return left
}

// A bin is the features whose statistic is from From on and below To; nil where nothing bounds it.
type bin struct {
	From     *float64 `json:"from"`
	To       *float64 `json:"to"`
	Features int64    `json:"features"`
}

// histogram counts the features of a filter by a statistic, in bins with round limits over the
// middle 99 %; the first and the last have what is beyond.
func (s *Server) histogram(ctx context.Context, f *featureFilter, statistic string) ([]bin, error) {
	if f.none {
		return []bin{}, nil
	}
	from := f.from(s.catalogue.computed, statistic) + " WHERE " + f.where() + " AND isfinite(" + statistic + ")"
	var low, high *float64
	err := s.db.QueryRowContext(ctx, fmt.Sprintf("SELECT quantile_cont(%[1]s, 0.005), quantile_cont(%[1]s, 0.995) FROM %[2]s", statistic, from), f.arguments()...).Scan(&low, &high)
	if err != nil || low == nil {
		return []bin{}, err
	}
	width := roundWidth((*high - *low) / mostBins)
	first := math.Floor(*low / width)
	last := math.Max(math.Floor(*high/width), first)
	type row struct {
		at       float64
		features int64
	}
	counted, err := schema.Rows(ctx, s.db, func(r *row) []any { return []any{&r.at, &r.features} },
		fmt.Sprintf("SELECT least(greatest(floor(%s / %g), %g), %g) AS bin, count(*) FROM %s GROUP BY bin", statistic, width, first, last, from), f.arguments()...)
	if err != nil {
		return nil, err
	}
	limit := func(i float64) *float64 { // without what float64 adds to a round number
		v := math.Round(i*width*1e9) / 1e9
		return &v
	}
	var bins []bin
	for at := first; at <= last; at++ {
		b := bin{From: limit(at), To: limit(at + 1)}
		if i := slices.IndexFunc(counted, func(r row) bool { return r.at == at }); i >= 0 {
			b.Features = counted[i].features
		}
		bins = append(bins, b)
	}
	bins[0].From, bins[len(bins)-1].To = nil, nil
	return bins, nil
}

// roundWidth is the least of 1, 2 and 5 times a power of ten that is not below a width.
func roundWidth(width float64) float64 {
	if !(width > 0) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(width)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= width {
			return m * power
		}
	}
	return 10 * power
}
