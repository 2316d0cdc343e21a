package figures

import (
	"context"
	"database/sql"
	"math"
	"strconv"
	"strings"
	"testing"
)

// scoreInSQL is the score that manhattan draws of a request.
func scoreInSQL(r Request) string {
	switch {
	case r.Score == ScoreP:
		return "-log10(p_value)"
	case r.Score == ScoreEffect:
		return "CAST(effect AS DOUBLE)"
	case r.Unsigned || r.Score == ScoreES:
		return "-ln(greatest(1 - CAST(es AS DOUBLE), 1e-6))"
	}
	return "CASE WHEN effect < 0 THEN log10(q_value) ELSE -log10(q_value) END"
}

func TestManhattanHasEveryScore(t *testing.T) {
	db := open(t)
	threshold := 1.5
	for _, r := range []Request{
		{Name: "manhattan", SAE: "one", Sets: []string{"even", "low"}, LabelThreshold: &threshold},
		{Name: "manhattan", SAE: "one", Sets: []string{"even", "low"}, Score: ScoreEffect},
		{Name: "manhattan", SAE: "one", Sets: []string{"even", "low"}, LabelThreshold: &threshold, Unsigned: true},
		{Name: "manhattan", SAE: "one", Sets: []string{"even"}, Score: ScoreP, TopN: 3},
		{Name: "manhattan", SAE: "one"},
	} {
		f := build(t, db, r)
		for _, p := range f.Panels {
			set, _, _ := strings.Cut(p.Title, " ")
			points, labelled := 0, 0
			for _, s := range p.Points {
				for i := range s.X {
					points++
					want := ask(t, db, `SELECT `+scoreInSQL(r)+` FROM enrichment WHERE sae = 'one' AND token_set = ? AND feature = ? AND direction = ?`, set, int(s.X[i]), s.Name)
					if math.Abs(s.Y[i]-want) > 1e-12*(1+math.Abs(want)) {
						t.Fatalf("%s, feature %v: score %v, SQL says %v", set, s.X[i], s.Y[i], want)
					}
					if s.Labels != nil && s.Labels[i] != "" {
						labelled++
						token := hostile[int(s.X[i])%len(hostile)] // the token that is promoted, or suppressed, most
						if s.Name == "suppressed" {
							token = "down"
						}
						if s.Labels[i] != "feature "+strconv.Itoa(int(s.X[i]))+" "+showToken(token) {
							t.Errorf("%s, feature %v has the label %q", set, s.X[i], s.Labels[i])
						}
					}
				}
			}
			if points != 500 {
				t.Errorf("%s: %d points, expected 500", set, points)
			}
			wanted := 5.0
			if r.LabelThreshold != nil {
				wanted = ask(t, db, `SELECT count(*) FROM enrichment WHERE sae = 'one' AND token_set = ? AND abs(`+scoreInSQL(r)+`) > ?`, set, threshold)
			} else if r.TopN > 0 {
				wanted = float64(r.TopN)
			}
			if float64(labelled) != wanted || wanted == 0 {
				t.Errorf("%s: %d labels, expected %v", set, labelled, wanted)
			}
			if mirrored := p.Y.Min == -p.Y.Max; mirrored != (r.Score != ScoreP && !r.Unsigned) {
				t.Errorf("%+v: the axis is from %v to %v", r, p.Y.Min, p.Y.Max)
			}
		}
	}
}

// Where two labels would lie over each other the first is written: they are in the order of
// their distance from 0.
func TestLabelsAreFurthestFirst(t *testing.T) {
	f := build(t, open(t), Request{Name: "manhattan", SAE: "one", Sets: []string{"even"}, TopN: 40})
	for _, s := range f.Panels[0].Points {
		labelled := 0
		for i, label := range s.Labels {
			if label == "" {
				break
			}
			if labelled++; i > 0 && math.Abs(s.Y[i]) > math.Abs(s.Y[i-1]) {
				t.Errorf("%s: %v comes after %v", s.Name, s.Y[i], s.Y[i-1])
			}
		}
		if labelled < 5 {
			t.Errorf("%s: the first %d have labels", s.Name, labelled)
		}
	}
}

func TestSetsLabelsWhatDiffers(t *testing.T) {
	db, bound := open(t), 1.0
	for _, unsigned := range []bool{false, true} {
		setsLabelWhatDiffers(t, db, unsigned, bound)
	}
}

