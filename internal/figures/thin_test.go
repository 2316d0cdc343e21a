package figures

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestThinnedManhattanLeavesNothingOut(t *testing.T) {
	db, threshold := open(t), 2.5
	for _, r := range []Request{
		{Name: "manhattan", SAE: "one", MostPoints: 200},
		{Name: "manhattan", SAE: "one", Sets: []string{"low", "even"}, MostPoints: 100, Score: ScoreEffect},
		{Name: "manhattan", SAE: "one", Sets: []string{"low"}, MostPoints: 50, Unsigned: true},
		{Name: "manhattan", SAE: "one", Sets: []string{"low"}, MostPoints: 30},
		{Name: "manhattan", SAE: "one", Sets: []string{"low", "even"}, MostPoints: 100, Score: ScoreP},
		{Name: "manhattan", SAE: "one", Sets: []string{"even"}, MostPoints: 20, LabelThreshold: &threshold, Unsigned: true},
		{Name: "manhattan", MostPoints: 100, Query: "SELECT feature, token_set, es, p_value FROM enrichment WHERE sae = 'one'"},
	} {
		f := build(t, db, r)
		score := scorings[map[bool]string{true: ScoreES, false: ScoreQ}[r.Unsigned || r.Query != ""]]
		if r.Score != "" {
			score = scorings[r.Score]
		}
		for _, p := range f.Panels {
			set := strings.Fields(strings.ReplaceAll(p.Title, ":", ""))[0]
			points, lowest, features := 0, math.Inf(1), []string{}
			for _, s := range p.Points {
				points += len(s.X)
				for i := range s.X {
					lowest, features = min(lowest, math.Abs(s.Y[i])), append(features, fmt.Sprint(s.X[i]))
				}
			}
			if points == 0 || points > 200 || len(p.Bands) == 0 {
				t.Fatalf("%+v, %s: %d points and %d bands", r, set, points, len(p.Bands))
			}
			if !strings.Contains(p.Title, fmt.Sprintf("the %d highest of 500 features", points)) {
				t.Errorf("%d points are drawn; the title says %q", points, p.Title)
			}
			if r.LabelThreshold != nil && float64(points) < ask(t, db, `SELECT count(*) FROM enrichment WHERE sae = 'one' AND token_set = ? AND abs(`+scoreInSQL(r)+`) > ?`, set, threshold) {
				t.Errorf("%s: a point above the threshold of labels is not drawn", set)
			}
			rest := 0
			for _, band := range p.Bands {
				for i := 0; i < len(band.X); i += 2 {
					in := fmt.Sprintf(`FROM enrichment WHERE sae = 'one' AND token_set = '%s' AND feature >= %v AND feature < %v AND feature NOT IN (%s)`,
						set, band.X[i], band.X[i+1], strings.Join(features, ", "))
					rest += int(ask(t, db, `SELECT count(*) `+in))
					low, high := score.at(ask(t, db, `SELECT min(`+score.value+`) `+in)), score.at(ask(t, db, `SELECT max(`+score.value+`) `+in))
					if band.Low[i] != low || band.High[i] != high || band.Low[i+1] != low || band.High[i+1] != high || max(high, -low) > lowest {
						t.Errorf("%s, features from %v: the band spans %v to %v, SQL says %v to %v; the lowest point is at %v", set, band.X[i], band.Low[i], band.High[i], low, high, lowest)
					}
				}
			}
			if points+rest != 500 {
				t.Errorf("%+v, %s: %d points and %d others of 500 features", r, set, points, rest)
			}
		}
	}
}

