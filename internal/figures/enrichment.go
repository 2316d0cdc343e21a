package figures

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

// ManhattanSets is how many sets a manhattan figure shows when none are named.
const ManhattanSets = 6

// buildManhattan shows the enrichment of every feature of an SAE, a panel a set.
func buildManhattan(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	named := len(r.Sets) > 0
	s, one, err := enrichmentSource(ctx, db, &r)
	if err != nil {
		return nil, err
	}
	score, err := scoringOf(ctx, r, s, ScoreQ, ScoreEffect)
	if err != nil {
		return nil, err
	}
	required := append([]column{{"feature", integer}, {"token_set", text}}, score.needs...)
	var all []ranking
	if r.MostPoints > 0 {
		if err := s.require(namesOf(required)...); err != nil {
			return nil, err
		}
		threshold := math.Inf(1)
		if r.LabelThreshold != nil {
			threshold = score.least(*r.LabelThreshold)
		}
		panels := min(len(r.Sets), maxPanels)
		if panels == 0 {
			panels = ManhattanSets
		}
		if all, err = s.rankings(ctx, score.key(), score.where, r.MostPoints/panels, threshold); err != nil {
			return nil, err
		}
	}
	t, err := s.read(ctx, required,
		[]column{{"direction", text}, {"q_value", number}, {"size", integer}, {"top_tokens", texts}, {"bottom_tokens", texts}, {"neuronpedia_url", text}, {"sae", text}, {"layer", integer}},
		score.where+" AND "+above(score.key(), all), "token_set, feature")
	if err != nil {
		return nil, err
	}
	if t.length == 0 {
		return nil, s.noScores()
	}
	if !s.own {
		if err := r.describe(ctx, t, allRows(t), one); err != nil {
			return nil, err
		}
	}
	note, err := s.chanceNote(ctx)
	if err != nil {
		return nil, err
	}
	if r.Lens != "" && !named {
		note += " The sets are those of the figure of what the features write directly, to lay the two side by side."
	}
	rows := map[string][]int{}
	for i, set := range t.texts["token_set"] {
		rows[set] = append(rows[set], i)
	}
	sets := r.Sets
	if len(sets) == 0 {
		sets = slices.Sorted(maps.Keys(rows))
	}
	if len(sets) > maxPanels {
		return nil, &fault.Error{
			Op: s.op, Expected: fmt.Sprintf("at most %d token sets, a panel each", maxPanels), Found: strconv.Itoa(len(sets)),
			Hint: "choose some with --set",
		}
	}
	f := &Figure{
		Title: "Enrichment of features in token sets" + of(one),
		Note:  score.manhattanNote() + note,
		Hint:  r.clickHint(t), Query: s.spelled(), Widths: []float64{1},
	}
	for i, set := range sets {
		if rows[set] == nil {
			return nil, &fault.Error{Op: s.op, Subject: set, Problem: "no enrichment in such a token set", Hint: "saedb sets lists the sets; saedb compute scores them"}
		}
		p := Panel{
			Title: set, Row: i,
			X: Axis{Label: "feature", Link: "x"}, Y: Axis{Label: score.label},
		}
		if size := t.integers["size"]; size != nil && size[rows[set][0]] >= 0 {
			p.Title += fmt.Sprintf(" (%s tokens)", plaintext.Thousands(int(size[rows[set][0]])))
		}
		p.Points = manhattanPoints(t, rows[set], score, r)
		ofSAE(p.Points, one)
		p.Rules = score.manhattanRules(r)
		f.Heights = append(f.Heights, 240)
		f.Panels = append(f.Panels, p)
	}
	if err := f.addRest(ctx, s, sets, all, score); err != nil {
		return nil, err
	}
	if score.signed {
		f.mirror()
	}
	return f, nil
}

// manhattanNote says what a point is.
func (s scoring) manhattanNote() string {
	if !s.signed {
		return "A point a feature: how far the set's tokens lie towards one end of its ranking of the vocabulary."
	}
	note := "A point a feature: above 0 where it promotes the set's tokens, below where it suppresses them."
	if s.name == ScoreQ {
		note += fmt.Sprintf(" Dashed: 0, and q = %g each way.", chance)
	}
	return note
}

// manhattanRules are the lines across a panel: of a signed score 0 and the bounds of
// chance, and the threshold of labels.
func (s scoring) manhattanRules(r Request) []Rule {
	var places []float64
	if s.name == ScoreQ {
		places = append(places, -math.Log10(chance))
	}
	if r.LabelThreshold != nil {
		places = append(places, *r.LabelThreshold)
	}
	var rules []Rule
	if s.signed {
		rules = append(rules, Rule{Horizontal: true, At: 0})
		for _, at := range places {
			rules = append(rules, Rule{Horizontal: true, At: -at})
		}
	}
	for _, at := range places {
		rules = append(rules, Rule{Horizontal: true, At: at})
	}
	return rules
}

// mirror gives each panel as much room below 0 as above, for all that is in it.
func (f *Figure) mirror() {
	for i := range f.Panels {
		p, reach := &f.Panels[i], 0.0
		for _, r := range p.Rules {
			reach = max(reach, math.Abs(r.At))
		}
		var x, y extent
		p.extend(&x, &y)
		reach = 1.25 * max(reach, -y.low, y.high) // the labels of the furthest lie beyond it
		p.Y.Min, p.Y.Max, p.Y.fixed = -reach, reach, true
	}
}

