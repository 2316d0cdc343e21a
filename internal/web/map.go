package web

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"slices"

	"github.com/saedb/saedb/internal/figures"
	schema "github.com/saedb/saedb/sql"
)

// What a map is bounded to. A browser lays out usualMapped features in seconds and mostMapped,
// those of an SAE of GPT-2, in a minute; of an SAE of more a seeded sample is laid out, whose
// features keep those of their neighbours that are in it.
const (
	mostMapped    = 24_576
	usualMapped   = 8_192
	mapNeighbours = 10
	mapTokens     = 3 // that hovering shows
	mapSeed       = 1
)

// layoutLibrary is where a page's worker finds umap-js, where the program was built with it.
const layoutLibrary = "/umap.js"

// withLayoutLicences are the licences of what the explorer's pages are drawn with.
func withLayoutLicences() ([]byte, error) {
	charts, err := figures.Licences()
	if err != nil {
		return nil, err
	}
	layouts, err := assets.ReadFile("assets/umap/LICENSES.txt")
	return slices.Concat(charts, []byte("\n\n"), layouts), err
}

// leastDistance is that of equal directions: UMAP takes a distance of 0 for a point's to itself.
const leastDistance = 1e-6

// A layout is what the browser lays an SAE's features out by, and what it says of each. The lists
// are as long as Feature, whose order is that of the indices.
type layout struct {
	SAE        string      `json:"sae"`
	Features   int         `json:"features"` // of the SAE
	Zero       int         `json:"zero"`     // without a neighbour: their direction is zero
	Apart      int         `json:"apart"`    // in the sample, and with no neighbour there
	Sampled    bool        `json:"sampled"`
	Stored     int         `json:"stored"` // neighbours of each feature
	Mean       float64     `json:"mean"`   // neighbours of each feature that are used
	Feature    []int32     `json:"feature"`
	Neighbours [][]int     `json:"neighbours"` // places in Feature, the nearest first
	Distances  [][]float64 `json:"distances"`  // 1 - cosine
	Skewness   []*float64  `json:"skewness"`   // nil where there is none, as of Label, Role and Tokens
	Label      []*string   `json:"label"`
	Role       []*string   `json:"role"`
	Tokens     [][]string  `json:"tokens"`
}

// maps is which SAEs have the nearest neighbours stored of every feature within themselves; of one
// that a request names, its layout, nil without neighbours. most is how many features are laid out
// of it at most.
func (s *Server) maps(ctx context.Context, q url.Values) (any, error) {
	most, err := number(q, "most", usualMapped, mostMapped)
	if err != nil {
		return nil, err
	}
	type pair struct{ id, sae, top int }
	pairs, err := schema.Rows(ctx, s.db, func(p *pair) []any { return []any{&p.id, &p.sae, &p.top} },
		`SELECT pair_id, sae_id, top FROM whole_neighbours(1) JOIN stored_sae_pairs USING (pair_id, sae_id, other_id) WHERE sae_id = other_id`)
	if err != nil {
		return nil, err
	}
	if q.Get("sae") == "" {
		saes := []string{}
		for _, p := range pairs {
			saes = append(saes, s.catalogue.byID[p.sae].name)
		}
		return map[string]any{"saes": saes, "limit": mostMapped, "usual": usualMapped, "library": figures.HasCharts() && s.files[layoutLibrary].content != nil}, nil
	}
	a, err := s.catalogue.find(q.Get("sae"))
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(pairs, func(p pair) bool { return p.sae == a.id })
	if i < 0 {
		return map[string]any{"layout": nil}, nil
	}
	l, err := s.layout(ctx, a, pairs[i].id, pairs[i].top, most)
	return map[string]any{"layout": l}, err
}

func (s *Server) layout(ctx context.Context, a *sae, pair, stored, most int) (*layout, error) {
	all, err := schema.Collect[int32](ctx, s.db, `SELECT feature FROM stored_neighbours WHERE pair_id = ? AND len(neighbours) > 0 ORDER BY feature`, pair)
	if err != nil {
		return nil, err
	}
	l := &layout{SAE: a.name, Features: a.features, Zero: a.features - len(all), Stored: stored, Sampled: len(all) > most}
	var chosen []int32
	for _, i := range sample(len(all), most) {
		chosen = append(chosen, all[i])
	}
	if err := l.join(ctx, s, pair, chosen); err != nil {
		return nil, err
	}
	return l, s.describeLayout(ctx, a, l)
}

// sample is which of n things are looked at, at most most, in their order; the same each time.
func sample(n, most int) []int {
	chosen := rand.New(rand.NewPCG(mapSeed, uint64(n))).Perm(n)[:min(n, most)]
	slices.Sort(chosen)
	return chosen
}