func setsLabelWhatDiffers(t *testing.T, db *sql.DB, unsigned bool, bound float64) {
	t.Helper()
	f := build(t, db, Request{Name: "sets", SAE: "two", Sets: []string{"even", "low"}, LabelThreshold: &bound, Unsigned: unsigned})
	points, score := 0, "CAST(effect AS DOUBLE)"
	if unsigned {
		score = "-ln(1 - CAST(es AS DOUBLE))"
	}
	for _, s := range f.Panels[0].Points {
		points += len(s.X)
		for i := range s.X {
			differs := math.Abs(s.X[i]-s.Y[i]) > bound
			if differs != (s.Name != "alike") || differs != (s.Labels != nil && s.Labels[i] != "") || s.Name == "more even" && s.X[i] < s.Y[i] || s.Name == "more low" && s.X[i] > s.Y[i] {
				t.Errorf("%s: (%v, %v) has the label %v", s.Name, s.X[i], s.Y[i], s.Labels)
			}
			for k, set := range []string{"even", "low"} {
				want := ask(t, db, `SELECT `+score+` FROM enrichment WHERE sae = 'two' AND token_set = ? AND feature = ?`, set, s.Hover[0].Texts[i])
				if got := []float64{s.X[i], s.Y[i]}[k]; math.Abs(got-want) > 1e-9 {
					t.Fatalf("feature %s in %s: %v, SQL says %v", s.Hover[0].Texts[i], set, got, want)
				}
			}
		}
	}
	if points != 500 {
		t.Errorf("%d points, expected 500", points)
	}
	for _, p := range f.Panels[1:] {
		sum := 0
		for _, c := range p.Bars[0].Counts {
			sum += c
		}
		if sum != 500 {
			t.Errorf("a margin counts %d features, expected 500", sum)
		}
	}
	if main := f.Panels[0]; !unsigned && (main.X.Min != -main.X.Max || main.X.Max != main.Y.Max || main.X.Min != main.Y.Min || main.X.Max < 1 || len(main.Rules) != 2 || len(main.Lines) != 1) {
		t.Errorf("signed axes from %v to %v and %v to %v, rules %v, lines %v", main.X.Min, main.X.Max, main.Y.Min, main.Y.Max, main.Rules, main.Lines)
	}
	if f.Panels[0].X.Min != f.Panels[1].X.Min || f.Panels[0].Y.Max != f.Panels[2].Y.Max {
		t.Error("the margins' axes differ from the scatter plot's")
	}
}

func TestLayersAgreeWithSQL(t *testing.T) {
	db := open(t)
	f := build(t, db, Request{Name: "layers"})
	for i, statistic := range layerStatistics {
		for k, layer := range f.Panels[i].Lines[0].X {
			for q, band := range f.Panels[i].Bands {
				want := ask(t, db, `SELECT quantile_cont(`+statistic+`, `+strconv.FormatFloat(percentiles[q], 'f', -1, 64)+`) FROM features WHERE layer = ?`, int(layer))
				if math.Abs(band.Low[k]-want) > 1e-12 {
					t.Errorf("%s, layer %v, %s: %v, SQL says %v", statistic, layer, band.Name, band.Low[k], want)
				}
			}
		}
	}
	boxes := build(t, db, Request{Name: "layer-box", Statistic: "kurtosis"})
	for _, b := range boxes.Panels[0].Boxes[0].Items {
		outliers := 0
		for _, x := range boxes.Panels[0].Points[0].X {
			if x == b.At {
				outliers++
			}
		}
		if within := ask(t, db, `SELECT count(*) FROM features WHERE layer = ? AND kurtosis BETWEEN ? AND ?`, int(b.At), b.Low, b.High); int(within)+outliers != b.Count || b.Count != 498 {
			t.Errorf("layer %v: %v within the whiskers and %d outliers of %d", b.At, within, outliers, b.Count)
		}
	}
	scatter := build(t, db, Request{Name: "layer-scatter"})
	if len(scatter.Frames) != 2 || len(scatter.Panels[0].Points) != 2 || len(scatter.Panels[0].Points[1].X) != 498 {
		t.Errorf("expected 498 points in each of two frames, found frames %v", scatter.Frames)
	}
	for i, layer := range scatter.Frames {
		own := scatter.Panels[0].X.Frames[i]
		low, high := ask(t, db, `SELECT min(skewness) FROM features WHERE 'layer ' || layer = ?`, layer), ask(t, db, `SELECT max(skewness) FROM features WHERE 'layer ' || layer = ?`, layer)
		if room := 0.04 * (high - low); math.Abs(own[0]-low+room) > 1e-9 || math.Abs(own[1]-high-room) > 1e-9 {
			t.Errorf("%s: an axis of %v for skewness from %g to %g", layer, own, low, high)
		}
	}
}

