package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
)

// A Chart is what to draw of any columns of a query, by the names that these have there.
type Chart struct {
	Mark string // one of Marks
	X, Y string // columns; Y of bars may be empty, for the number of rows
	// Color is a column that points are coloured by, or whose values have lines, bars or
	// histograms of their own; empty for none.
	Color string
}

// Marks are what a [Chart] can be.
var Marks = []string{"scatter", "line", "bar", "histogram"}

// What a chart is bounded to, so that it can be read.
const (
	mostChartRows = 1_000_000
	mostBars      = 60 // places along x, each with a bar for each colour
	mostColors    = 6
)

var chartColors = [mostColors]Color{Blue, Orange, Green, Purple, Red, Grey}

// BuildChart draws columns of a query. At most mostPoints points are drawn, or all where it is 0.
func BuildChart(ctx context.Context, db *sql.DB, c Chart, query string, mostPoints int) (*Figure, error) {
	if !slices.Contains(Marks, c.Mark) {
		return nil, &fault.Error{Op: "plot", Expected: "one of " + strings.Join(Marks, ", "), Found: fmt.Sprintf("%q", c.Mark)}
	}
	b := &chart{Chart: c, mostPoints: mostPoints}
	err := b.read(ctx, db, query)
	if err == nil {
		err = b.groupByColor()
	}
	if err == nil {
		err = b.draw()
	}
	if err != nil {
		return nil, fault.At("plot "+c.Mark, "", err)
	}
	f := &Figure{
		Name: c.Mark, Title: b.title(), Note: b.note, Hint: "Hover a mark for its values.", Query: query,
		Heights: []float64{max(460, b.height)}, Widths: []float64{1}, Panels: []Panel{b.panel},
	}
	f.fit()
	return f, nil
}

// A chart is one that is being made.
type chart struct {
	Chart
	mostPoints int
	rows       *table       // x and y as numbers, place and color as texts, describing
	groups     []chartGroup // one, where there are no colours
	dropped    int          // rows without a number
	panel      Panel
	height     float64 // that bars ask for, in pixels
	note       string
}

// A chartGroup is the rows of one colour.
type chartGroup struct {
	name  string
	color Color
	rows  []int
}

func (b *chart) title() string {
	what := map[bool]string{true: b.Y + " by " + b.X, false: b.X}[b.Y != ""]
	if b.Mark == "bar" && b.Y == "" {
		what = "Rows by " + b.X
	}
	if b.Color != "" {
		what += ", coloured by " + b.Color
	}
	return what
}

// read reads the columns that are drawn. Their names are found whatever their case, as DuckDB's.
func (b *chart) read(ctx context.Context, db *sql.DB, query string) error {
	types, err := columnsOf(ctx, db, query)
	if err != nil {
		return err
	}
	expressions, columns, err := b.choose(types)
	if err != nil {
		return err
	}
	s := &source{
		db: db, op: "plot " + b.Mark, own: true, names: namesOf(columns),
		query: fmt.Sprintf("SELECT %s FROM (\n%s\n) LIMIT %d", strings.Join(expressions, ", "), query, mostChartRows+1),
	}
	if b.rows, err = s.read(ctx, columns, nil, "", ""); err != nil {
		return err
	}
	switch {
	case b.rows.length == 0:
		return s.empty()
	case b.rows.length > mostChartRows:
		return &fault.Error{Expected: "at most " + plaintext.Thousands(mostChartRows) + " rows", Found: "more", Hint: "aggregate them in the query"}
	}
	return nil
}

