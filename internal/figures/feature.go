package figures

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// topFeatures is how many features a set's figure has a panel for by default.
const topFeatures = 4

// logitSource is the logit weights of one feature, of the tokens that its
// statistics count, and whether each is in the set (false without one). They need its
// direction, which a database of results does not have.
func logitSource(ctx context.Context, db *sql.DB, r Request, one SAE, feature int64, set string) (*source, error) {
	var absent bool
	err := db.QueryRowContext(ctx, `SELECT `+schema.Output.LacksDirections()+` FROM stored_saes JOIN stored_loads l ON load_id = sae_id WHERE sae = ?`,
		one.Name).Scan(&absent)
	if err != nil {
		return nil, err
	}
	if absent {
		return nil, &fault.Error{
			Op: "plot " + r.Name, Subject: one.Name, Problem: "its weights are not in this database, which has results alone", Hint: "use the database that they were computed in",
		}
	}
	direction, err := one.direction(ctx, db)
	if err != nil {
		return nil, err
	}
	query := `SELECT token_id, text, logit_weight, row_number() OVER (ORDER BY logit_weight DESC, token_id) AS rank,
	token_id IN (SELECT unnest(tokens) FROM token_sets WHERE model = ? AND token_set = ?) AS member
FROM (SELECT unnest(range(len(v))) AS token_id, unnest(v) AS logit_weight
      FROM (SELECT logit_weights(` + direction + `, model) AS v FROM decoder_directions_of(?) WHERE feature = ?))
JOIN (SELECT token_id, text, is_special OR is_padding AS unreal FROM tokens WHERE model = ?) USING (token_id)`
	if one.Tokens == "real" {
		query += " WHERE NOT unreal"
	}
	return newSource(ctx, db, r, query, one.Model, set, one.Name, feature, one.Model)
}

