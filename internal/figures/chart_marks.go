package figures

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

func (b *chart) draw() error {
	b.panel = Panel{X: Axis{Label: b.X}, Y: Axis{Label: b.Y}}
	switch b.Mark {
	case "scatter":
		b.scatter()
	case "line":
		return b.lines()
	case "bar":
		return b.bars()
	case "histogram":
		b.histograms()
	}
	return nil
}

// compareNumerals orders texts by the numbers that they are, where both are, and as texts else.
func compareNumerals(a, b string) int {
	x, err := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err == nil && err2 == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

// name of a group in the legend.
func (g chartGroup) named(of string) string {
	if of == "" {
		return ""
	}
	return of + " " + g.name
}

func (b *chart) scatter() {
	x, y, values := b.rows.numbers["x"], b.rows.numbers["y"], b.rows.numbers["value"]
	scaled := b.Color != "" && values != nil && b.onScale()
	if scaled {
		if b.panel.Scale = scaleOf(values); b.panel.Scale != nil {
			b.panel.Scale.Label = b.Color
		}
	}
	all, drawn := 0, 0
	for _, g := range b.groups {
		rows := scatter(g.rows, x, y, b.mostPoints/len(b.groups))
		all, drawn = all+len(g.rows), drawn+len(rows)
		p := featurePoints(b.rows, rows, x, y)
		p.Color = g.color
		if scaled {
			for _, i := range rows {
				p.Value = append(p.Value, values[i])
			}
		} else {
			p.Name = g.named(b.Color)
		}
		p.Hover = append(p.Hover, b.whose(rows)...)
		b.panel.Points = append(b.panel.Points, p)
	}
	if drawn < all {
		b.note += fmt.Sprintf("%s points of %s are drawn: of those that lie on one another, the first. ", plaintext.Thousands(drawn), plaintext.Thousands(all))
	}
}

// whose are the SAEs of points and their layers, by which a page finds their features.
func (b *chart) whose(rows []int) (columns []Column) {
	sae, layer := Column{Name: "sae"}, Column{Name: "layer"}
	for _, i := range rows {
		if saes := b.rows.texts["sae"]; saes != nil {
			sae.Texts = append(sae.Texts, saes[i])
		}
		if layers := b.rows.integers["layer"]; layers != nil && layers[i] >= 0 {
			layer.Texts = append(layer.Texts, strconv.FormatInt(layers[i], 10))
		} else {
			layer.Texts = append(layer.Texts, "")
		}
	}
	if sae.Texts != nil {
		columns = append(columns, sae)
	}
	if b.rows.integers["layer"] != nil {
		columns = append(columns, layer)
	}
	return columns
}

// lines join the rows in the order of x, a line a colour. Two rows at one x would make it jump.
func (b *chart) lines() error {
	x, y := b.rows.numbers["x"], b.rows.numbers["y"]
	for _, g := range b.groups {
		rows := slices.Clone(g.rows)
		slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
		line, points := Line{Name: g.named(b.Color), Color: g.color, Width: 2}, Points{Name: g.named(b.Color), Color: g.color, Size: 6}
		for k, i := range rows {
			if k > 0 && x[i] == x[rows[k-1]] {
				return several(b.X, short(x[i]), g.named(b.Color))
			}
			line.X, line.Y = append(line.X, x[i]), append(line.Y, y[i])
		}
		if b.panel.Lines = append(b.panel.Lines, line); b.mostPoints == 0 || len(rows) <= b.mostPoints {
			points.X, points.Y = line.X, line.Y
			b.panel.Points = append(b.panel.Points, points)
		}
	}
	return nil
}

func several(column, value, of string) error {
	if of != "" {
		of = " of " + of
	}
	return &fault.Error{
		Problem: fmt.Sprintf("several rows%s have %s %s", of, column, value),
		Hint:    "choose a color that tells them apart, or aggregate them in the query",
	}
}

// bars have a place for each value of x, in the order in which the rows have them first, and there
// a bar a colour. They lie where there are many, or their names are long.
func (b *chart) bars() error {
	var names []string
	place := map[string]int{}
	longest := 0
	for i, name := range b.rows.texts["place"] {
		if _, known := place[name]; !known && b.drawable(i) {
			place[name], names = len(names), append(names, name)
			longest = max(longest, len([]rune(name)))
		}
	}
	if len(names) > mostBars {
		return &fault.Error{
			Subject: "x", Expected: fmt.Sprintf("at most %d different values for bars", mostBars), Found: fmt.Sprintf("%d in %s", len(names), b.X),
			Hint: "choose another column, LIMIT the query, or draw a histogram",
		}
	}
	along, up := &b.panel.X, &b.panel.Y
	lying := longest > 6 || len(names) > 20
	if lying {
		along, up = up, along
		b.height = 60 + float64(len(names)*max(22, 8*len(b.groups)))
	}
	const shownRunes, pixelsARune = 28, 6.5
	*along, *up = Axis{Label: b.X, Min: 0, Max: float64(len(names)), fixed: true}, Axis{Label: cmp.Or(b.Y, "rows")}
	at := func(place float64) float64 { // the first on top
		if lying {
			return float64(len(names)) - place
		}
		return place
	}
	for i, name := range names {
		along.Ticks = append(along.Ticks, Tick{At: at(float64(i) + 0.5), Label: plaintext.Visible(clipped(name, shownRunes))})
	}
	if lying {
		along.Wide = pixelsARune * float64(min(longest, shownRunes))
		slices.Reverse(along.Ticks)
	}
	for nth, g := range b.groups {
		bars, err := b.barsOf(g, nth, place, names)
		if err != nil {
			return err
		}
		if bars.Horizontal = lying; lying {
			bars.turn(at)
		}
		b.panel.Bars = append(b.panel.Bars, bars)
	}
	return nil
}

// clipped is the start of a long text.
func clipped(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// barsOf are the bars of a colour: each place is divided into a gap, a bar for each colour, and a gap.
func (b *chart) barsOf(g chartGroup, nth int, place map[string]int, names []string) (Bars, error) {
	const gap = 0.12
	width := (1 - 2*gap) / float64(len(b.groups))
	values, known := make([]float64, len(names)), make([]bool, len(names))
	for _, i := range g.rows {
		at := place[b.rows.texts["place"][i]]
		if y := b.rows.numbers["y"]; y == nil {
			values[at]++
		} else if values[at] = y[i]; known[at] {
			return Bars{}, several(b.X, names[at], g.named(b.Color))
		}
		known[at] = true
	}
	bars := Bars{Name: g.named(b.Color), Color: g.color, Edges: Series{0}}
	x, y := Column{Name: b.X}, Column{Name: cmp.Or(b.Y, "rows")}
	for i, v := range values {
		from := float64(i) + gap + float64(nth)*width
		bars.Edges = append(bars.Edges, from, from+width)
		bars.Values = append(bars.Values, 0, v)
		x.Texts, y.Numbers = append(x.Texts, "", plaintext.Visible(names[i])), append(y.Numbers, 0, v)
	}
	bars.Hover = []Column{x, y}
	return bars, nil
}

// turn has the bars in the order of places from the other end.
func (b *Bars) turn(at func(float64) float64) {
	for i := range b.Edges {
		b.Edges[i] = at(b.Edges[i])
	}
	slices.Reverse(b.Edges)
	slices.Reverse(b.Values)
	for _, c := range b.Hover {
		slices.Reverse(c.Texts)
		slices.Reverse(c.Numbers)
	}
}

// histograms count the rows between the same edges, whatever their colour: by bars, or, where
// colours would hide one another, by outlines.
func (b *chart) histograms() {
	b.panel.Y.Label = "rows"
	all := []float64{}
	of := make([][]float64, len(b.groups))
	for nth, g := range b.groups {
		for _, i := range g.rows {
			of[nth] = append(of[nth], b.rows.numbers["x"][i])
		}
		all = append(all, of[nth]...)
	}
	slices.Sort(all)
	e := edges(all[0], all[len(all)-1], defaultBins(all), false)
	if len(b.groups) == 1 {
		b.panel.Bars = []Bars{{Color: Blue, Edges: e, Counts: bin(all, e)}}
		return
	}
	for nth, g := range b.groups {
		b.outline(g, bin(of[nth], e), e)
	}
}

// outline is the steps of a histogram, with points that nobody sees where its bars would end.
func (b *chart) outline(g chartGroup, counts []int, edges []float64) {
	steps := Line{Name: g.named(b.Color), Color: g.color, Width: 1.8, X: Series{edges[0]}, Y: Series{0}}
	tops := Points{Name: steps.Name, Color: g.color, Shape: Hidden, Size: 8}
	rows, from, to := Column{Name: "rows"}, Column{Name: "from"}, Column{Name: "to"}
	for i, count := range counts {
		low, high, n := edges[i], edges[i+1], float64(count)
		steps.X, steps.Y = append(steps.X, low, high), append(steps.Y, n, n)
		if count > 0 {
			tops.X, tops.Y = append(tops.X, (low+high)/2), append(tops.Y, n)
			rows.Numbers, from.Numbers, to.Numbers = append(rows.Numbers, n), append(from.Numbers, low), append(to.Numbers, high)
		}
	}
	steps.X, steps.Y = append(steps.X, edges[len(edges)-1]), append(steps.Y, 0)
	tops.Hover = []Column{rows, from, to}
	b.panel.Lines, b.panel.Points = append(b.panel.Lines, steps), append(b.panel.Points, tops)
}