// addRest adds the range of the features that are not drawn to the panels of their sets.
func (f *Figure) addRest(ctx context.Context, s *source, sets []string, all []ranking, score scoring) error {
	rests, err := s.rests(ctx, score, all)
	if err != nil {
		return err
	}
	for _, r := range thinned(all) {
		panel, rest := slices.Index(sets, r.set), rests[r.set]
		if panel < 0 || rest == nil {
			continue
		}
		f.Panels[panel].Bands = rest.bands
		f.Panels[panel].Title += fmt.Sprintf(": the %s highest of %s features, and the range of the others", plaintext.Thousands(r.features-rest.features), plaintext.Thousands(r.features))
	}
	return nil
}

// manhattanPoints are the features of one set, promoted and suppressed apart, with
// labels on the highest.
func manhattanPoints(t *table, rows []int, score scoring, r Request) []Points {
	x, y := make([]float64, t.length), make([]float64, t.length)
	byDirection := map[string][]int{}
	for _, i := range rows {
		x[i] = float64(t.integers["feature"][i])
		y[i] = score.row(t, i)
		direction := "enriched"
		if d := t.texts["direction"]; d != nil {
			direction = d[i]
		}
		byDirection[direction] = append(byDirection[direction], i)
	}
	labelled := highest(rows, y, r)
	names := slices.Sorted(maps.Keys(byDirection))
	slices.Reverse(names) // suppressed first: promoted lies on top
	var out []Points
	for _, name := range names {
		firstToLast(byDirection[name], labelled)
		p := pointsWith(t, byDirection[name], x, y, endOf(name))
		p.Name = name
		if name == "suppressed" {
			p.Color = suppressedColor
		}
		if q := t.numbers["q_value"]; q != nil {
			c := Column{Name: "q-value"}
			for _, i := range byDirection[name] {
				c.Texts = append(c.Texts, short(q[i]))
			}
			p.Hover = append(p.Hover, c)
		}
		p.Labels = labelsOf(byDirection[name], labelled, t, func(int) tokenEnd { return endOf(name) })
		out = append(out, p)
	}
	return out
}

// highest chooses the rows that get labels, and their places: those beyond the threshold, or
// the five furthest from 0, the furthest first, and no more than TopN.
func highest(rows []int, y []float64, r Request) map[int]int {
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(math.Abs(y[b]), math.Abs(y[a])) })
	limit := r.TopN
	if limit == 0 {
		limit = 5
		if r.LabelThreshold != nil {
			limit = len(sorted)
		}
	}
	chosen := map[int]int{}
	for place, i := range sorted[:min(limit, len(sorted))] {
		if r.LabelThreshold == nil || math.Abs(y[i]) > *r.LabelThreshold {
			chosen[i] = place + 1
		}
	}
	return chosen
}

// firstToLast sorts rows so that those with labels come first, by their places: where two
// labels would lie over each other, the first is written.
func firstToLast(rows []int, chosen map[int]int) {
	place := func(i int) int {
		if chosen[i] == 0 {
			return math.MaxInt
		}
		return chosen[i]
	}
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(place(a), place(b)) })
}

// labelsOf are the features' numbers, each with the first token at the end that it is
// labelled for, at the rows that get one; nil when none does.
func labelsOf(rows []int, chosen map[int]int, t *table, at func(row int) tokenEnd) []string {
	features := t.integers["feature"]
	if features == nil {
		return nil
	}
	labels, any := make([]string, len(rows)), false
	for k, i := range rows {
		if chosen[i] > 0 {
			labels[k], any = "feature "+strconv.FormatInt(features[i], 10), true
			if tokens := t.lists[at(i).column]; tokens != nil && len(tokens[i]) > 0 {
				labels[k] += " " + showToken(tokens[i][0])
			}
		}
	}
	if !any {
		return nil
	}
	return labels
}

// enrichmentSource is the enrichment of one SAE's features, in the sets asked for
// or in the strongest, which the request then has.
func enrichmentSource(ctx context.Context, db *sql.DB, r *Request) (s *source, one SAE, err error) {
	if r.Query != "" {
		s, err = userSource(ctx, db, *r)
		return s, one, err
	}
	if one, err = oneSAE(ctx, db, *r); err != nil {
		return nil, one, err
	}
	if len(r.Sets) == 0 {
		op := "plot " + r.Name
		strongest := r.StrongestSets
		if strongest == nil {
			strongest = func(ctx context.Context, sae string) ([]string, error) { return StrongestSets(ctx, db, sae) }
		}
		if r.Sets, err = strongest(ctx, one.Name); err != nil {
			return nil, one, fault.At(op, "", err)
		}
		if len(r.Sets) == 0 {
			return nil, one, &fault.Error{Op: op, Subject: one.Name, Problem: "no enrichment is computed", Hint: "run saedb load sets, then saedb compute"}
		}
	}
	args := []any{one.Name}
	for _, set := range r.Sets {
		args = append(args, set)
	}
	where := ` WHERE sae = ? AND token_set IN (?` + strings.Repeat(", ?", len(r.Sets)-1) + `)`
	if r.endTokens() != nil {
		return figureSource(db, *r, "feature, token_set, size, effect, es, direction, p_value, q_value", " FROM enrichment"+where, args...), one, nil
	}
	columns := "e.feature, e.token_set, e.size, e.effect, e.es, e.direction, e.p_value, e.q_value, f.top_tokens, f.bottom_tokens, f.neuronpedia_url"
	return figureSource(db, *r, columns, `
		FROM `+r.view("enrichment")+` e JOIN `+r.view("features")+` f USING (sae, feature)`+where, args...), one, nil
}
