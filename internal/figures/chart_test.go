package figures

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// TestCharts: what a chart has is what SQL says of the same rows.
func TestCharts(t *testing.T) {
	db := open(t)
	draw := func(c Chart, query string, most int) *Figure {
		t.Helper()
		f, err := BuildChart(t.Context(), db, c, query, most)
		if err != nil {
			t.Fatalf("%+v of %s: %v", c, query, err)
		}
		if _, err := json.Marshal(f); err != nil {
			t.Fatal(err)
		}
		return f
	}
	// A scatter by a scale of colours: every row with both numbers, and which feature it is.
	const all = "SELECT * FROM features -- with a comment"
	f := draw(Chart{"scatter", "SKEWNESS", "kurtosis", "std"}, all, 0)
	p := f.Panels[0]
	if points := p.Points[0]; len(p.Points) != 1 || float64(len(points.X)) != ask(t, db, "SELECT count(skewness) FROM features") || p.Scale == nil || len(points.Value) != len(points.X) {
		t.Errorf("%d series, %d points, scale %v", len(p.Points), len(points.X), p.Scale)
	} else if hover := points.Hover; hover[0].Name != "feature" || hover[2].Name != "sae" || hover[3].Name != "layer" {
		t.Errorf("hovering shows %+v", hover)
	}
	if p.X.Label != "skewness" || f.Title != "kurtosis by skewness, coloured by std" || !strings.Contains(f.Note, "4 rows without a number") {
		t.Errorf("%q, %q, %q", p.X.Label, f.Title, f.Note)
	}
	// Of few colours each has points of its own, in their order as numbers; of many rows some are drawn.
	f = draw(Chart{"scatter", "skewness", "kurtosis", "group"}, `SELECT *, 8 + feature % 3 AS "group" FROM features`, 300)
	p = f.Panels[0]
	if len(p.Points) != 3 || p.Points[0].Name != "group 8" || p.Points[2].Name != "group 10" || p.Scale != nil || !strings.Contains(f.Note, " points of 996 are drawn") {
		t.Errorf("%d series, %q, %q", len(p.Points), p.Points[0].Name, f.Note)
	}
	// Lines are in the order of x, whatever that of the rows.
	f = draw(Chart{"line", "layer", "v", "n"}, "SELECT layer, n, layer * n AS v FROM range(5, 0, -1) a(layer), range(2) b(n)", 0)
	if lines := f.Panels[0].Lines; len(lines) != 2 || !slices.Equal(lines[1].X, Series{1, 2, 3, 4, 5}) || !slices.Equal(lines[1].Y, Series{1, 2, 3, 4, 5}) || lines[1].Name != "n 1" {
		t.Errorf("lines %+v", lines)
	}
	// A histogram counts every number once; those of several colours between the same edges.
	f = draw(Chart{"histogram", "kurtosis", "", ""}, all, 0)
	bars, total := f.Panels[0].Bars, 0
	for _, n := range bars[0].Counts {
		total += n
	}
	if len(bars) != 1 || total != 996 {
		t.Errorf("%d histograms of %d rows", len(bars), total)
	}
	f = draw(Chart{"histogram", "kurtosis", "", "sae"}, all, 0)
	p = f.Panels[0]
	for i, points := range p.Points {
		rows := 0.0
		for _, n := range points.Y {
			rows += n
		}
		if line := p.Lines[i]; rows != 498 || line.X[0] != bars[0].Edges[0] || slices.Max(line.Y) != slices.Max(points.Y) || points.Shape != Hidden {
			t.Errorf("%s: %v rows, outline %+v", points.Name, rows, line)
		}
	}
	if len(p.Lines) != 2 || len(p.Bars) != 0 {
		t.Errorf("%d outlines, %d histograms of bars", len(p.Lines), len(p.Bars))
	}
	// Bars are in the order of the rows, with negative heights and an axis that has both.
	f = draw(Chart{"bar", "k", "v", ""}, "FROM (VALUES ('b', -2), ('a', 3), (NULL, 0.5)) t(k, v)", 0)
	p = f.Panels[0]
	if got := heights(p.Bars[0]); !slices.Equal(got, []float64{-2, 3, 0.5}) || p.X.Ticks[0].Label != "b" || p.X.Ticks[2].Label != "NULL" || p.Y.Min > -2 || p.Y.Max < 3 || p.Bars[0].Horizontal {
		t.Errorf("bars of %v, ticks %v, axis %v to %v", got, p.X.Ticks, p.Y.Min, p.Y.Max)
	}
	// Long names lie, the first on top; without y rows are counted, by colour.
	f = draw(Chart{"bar", "name", "", "odd"}, "SELECT CASE WHEN feature < 100 THEN 'the first hundred' ELSE 'the others' END AS name, feature % 2 AS odd FROM features ORDER BY feature", 0)
	p = f.Panels[0]
	first := heights(p.Bars[0])
	if len(p.Bars) != 2 || !p.Bars[0].Horizontal || p.Y.Ticks[1].Label != "the first hundred" || p.Y.Ticks[1].At != 1.5 || !slices.Equal(first, []float64{400, 100}) || p.X.Min != 0 {
		t.Errorf("%d bars of %v, ticks %v, axis from %v", len(p.Bars), first, p.Y.Ticks, p.X.Min)
	}
	for _, b := range p.Bars {
		for i := 1; i < len(b.Edges); i++ {
			if b.Edges[i] <= b.Edges[i-1] {
				t.Fatalf("the edges are %v", b.Edges)
			}
		}
	}
	var picture strings.Builder
	if err := f.SVG(&picture, "test"); err != nil || !strings.Contains(picture.String(), "first") {
		t.Errorf("a picture of bars: %v", err)
	}
}