func TestThinnedScatterCoversEveryPoint(t *testing.T) {
	db := open(t)
	all, drawn := build(t, db, Request{Name: "skew-kurtosis", SAE: "local/two"}), build(t, db, Request{Name: "skew-kurtosis", SAE: "local/two", MostPoints: 120})
	a, d := all.Panels[0].Points[0], drawn.Panels[0].Points[0]
	if len(d.X) == 0 || len(d.X) > 120 || len(a.X) != 498 {
		t.Fatalf("%d of %d points are drawn", len(d.X), len(a.X))
	}
	if drawn.Title != all.Title || !strings.Contains(drawn.Panels[0].Title, fmt.Sprintf("%d of 498 features", len(d.X))) {
		t.Errorf("the titles are %q and %q", drawn.Title, drawn.Panels[0].Title)
	}
	if *drawn.Panels[0].Scale != *all.Panels[0].Scale {
		t.Error("the colours' scale is of the drawn points alone")
	}
	at := map[string]int{}
	for i, feature := range a.Hover[0].Texts {
		at[feature] = i
	}
	for i, feature := range d.Hover[0].Texts {
		if k := at[feature]; d.X[i] != a.X[k] || d.Y[i] != a.Y[k] || d.Value[i] != a.Value[k] {
			t.Errorf("feature %s is drawn at another place", feature)
		}
	}
	// A point that is not drawn has one beside it, within the square of a grid that is
	// as coarse as 120 points need.
	width := func(values Series) float64 {
		var e extent
		e.add(values...)
		return e.high - e.low
	}
	right, up := width(a.X)/16, width(logarithms(a.Y))/8
	for i := range a.X {
		near := false
		for k := range d.X {
			near = near || math.Abs(d.X[k]-a.X[i]) <= right && math.Abs(math.Log(d.Y[k])-math.Log(a.Y[i])) <= up
		}
		if !near {
			t.Errorf("feature %s has no drawn point beside it", a.Hover[0].Texts[i])
		}
	}
}

func TestThinnedRunningSumKeepsItsPeak(t *testing.T) {
	db := open(t)
	for _, member := range []string{"i < 300 OR i % 3 = 0", "i > 600", "i % 2 = 0 AND i > 100"} {
		r := Request{Name: "running-sum", Query: "SELECT i + 1 AS rank, " + member + " AS member FROM range(1000) r(i)"}
		all := build(t, db, r)
		r.MostPoints = 60
		drawn := build(t, db, r)
		if !strings.HasPrefix(drawn.Note, all.Note) || drawn.Panels[0].Rules[1] != all.Panels[0].Rules[1] {
			t.Errorf("%s: %q and %v, expected %q and %v", member, drawn.Note, drawn.Panels[0].Rules, all.Note, all.Panels[0].Rules)
		}
		corners := map[[2]float64]bool{}
		furthest := func(f *Figure) (y float64) {
			for i, v := range f.Panels[0].Lines[0].Y {
				if f == all {
					corners[[2]float64{f.Panels[0].Lines[0].X[i], v}] = true
				}
				if math.Abs(v) > math.Abs(y) {
					y = v
				}
			}
			return y
		}
		if want, got := furthest(all), furthest(drawn); want != got {
			t.Errorf("%s: the drawn curve's peak is %v, expected %v", member, got, want)
		}
		line, points := drawn.Panels[0].Lines[0], 0
		for i := range line.X {
			if !corners[[2]float64{line.X[i], line.Y[i]}] {
				t.Errorf("%s: (%v, %v) is not on the curve", member, line.X[i], line.Y[i])
			}
		}
		edges := map[string]bool{}
		for _, s := range drawn.Panels[1].Points {
			points += len(s.X)
			edges[s.Name] = true
		}
		if points > 36 || !edges["leading edge"] {
			t.Errorf("%s: %d members are drawn, %v", member, points, edges)
		}
	}
}

func TestEndTokensOfTheCaller(t *testing.T) {
	db := open(t)
	of := func(_ context.Context, sae string, features []int64) (top, bottom [][]string, err error) {
		for _, f := range features {
			top, bottom = append(top, []string{fmt.Sprintf("%s/%d", sae, f)}), append(bottom, []string{fmt.Sprintf("%s/-%d", sae, f)})
		}
		return top, bottom, nil
	}
	for _, name := range []string{"manhattan", "skew-kurtosis"} {
		f := build(t, db, Request{Name: name, SAE: "two", MostPoints: 100, EndTokens: of})
		for _, p := range f.Panels {
			for _, s := range p.Points {
				for i, feature := range s.Hover[0].Texts {
					verb, want := "promotes", "two/"+feature
					if s.Name == "suppressed" {
						verb, want = "suppresses", "two/-"+feature
					}
					if s.Hover[1].Name != verb || s.Hover[1].Texts[i] != want || s.URLs != nil {
						t.Fatalf("%s: feature %s %s %q, expected that it %s %q", name, feature, s.Hover[1].Name, s.Hover[1].Texts[i], verb, want)
					}
				}
			}
		}
	}
}