func TestRunningSumIsTheEnrichmentScore(t *testing.T) {
	for _, c := range []struct {
		member    []bool
		es        float64
		from, to  int
		peak      float64
		direction string
	}{
		{[]bool{true, true, false, false, true}, 2.0 / 3, 0, 2, 2, "promoted"},
		{[]bool{false, false, true, true}, -1, 0, 2, 2, "suppressed"},
		{[]bool{true, false, false, false, true, true}, -2.0 / 3, 1, 3, 4, "suppressed"},
	} {
		ranks := make([]int64, len(c.member))
		for i := range ranks {
			ranks[i] = int64(i + 1)
		}
		w, _ := walkOf(ranks, c.member)
		if math.Abs(w.es-c.es) > 1e-12 || w.from != c.from || w.to != c.to || w.peak != c.peak {
			t.Errorf("%v: ES %v, leading edge %d to %d, peak %v; expected %+v", c.member, w.es, w.from, w.to, w.peak, c)
		}
	}
	f := build(t, open(t), everyFigure["running-sum"])
	if !strings.HasPrefix(f.Note, "ES ") || len(f.Panels) != 3 {
		t.Errorf("found %q and %d panels", f.Note, len(f.Panels))
	}
}

func TestFeatureCountsTokensByMembership(t *testing.T) {
	db := open(t)
	f := build(t, db, everyFigure["feature"])
	for _, bars := range f.Panels[1].Bars {
		for b, count := range bars.Counts {
			closed := "<"
			if b == len(bars.Counts)-1 {
				closed = "<="
			}
			want := ask(t, db, `SELECT count(*) FROM (`+everyFigure["feature"].Query+`) WHERE member = ? AND logit_weight >= ? AND logit_weight `+closed+` ?`,
				bars.Name == "even", bars.Edges[b], bars.Edges[b+1])
			if float64(count) != want {
				t.Errorf("%s, bin %d: %d tokens, SQL counts %v", bars.Name, b, count, want)
			}
		}
	}
	if f.Panels[0].Boxes[0].Items[0].Count+f.Panels[0].Boxes[1].Items[0].Count != 1000 {
		t.Error("the box plots do not count 1000 tokens")
	}
}

func TestManhattanSaysWhereNothingIsBeyondChance(t *testing.T) {
	for statement, want := range map[string]string{
		"UPDATE enrichment SET q_value = q_value / 100 WHERE feature = 3": "",
		"UPDATE enrichment SET q_value = 0.05":                            "Nothing here is beyond chance (q < 0.05)",
		"UPDATE enrichment SET q_value = NULL":                            "No baseline is computed",
		"UPDATE enrichment SET q_value = 0 WHERE feature = 3":             "",
	} {
		db := open(t)
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
		f := build(t, db, Request{Name: "manhattan", SAE: "one"})
		if says := strings.Contains(f.Note, "chance") || strings.Contains(f.Note, "baseline"); says != (want != "") || !strings.Contains(f.Note, want) {
			t.Errorf("%s: the note is %q, expected %q", statement, f.Note, want)
		}
		// Without q-values the effect is drawn; a q-value of 0 is drawn as 1e-300.
		highest := 0.0
		for _, s := range f.Panels[0].Points {
			for _, y := range s.Y {
				highest = max(highest, math.Abs(y))
			}
		}
		if strings.HasSuffix(statement, "NULL") && (highest > 1 || f.Panels[0].Y.Label != scorings[ScoreEffect].label) || strings.Contains(statement, "= 0 ") && highest != 300 {
			t.Errorf("%s: drawn to %v on %q", statement, highest, f.Panels[0].Y.Label)
		}
	}
}

func TestEnrichmentErrors(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		request Request
		want    string
	}{
		{Request{Name: "manhattan"}, "expected one SAE, found 2: one, two (name one with --sae)"},
		{Request{Name: "manhattan", SAE: "one", Sets: []string{"odd"}}, "nothing to draw"},
		{Request{Name: "sets", SAE: "one", Sets: []string{"even", "odd"}}, "plot sets: odd: no enrichment in such a token set"},
		{Request{Name: "sets", SAE: "one", Sets: []string{"even"}}, "expected two token sets, found 1"},
		{Request{Name: "feature", SAE: "one", Feature: -1}, "expected a feature's number, or a token set"},
		{Request{Name: "running-sum", Query: "SELECT 1 AS rank, true AS member"}, "expected some of the tokens in it, and some not, found 1 of 1"},
		{Request{Name: "layers", Query: "SELECT 1 AS std"}, "the query lacks layer"},
		{Request{Name: "sets", SAE: "one", Sets: []string{"even", "low"}, Score: ScoreQ, Unsigned: true}, "expected the score es or p for an unsigned figure, found q"},
		{Request{Name: "manhattan", SAE: "one", Score: "z"}, "expected the score effect, q, es or p"},
	} {
		_, err := Build(context.Background(), db, c.request)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: expected %q in %v", c.request, c.want, err)
		}
	}
}