// heights are those of the bars that are drawn, each of which has the number that hovering shows.
func heights(b Bars) []float64 {
	var out []float64
	for i, v := range b.Values {
		if v != 0 {
			out = append(out, v)
		}
		if b.Hover[1].Numbers[i] != v || math.IsNaN(v) {
			return nil
		}
	}
	return out
}

func TestChartsRefuse(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		chart       Chart
		query, want string
	}{
		{Chart{Mark: "pie", X: "a"}, "SELECT 1 AS a", "one of scatter, line, bar, histogram"},
		{Chart{Mark: "scatter", X: "a", Y: "b"}, "SELECT 1 AS a, 'x' AS b, 2 AS c", `y: expected a column of numbers: a, c, found "b"`},
		{Chart{Mark: "line", X: "a"}, "SELECT 1 AS a", `y: expected a column of numbers: a, found ""`},
		{Chart{Mark: "histogram", X: "nope"}, "SELECT 'x' AS a", `x: expected a column of numbers, of which the query has none, found "nope"`},
		{Chart{Mark: "bar", X: "a", Color: "nope"}, "SELECT 'x' AS a", `color: expected a column: a, found "nope"`},
		{Chart{Mark: "bar", X: "a", Y: "b"}, "FROM (VALUES (1, 2), (1, 3)) t(a, b)", "several rows have a 1"},
		{Chart{Mark: "line", X: "a", Y: "b", Color: "c"}, "FROM (VALUES (1, 2, 'x'), (1, 3, 'x')) t(a, b, c)", "several rows of c x have a 1"},
		{Chart{Mark: "bar", X: "range"}, "FROM range(61)", "x: expected at most 60 different values for bars, found 61 in range"},
		{Chart{Mark: "histogram", X: "range", Color: "range"}, "FROM range(7)", "color: expected at most 6 different values, found 7 in range"},
		{Chart{Mark: "histogram", X: "a"}, "SELECT CAST('nan' AS DOUBLE) AS a", "no row has a number in each column"},
		{Chart{Mark: "histogram", X: "range"}, "FROM range(0)", "nothing to draw"},
		{Chart{Mark: "histogram", X: "range"}, "FROM range(1000001)", "at most 1,000,000 rows"},
		{Chart{Mark: "histogram", X: "x"}, "SELECT 1 AS x FROM nowhere", "nowhere does not exist"},
	} {
		if _, err := BuildChart(t.Context(), db, c.chart, c.query, 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v of %s: expected %q, found %v", c.chart, c.query, c.want, err)
		}
	}
}
