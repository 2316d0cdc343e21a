package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
)

// buildSets compares the scores of every feature in two sets.
func buildSets(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	if len(r.Sets) != 2 {
		return nil, &fault.Error{Op: "plot sets", Expected: "two token sets", Found: strconv.Itoa(len(r.Sets))}
	}
	s, one, err := enrichmentSource(ctx, db, &r)
	if err != nil {
		return nil, err
	}
	score, err := scoringOf(ctx, r, s, ScoreEffect)
	if err != nil {
		return nil, err
	}
	t, err := s.read(ctx, append([]column{{"feature", integer}, {"token_set", text}}, score.needs...),
		[]column{{"direction", text}, {"top_tokens", texts}, {"bottom_tokens", texts}, {"neuronpedia_url", text}, {"sae", text}, {"layer", integer}}, score.where, "feature, token_set")
	if err != nil {
		return nil, err
	}
	rows, x, y, other, err := pairs(t, r.Sets, score)
	if err != nil {
		return nil, fault.At(s.op, "", err)
	}
	bound := 0.0
	if r.LabelThreshold != nil {
		bound = *r.LabelThreshold
	} else {
		var differences []float64
		for _, i := range rows {
			differences = append(differences, math.Abs(x[i]-y[i]))
		}
		bound = quantile(sortedCopy(differences), 0.99)
	}
	f := &Figure{
		Title: fmt.Sprintf("%s against %s%s", r.Sets[0], r.Sets[1], of(one)),
		Note:  "A point a feature; coloured where the scores differ by more than " + short(bound) + ". Histograms count features.",
		Hint:  r.clickHint(t), Query: s.spelled(), Heights: []float64{130, 560}, Widths: []float64{4, 1},
	}
	xAxis, yAxis := Axis{Label: r.Sets[0] + ": " + score.label, Link: "x"}, Axis{Label: r.Sets[1] + ": " + score.label, Link: "y"}
	main := Panel{Row: 1, Points: setsPoints(t, rows, x, y, other, bound, r)}
	if score.signed {
		reach := score.reach(rows, x, y)
		for _, a := range []*Axis{&xAxis, &yAxis} {
			a.Min, a.Max, a.fixed = -reach, reach, true
		}
		main.Rules = []Rule{{At: 0}, {Horizontal: true, At: 0}}
		main.Lines = []Line{{Color: Grey, Width: 1, X: Series{-reach, reach}, Y: Series{-reach, reach}}}
		main.Equal = true
		f.Note = "A point a feature: above 0 where it promotes a set, below where it suppresses it; on the slanted line both are alike." +
			" Coloured where the difference of the two is more than " + short(bound) + ". Histograms count features."
	}
	ofSAE(main.Points, one)
	main.X, main.Y = xAxis, yAxis
	xBare, yBare := xAxis, yAxis
	xBare.Bare, yBare.Bare = true, true
	top := Panel{X: xBare, Y: Axis{Label: "features"}, Bars: marginal(rows, x, r.Bins, false)}
	right := Panel{Row: 1, Column: 1, X: Axis{Label: "features"}, Y: yBare, Bars: marginal(rows, y, r.Bins, true)}
	f.Panels = []Panel{main, top, right}
	return f, nil
}

// reach is how far both axes of two sets go from 0: over all effects that there are, or
// the furthest score.
func (s scoring) reach(rows []int, x, y []float64) float64 {
	furthest := 1.0
	if s.name != ScoreEffect {
		for _, i := range rows {
			furthest = max(furthest, math.Abs(x[i]), math.Abs(y[i]))
		}
	}
	return 1.04 * furthest
}

// pairs finds, for each feature, its rows in both sets: rows are those in the
// first, x and y the two scores at them, and other the row in the second.
func pairs(t *table, sets []string, score scoring) (rows []int, x, y []float64, other map[int]int, err error) {
	x, y, other = make([]float64, t.length), make([]float64, t.length), map[int]int{}
	second := map[int64]int{}
	seen := map[string]bool{}
	for i, set := range t.texts["token_set"] {
		seen[set] = true
		if set == sets[1] {
			second[t.integers["feature"][i]] = i
		}
	}
	for _, set := range sets {
		if !seen[set] {
			return nil, nil, nil, nil, &fault.Error{Subject: set, Problem: "no enrichment in such a token set", Hint: "saedb sets lists the sets; saedb compute scores them"}
		}
	}
	for i, set := range t.texts["token_set"] {
		j, ok := second[t.integers["feature"][i]]
		if set != sets[0] || !ok {
			continue
		}
		rows = append(rows, i)
		other[i] = j
		x[i] = score.row(t, i)
		y[i] = score.row(t, j)
	}
	return rows, x, y, other, nil
}

func setsPoints(t *table, rows []int, x, y []float64, other map[int]int, bound float64, r Request) []Points {
	var kinds [3][]int // alike, more of the first, more of the second
	difference := make([]float64, len(x))
	for _, i := range rows {
		difference[i] = math.Abs(x[i] - y[i])
		switch {
		case difference[i] <= bound:
			kinds[0] = append(kinds[0], i)
		case x[i] > y[i]:
			kinds[1] = append(kinds[1], i)
		default:
			kinds[2] = append(kinds[2], i)
		}
	}
	limited := r
	limited.LabelThreshold = &bound
	if r.TopN == 0 && r.LabelThreshold == nil {
		limited.TopN = 12
	}
	labelled := highest(rows, difference, limited)
	var out []Points
	for k, name := range []string{"alike", "more " + r.Sets[0], "more " + r.Sets[1]} {
		if len(kinds[k]) == 0 {
			continue
		}
		firstToLast(kinds[k], labelled)
		p := featurePoints(t, kinds[k], x, y)
		p.Name, p.Color = name, []Color{Grey, Blue, secondColor}[k]
		if d := t.texts["direction"]; d != nil {
			a, b := Column{Name: r.Sets[0] + " is"}, Column{Name: r.Sets[1] + " is"}
			for _, i := range kinds[k] {
				a.Texts, b.Texts = append(a.Texts, d[i]), append(b.Texts, d[other[i]])
			}
			p.Hover = append(p.Hover, a, b)
		}
		// The token is of the end where the set of the larger score is.
		p.Labels = labelsOf(kinds[k], labelled, t, func(i int) tokenEnd {
			d := t.texts["direction"]
			switch {
			case d == nil:
				return promotedEnd
			case math.Abs(y[i]) > math.Abs(x[i]):
				return endOf(d[other[i]])
			}
			return endOf(d[i])
		})
		out = append(out, p)
	}
	return out
}

// marginal is the histogram of one of the scores.
func marginal(rows []int, values []float64, bins int, horizontal bool) []Bars {
	var of []float64
	for _, i := range rows {
		of = append(of, values[i])
	}
	bars, _ := histogram(of, bins, false)
	bars[0].Horizontal, bars[0].Color = horizontal, Grey
	return bars
}
