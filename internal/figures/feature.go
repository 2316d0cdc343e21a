package figures

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
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

// finiteWeight leaves the tokens that a histogram has a place for.
const finiteWeight = "isfinite(CAST(logit_weight AS DOUBLE))"

// A logitSource is the logit weights of one feature, of the tokens that its statistics count, and
// whether each is in a set (false without one).
type logitSource struct {
	// Its query is the one row that is read: the logit weights of all tokens, the tokens in the set, and
	// those that do not count.
	*source
	model, sae string
	feature    int64
	// What a person asks for the same, a row a token: shown, and ranked with the rank of each.
	shown, ranked string
}

// newLogitSource is that of a feature of an SAE, whose direction must be in the database: one of
// results has none.
func newLogitSource(ctx context.Context, db *sql.DB, r Request, one SAE, feature int64, set string) (*logitSource, error) {
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
	shown := func(rank string) string {
		asked := source{args: []any{one.Model, set, one.Name, feature, one.Model}}
		asked.query = `SELECT token_id, text, logit_weight` + rank + `,
	token_id IN (SELECT unnest(tokens) FROM token_sets WHERE model = ? AND token_set = ?) AS member
FROM (SELECT unnest(range(len(v))) AS token_id, unnest(v) AS logit_weight
      FROM (SELECT logit_weights(` + direction + `, model) AS v FROM decoder_directions_of(?) WHERE feature = ?))
JOIN (SELECT token_id, text, is_special OR is_padding AS unreal FROM tokens WHERE model = ?) USING (token_id)`
		if one.Tokens == "real" {
			asked.query += " WHERE NOT unreal"
		}
		return asked.spelled()
	}
	uncounted := "false"
	if one.Tokens == "real" {
		uncounted = "is_special OR is_padding"
	}
	return &logitSource{
		source: &source{db: db, op: "plot " + r.Name, query: `SELECT logit_weights(` + direction + `, ?),
			(SELECT tokens FROM token_sets WHERE model = ? AND token_set = ?),
			(SELECT list(token_id) FROM tokens WHERE model = ? AND (` + uncounted + `))
		FROM (SELECT ` + schema.WeightsWherever[schema.DecoderReader] + ` AS w_dec
			FROM stored_decoders d JOIN stored_saes s USING (sae_id) WHERE s.sae = ? AND d.feature = ?)`,
			args: []any{one.Model, one.Model, set, one.Model, one.Name, feature}},
		model: one.Model, sae: one.Name, feature: feature, shown: shown(""), ranked: shown(", row_number() OVER (ORDER BY logit_weight DESC, token_id) AS rank"),
	}, nil
}

// weights reads a row a token, of finite weights alone where finite is set. It reads lists, in less time
// than rows, and no texts, which take longer than all else: see [logitSource.texts].
func (s *logitSource) weights(ctx context.Context, finite bool) (*table, error) {
	var weights schema.ListOf[float32]
	var members, uncounted schema.ListOf[int32]
	err := s.db.QueryRowContext(ctx, s.query, s.args...).Scan(&weights, &members, &uncounted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, noFeature(s.op, s.sae, s.feature)
	}
	if err != nil {
		return nil, s.failed(err)
	}
	isMember, leftOut := marked(members, len(weights)), marked(uncounted, len(weights))
	t := newTable()
	var ids []int64
	var those []float64
	var memberships []bool
	for token, single := range weights {
		weight := float64(single)
		if !leftOut[token] && !(finite && (math.IsNaN(weight) || math.IsInf(weight, 0))) {
			ids, those, memberships = append(ids, int64(token)), append(those, weight), append(memberships, isMember[token])
		}
	}
	t.length, t.integers["token_id"], t.numbers["logit_weight"], t.booleans["member"] = len(ids), ids, those, memberships
	return t, nil
}

func noFeature(op, sae string, feature int64) error {
	return &fault.Error{Op: op, Subject: sae, Problem: fmt.Sprintf("there is no feature %d", feature)}
}

// marked are n marks, true at the ids.
func marked(ids []int32, n int) []bool {
	marks := make([]bool, n)
	for _, id := range ids {
		if int(id) < n {
			marks[id] = true
		}
	}
	return marks
}

// rank puts the rows in the order of their ranks, and adds these, as the ranked query has them.
func (t *table) rank() {
	type token struct {
		weight float64
		id     int64
		member bool
	}
	ids, weights, members := t.integers["token_id"], t.numbers["logit_weight"], t.booleans["member"]
	tokens := make([]token, t.length)
	for i := range tokens {
		tokens[i] = token{weights[i], ids[i], members[i]}
	}
	slices.SortFunc(tokens, func(a, b token) int { return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id)) })
	ranks := make([]int64, t.length)
	for i, one := range tokens {
		weights[i], ids[i], members[i], ranks[i] = one.weight, one.id, one.member, int64(i+1)
	}
	t.integers["rank"] = ranks
}