// choose is what is read of a query: expressions, and the columns that they are. Numbers are x, y
// and value, which is color where that is a number; texts are place, the x of bars, and color.
func (b *chart) choose(types queryColumns) (expressions []string, columns []column, err error) {
	if b.Mark == "histogram" {
		b.Y = ""
	}
	add := func(name, as, kind string) {
		expression := "TRY_CAST(" + schema.Identifier(name) + " AS " + kind + ")"
		if as == "place" || as == "color" {
			expression = "coalesce(" + expression + ", 'NULL')"
		}
		expressions, columns = append(expressions, expression+" AS "+as), append(columns, column{as, kind})
	}
	points := b.Mark == "scatter" || b.Mark == "line"
	for _, wanted := range []struct {
		as                string
		name              *string
		needed, numerical bool
	}{{"x", &b.X, true, b.Mark != "bar"}, {"y", &b.Y, points, true}, {"color", &b.Color, false, false}} {
		if *wanted.name == "" && !wanted.needed {
			continue
		}
		found := types.find(*wanted.name)
		if found == nil || wanted.numerical && !found.Numeric() {
			return nil, nil, &fault.Error{Subject: wanted.as, Expected: types.choices(wanted.numerical), Found: fmt.Sprintf("%q", *wanted.name)}
		}
		*wanted.name = found.Name
		switch {
		case wanted.numerical:
			add(found.Name, wanted.as, number)
		case wanted.as == "x":
			add(found.Name, "place", text)
		default:
			add(found.Name, "color", text)
			if b.Mark == "scatter" && found.Numeric() {
				add(found.Name, "value", number)
			}
		}
	}
	for _, c := range describing {
		if found := types.find(c.name); found != nil && b.Mark == "scatter" {
			add(found.Name, c.name, c.kind)
		}
	}
	return expressions, columns, nil
}

type queryColumns []QueryColumn

func columnsOf(ctx context.Context, db *sql.DB, query string) (queryColumns, error) {
	rows, err := db.QueryContext(ctx, "FROM (\n"+query+"\n) LIMIT 0")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found, err := rows.ColumnTypes()
	var out queryColumns
	for _, c := range found {
		out = append(out, QueryColumn{c.Name(), c.DatabaseTypeName()})
	}
	return out, err
}

func (t queryColumns) find(name string) *QueryColumn {
	for i := range t {
		if strings.EqualFold(t[i].Name, name) {
			return &t[i]
		}
	}
	return nil
}

func (t queryColumns) choices(numeric bool) string {
	var names []string
	for _, c := range t {
		if c.Numeric() || !numeric {
			names = append(names, c.Name)
		}
	}
	switch {
	case numeric && names == nil:
		return "a column of numbers, of which the query has none"
	case numeric:
		return "a column of numbers: " + plaintext.Shortened(names)
	}
	return "a column: " + plaintext.Shortened(names)
}

// groupByColor divides the rows that can be drawn by colour, in the order of their values.
func (b *chart) groupByColor() error {
	at := map[string]int{}
	for i := range b.rows.length {
		if !b.drawable(i) {
			b.dropped++
			continue
		}
		name := ""
		if colors := b.rows.texts["color"]; colors != nil && !b.onScale() {
			name = colors[i]
		}
		g, known := at[name]
		if !known {
			g = len(b.groups)
			at[name], b.groups = g, append(b.groups, chartGroup{name: name})
		}
		b.groups[g].rows = append(b.groups[g].rows, i)
	}
	switch {
	case b.groups == nil:
		return &fault.Error{Problem: "nothing to draw: no row has a number in each column"}
	case len(b.groups) > mostColors:
		return &fault.Error{
			Subject: "color", Expected: fmt.Sprintf("at most %d different values", mostColors), Found: fmt.Sprintf("%d in %s", len(b.groups), b.Color),
			Hint: "choose another column, or put values together in the query",
		}
	}
	slices.SortStableFunc(b.groups, func(a, b chartGroup) int { return compareNumerals(a.name, b.name) })
	for i := range b.groups {
		b.groups[i].color = chartColors[i]
	}
	if b.dropped > 0 {
		b.note = plaintext.Thousands(b.dropped) + " rows without a number are left out. "
	}
	return nil
}

// onScale tells whether points have a colour by a scale of numbers, which are too many for
// a colour each.
func (b *chart) onScale() bool {
	values := b.rows.texts["color"]
	if b.rows.numbers["value"] == nil {
		return false
	}
	distinct := map[string]bool{}
	for _, v := range values {
		if distinct[v] = true; len(distinct) > mostColors {
			return true
		}
	}
	return false
}

func (b *chart) drawable(row int) bool {
	for _, name := range []string{"x", "y"} {
		if v := b.rows.numbers[name]; v != nil && (math.IsNaN(v[row]) || math.IsInf(v[row], 0)) {
			return false
		}
	}
	return true
}