// join reads the neighbours of the chosen features among these. A feature that has none of its own
// there has those that it is a neighbour of, and one without either is left out.
func (l *layout) join(ctx context.Context, s *Server, pair int, chosen []int32) error {
	list := "neighbours, cosines"
	if !l.Sampled {
		list = fmt.Sprintf("neighbours[:%d], cosines[:%[1]d]", mapNeighbours)
	}
	type row struct {
		feature          int32
		neighbours, near any
	}
	rows, err := schema.Rows(ctx, s.db, func(r *row) []any { return []any{&r.feature, &r.neighbours, &r.near} },
		"SELECT feature, "+list+" FROM stored_neighbours WHERE pair_id = ? AND feature IN (SELECT unnest(CAST(? AS INTEGER[]))) ORDER BY feature", pair, schema.List(chosen))
	if err != nil {
		return err
	}
	type edge struct {
		to       int32
		distance float64
	}
	in := map[int32]bool{}
	for _, f := range chosen {
		in[f] = true
	}
	edges, back := map[int32][]edge{}, map[int32][]edge{}
	for _, r := range rows {
		neighbours, _ := r.neighbours.([]any)
		cosines, _ := r.near.([]any)
		for i, n := range neighbours {
			to, cosine := n.(int32), cosines[i].(float64)
			if !in[to] || len(edges[r.feature]) == mapNeighbours {
				continue
			}
			distance := max(math.Round((1-cosine)*1e6)/1e6, leastDistance)
			edges[r.feature], back[to] = append(edges[r.feature], edge{to, distance}), append(back[to], edge{r.feature, distance})
		}
	}
	place, joined := map[int32]int{}, 0
	for _, f := range chosen {
		if edges[f] == nil {
			edges[f] = back[f][:min(len(back[f]), mapNeighbours)]
		}
		if len(edges[f]) == 0 {
			l.Apart++
			continue
		}
		place[f], l.Feature, joined = len(l.Feature), append(l.Feature, f), joined+len(edges[f])
	}
	for _, f := range l.Feature {
		var to []int
		var distances []float64
		for _, e := range edges[f] {
			to, distances = append(to, place[e.to]), append(distances, e.distance)
		}
		l.Neighbours, l.Distances = append(l.Neighbours, to), append(l.Distances, distances)
	}
	l.Mean = float64(joined) / float64(max(len(l.Feature), 1))
	return nil
}

// describeLayout adds what is said of each feature, as far as it is computed.
func (s *Server) describeLayout(ctx context.Context, a *sae, l *layout) error {
	v, err := s.vocabulary(ctx, a.modelID)
	if err != nil {
		return err
	}
	type row struct {
		feature     int32
		skewness    *float64
		role, label *string
		tokens      any
	}
	rows, err := schema.Rows(ctx, s.db, func(r *row) []any { return []any{&r.feature, &r.skewness, &r.role, &r.label, &r.tokens} }, fmt.Sprintf(
		`SELECT feature, skewness, `+schema.Role+`, both_sides(i.label, l.label), top_token_ids[:%d] FROM (FROM stored_statistics WHERE sae_id = $1)
		LEFT JOIN (SELECT feature, label FROM stored_labels WHERE sae_id = $1) l USING (feature)
		LEFT JOIN (SELECT feature, label FROM stored_input_labels WHERE sae_id = $1) i USING (feature)`, mapTokens), a.id)
	if err != nil {
		return err
	}
	n := len(l.Feature)
	l.Skewness, l.Label, l.Role, l.Tokens = make([]*float64, n), make([]*string, n), make([]*string, n), make([][]string, n)
	for _, r := range rows {
		i, there := slices.BinarySearch(l.Feature, r.feature)
		if !there {
			continue
		}
		if r.skewness != nil && !math.IsNaN(*r.skewness) && !math.IsInf(*r.skewness, 0) {
			l.Skewness[i] = r.skewness
		}
		l.Role[i], l.Label[i], l.Tokens[i] = r.role, r.label, v.texts(r.tokens, mapTokens)
	}
	return nil
}

// mapColors is what features of an SAE are coloured by beyond what a layout has: with set, which
// promote and suppress that token set beyond chance; otherwise of which family they are.
func (s *Server) mapColors(ctx context.Context, q url.Values) (any, error) {
	a, err := s.catalogue.find(q.Get("sae"))
	if err != nil {
		return nil, err
	}
	if q.Get("set") == "" {
		return s.list(ctx, `SELECT feature, family, size, layers FROM feature_families() WHERE sae = ? ORDER BY feature`, a.name)
	}
	ids, err := s.setIDs(ctx, q.Get("set"), a.model)
	if err != nil {
		return nil, err
	}
	return s.list(ctx, `SELECT feature, CASE WHEN promoted THEN 'promoted' ELSE 'suppressed' END AS direction FROM stored_enrichment
		WHERE sae_id = ? AND set_id = ? AND `+schema.ScoreBeyondChance+` ORDER BY feature`, a.id, ids[0])
}