// texts adds the column text, for these rows alone.
func (s *logitSource) texts(ctx context.Context, t *table, rows []int) error {
	type token struct {
		id   int64
		text string
	}
	ids := make([]int64, len(rows))
	for k, i := range rows {
		ids[k] = t.integers["token_id"][i]
	}
	found, err := schema.Rows(ctx, s.db, func(t *token) []any { return []any{&t.id, &t.text} },
		`SELECT token_id, coalesce(text, '') FROM tokens WHERE model = ? AND token_id IN (SELECT unnest(CAST(? AS INTEGER[])))`, s.model, schema.List(ids))
	of := map[int64]string{}
	for _, t := range found {
		of[t.id] = t.text
	}
	texts := make([]string, t.length)
	for k, i := range rows {
		texts[i] = of[ids[k]]
	}
	t.texts["text"] = texts
	return s.failed(err)
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
		s, err := userSource(ctx, db, r)
		if err != nil {
			return nil, err
		}
		f.Query = s.spelled()
		t, err := s.read(ctx, []column{{"logit_weight", number}}, []column{{"text", text}, {"member", boolean}}, finiteWeight, "")
		if err != nil {
			return nil, err
		}
		if t.length == 0 {
			return nil, s.empty()
		}
		return f, f.addFeature(t, r, "", membership(t, set, true), nil)
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
		s, err := newLogitSource(ctx, db, r, one, feature.index, set)
		if err != nil {
			return nil, err
		}
		f.Query = s.shown
		t, err := s.weights(ctx, true)
		if err != nil {
			return nil, err
		}
		if t.length == 0 {
			return nil, s.empty()
		}
		texts := func(rows []int) error { return s.texts(ctx, t, rows) }
		if err := f.addFeature(t, r, feature.title(len(features) > 1), membership(t, set, false), texts); err != nil {
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
	if ends := r.endTokens(); r.Feature >= 0 && ends != nil {
		top, _, err := ends(ctx, one.Name, []int64{int64(r.Feature)})
		if err != nil {
			return nil, fault.At("plot feature", "", err)
		}
		return []chosenFeature{{index: int64(r.Feature), top: top[0]}}, nil
	}
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
		return nil, noFeature("plot feature", one.Name, int64(r.Feature))
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

// addFeature adds the two panels of one feature below those that f has. texts, where it is not nil,
// adds the texts of the tokens that are shown.
func (f *Figure) addFeature(t *table, r Request, title string, groups []group, texts func(rows []int) error) error {
	bins := r.Bins
	if bins == 0 {
		bins = 60
	}
	weights := t.numbers["logit_weight"]
	e := edges(slices.Min(weights), slices.Max(weights), bins, false)
	row := len(f.Heights)
	x := Axis{Label: "logit weight", Link: fmt.Sprintf("x%d", row)}
	bare := x
	bare.Bare = true
	margin := Panel{Title: title, Row: row, X: bare, Y: Axis{Bare: true}}
	main := Panel{Row: row + 1, X: x, Y: Axis{Label: "tokens (log scale)", Log: true}}
	furthest := make([][][]int, len(groups))
	for i, g := range groups {
		bars := Bars{Name: g.title, Color: []Color{Blue, memberColor}[i], Unit: "tokens", Edges: e}
		bars.Counts, furthest[i] = countFeature(weights, g, e)
		main.Bars = append(main.Bars, bars)
		margin.Boxes = append(margin.Boxes, Boxes{Name: g.title, Color: bars.Color, Unit: "tokens", Horizontal: true, Items: []Box{featureBox(t, g, float64(len(groups)-1-i))}})
	}
	if texts != nil {
		if err := texts(slices.Concat(slices.Concat(furthest...)...)); err != nil {
			return err
		}
	}
	for i := range groups {
		main.Bars[i].Hover = featureHover(t, main.Bars[i].Counts, furthest[i])
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

// tokensOfBar is how many tokens hovering over a bar shows.
const tokensOfBar = 10

// countFeature counts a group's tokens in bins, and gives the rows of each bin that are furthest
// from 0.
func countFeature(weights []float64, g group, e []float64) (counts []int, furthest [][]int) {
	counts, furthest = make([]int, len(e)-1), make([][]int, len(e)-1)
	for _, i := range g.rows {
		b := binOf(weights[i], e)
		counts[b]++
		far, list := math.Abs(weights[i]), furthest[b]
		at := len(list)
		for at > 0 && math.Abs(weights[list[at-1]]) < far {
			at--
		}
		if at < tokensOfBar {
			list = slices.Insert(list, at, i)
			furthest[b] = list[:min(len(list), tokensOfBar)]
		}
	}
	return counts, furthest
}

// featureHover are the tokens furthest from 0 of each bar; nothing where their texts are not known.
func featureHover(t *table, counts []int, furthest [][]int) []Column {
	names := t.texts["text"]
	if names == nil {
		return nil
	}
	column := Column{Name: "tokens"}
	for b, rows := range furthest {
		var list []string
		for _, i := range rows {
			list = append(list, names[i])
		}
		shown := showTokens(list, len(list))
		if counts[b] > len(list) {
			shown += "  …"
		}
		column.Texts = append(column.Texts, strings.TrimSpace(shown))
	}
	return []Column{column}
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