// buildFeature is the histogram of a feature's logit weights, apart for the tokens
// in a set and the others, with box plots above; or those of the features that are
// most enriched for the set.
func buildFeature(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	if len(r.Sets) > 1 {
		return nil, &fault.Error{Op: "plot feature", Expected: "one token set at most", Found: strconv.Itoa(len(r.Sets))}
	}
	set := ""
	if len(r.Sets) == 1 {
		set = r.Sets[0]
	}
	f := &Figure{Title: "Logit weights", Note: "Counts of tokens on a log scale; above, quartiles, whiskers within 1.5 times their distance.", Hint: "Hover a bar for its tokens."}
	if r.Query != "" {
		s, err := newSource(ctx, db, r, "")
		if err != nil {
			return nil, err
		}
		f.Query = s.query
		return f, f.addFeature(ctx, s, r, "", set)
	}
	one, err := oneSAE(ctx, db, r)
	if err != nil {
		return nil, err
	}
	if err := checkSet(ctx, db, r, one, set); err != nil {
		return nil, err
	}
	features, err := chosenFeatures(ctx, db, r, one, set)
	if err != nil {
		return nil, err
	}
	f.Title = "Logit weights of " + whichFeatures(features, set) + of(one)
	for _, feature := range features {
		s, err := logitSource(ctx, db, r, one, feature.index, set)
		if err != nil {
			return nil, err
		}
		f.Query = s.query
		if err := f.addFeature(ctx, s, r, feature.title(len(features) > 1), set); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// A chosenFeature is one that a figure shows, and its score when it was chosen by it.
type chosenFeature struct {
	index  int64
	effect float64
	top    schema.ListOf[string]
}

func (c chosenFeature) title(several bool) string {
	promotes := "promotes  " + showTokens(c.top, 6)
	if several {
		return fmt.Sprintf("feature %d, effect %s, %s", c.index, short(c.effect), promotes)
	}
	return promotes
}

func whichFeatures(features []chosenFeature, set string) string {
	if len(features) == 1 {
		return fmt.Sprintf("feature %d", features[0].index)
	}
	return "the features most enriched for " + set
}

// chosenFeatures is the feature asked for, or the TopK that are most enriched for
// the set.
func chosenFeatures(ctx context.Context, db *sql.DB, r Request, one SAE, set string) ([]chosenFeature, error) {
	query, args := `SELECT feature, CAST(0 AS DOUBLE), top_tokens FROM `+r.view("features")+` WHERE sae = ? AND feature = ?`, []any{one.Name, r.Feature}
	switch {
	case r.Feature >= 0:
	case set == "":
		return nil, &fault.Error{Op: "plot feature", Expected: "a feature's number, or a token set", Found: "neither", Hint: "saedb plot feature 63, or saedb plot feature --set NAME"}
	default:
		k := r.TopK
		if k == 0 {
			k = topFeatures
		}
		query = `SELECT e.feature, CAST(e.effect AS DOUBLE), f.top_tokens FROM strongest_features(?, k := ?, of_sae := ?) e JOIN features f USING (sae, feature)
			WHERE e.direction = 'promoted' ORDER BY e.beyond_chance DESC, abs(e.effect) DESC, e.q_value, e.feature`
		args = []any{set, k, one.Name}
		if r.Lens != "" {
			query = `SELECT e.feature, CAST(e.effect AS DOUBLE), f.top_tokens FROM ` + r.view("enrichment") + ` e JOIN ` + r.view("features") + ` f USING (sae, feature)
				WHERE e.token_set = ? AND e.direction = 'promoted' AND e.sae = ? ORDER BY beyond_chance(e.q_value) DESC, abs(e.effect) DESC, e.q_value, e.feature LIMIT ?`
			args = []any{set, one.Name, k}
		}
	}
	found, err := schema.Rows(ctx, db, func(c *chosenFeature) []any { return []any{&c.index, &c.effect, &c.top} }, query, args...)
	if len(found) == 0 && err == nil {
		if r.Feature < 0 {
			return nil, &fault.Error{Op: "plot feature", Subject: set, Problem: "no enrichment in this token set is computed", Hint: "run saedb compute"}
		}
		return nil, &fault.Error{Op: "plot feature", Subject: one.Name, Problem: fmt.Sprintf("there is no feature %d", r.Feature)}
	}
	return found, fault.At("plot feature", "", err)
}

// checkSet gives an error when the SAE's model has no such token set.
func checkSet(ctx context.Context, db *sql.DB, r Request, one SAE, set string) error {
	if set == "" {
		return nil
	}
	var found bool
	err := db.QueryRowContext(ctx, `SELECT count(*) > 0 FROM token_sets WHERE model = ? AND token_set = ?`, one.Model, set).Scan(&found)
	if err != nil || found {
		return fault.At("plot "+r.Name, "", err)
	}
	return &fault.Error{Op: "plot " + r.Name, Subject: set, Problem: "no such token set of model " + one.Model, Hint: "saedb sets lists them"}
}

// addFeature adds the two panels of one feature below those that f has.
func (f *Figure) addFeature(ctx context.Context, s *source, r Request, title, set string) error {
	t, err := s.read(ctx, []column{{"logit_weight", number}}, []column{{"text", text}, {"member", boolean}},
		"isfinite(CAST(logit_weight AS DOUBLE))", "")
	if err != nil {
		return err
	}
	if t.length == 0 {
		return s.empty()
	}
	groups := membership(t, set, s.own)
	sorted := sortedCopy(t.numbers["logit_weight"])
	bins := r.Bins
	if bins == 0 {
		bins = 60
	}
	e := edges(sorted[0], sorted[len(sorted)-1], bins, false)
	row := len(f.Heights)
	x := Axis{Label: "logit weight", Link: fmt.Sprintf("x%d", row)}
	bare := x
	bare.Bare = true
	margin := Panel{Title: title, Row: row, X: bare, Y: Axis{Bare: true}}
	main := Panel{Row: row + 1, X: x, Y: Axis{Label: "tokens (log scale)", Log: true}}
	for i, g := range groups {
		bars, b := featureBars(t, g, e, i), featureBox(t, g, float64(len(groups)-1-i))
		main.Bars = append(main.Bars, bars)
		margin.Boxes = append(margin.Boxes, Boxes{Name: g.title, Color: bars.Color, Unit: "tokens", Horizontal: true, Items: []Box{b}})
	}
	f.Widths = []float64{1}
	height := 46 + 24*float64(len(groups))
	if title != "" {
		height += 10
	}
	f.Heights = append(f.Heights, height, 330)
	f.Panels = append(f.Panels, margin, main)
	return nil
}

// membership divides the tokens: the others first, then those in the set.
func membership(t *table, set string, own bool) []group {
	member := t.booleans["member"]
	if set == "" {
		set = "members"
		if !own {
			member = nil
		}
	}
	groups := []group{{title: "tokens"}, {title: set}}
	for i := range t.length {
		g := 0
		if member != nil && member[i] {
			g = 1
		}
		groups[g].rows = append(groups[g].rows, i)
	}
	if len(groups[1].rows) == 0 {
		return groups[:1]
	}
	groups[0].title = "other tokens"
	if len(groups[0].rows) == 0 {
		return groups[1:]
	}
	return groups
}

// featureBars count a group's tokens; hovering shows those furthest from 0.
func featureBars(t *table, g group, e []float64, nth int) Bars {
	bars := Bars{Name: g.title, Color: []Color{Blue, memberColor}[nth], Unit: "tokens", Edges: e, Counts: make([]int, len(e)-1)}
	weights, names := t.numbers["logit_weight"], t.texts["text"]
	rows := append([]int(nil), g.rows...)
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(math.Abs(weights[b]), math.Abs(weights[a])) })
	lists := make([][]string, len(bars.Counts))
	for _, i := range rows {
		b := binOf(weights[i], e)
		bars.Counts[b]++
		if names != nil && len(lists[b]) < 10 {
			lists[b] = append(lists[b], names[i])
		}
	}
	if names == nil {
		return bars
	}
	column := Column{Name: "tokens"}
	for b, list := range lists {
		shown := showTokens(list, len(list))
		if bars.Counts[b] > len(list) {
			shown += "  …"
		}
		column.Texts = append(column.Texts, strings.TrimSpace(shown))
	}
	bars.Hover = []Column{column}
	return bars
}

func featureBox(t *table, g group, at float64) Box {
	var values []float64
	for _, i := range g.rows {
		values = append(values, t.numbers["logit_weight"][i])
	}
	b, _, _ := box(sortedCopy(values))
	b.At, b.Label = at, g.title
	return b
}
