package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// A source is the query that a figure's numbers come from: the figure's own, with
// arguments, or the user's.
type source struct {
	db    *sql.DB
	op    string // for errors: plot skewness
	query string
	args  []any
	own   bool     // the user's
	names []string // its columns, lower case
	told  *chances // what chances has found
}

// figureSource is the query of a figure: columns, each a name or a table's name and one, and what
// follows them.
func figureSource(db *sql.DB, r Request, columns, from string, args ...any) *source {
	s := &source{db: db, op: "plot " + r.Name, query: "SELECT " + columns + from, args: args}
	for name := range strings.SplitSeq(columns, ", ") {
		s.names = append(s.names, name[strings.LastIndexByte(name, '.')+1:])
	}
	return s
}

// userSource finds out the columns of the user's query.
func userSource(ctx context.Context, db *sql.DB, r Request) (*source, error) {
	s := &source{db: db, op: "plot " + r.Name, query: strings.TrimRight(r.Query, "; \t\r\n"), own: true}
	names, _, err := schema.Values(ctx, db, s.from("SELECT * FROM source LIMIT 0"))
	for _, name := range names {
		s.names = append(s.names, strings.ToLower(name))
	}
	return s, s.failed(err)
}

// failed is the error of a query that reads the source.
func (s *source) failed(err error) error {
	if err == nil {
		return nil
	}
	return &fault.Error{Op: s.op, Subject: s.subject(), Err: err}
}

// rowsOf returns the rows of a query that reads a source, as [schema.Rows] does.
func rowsOf[T any](ctx context.Context, s *source, columns func(*T) []any, query string) ([]T, error) {
	rows, err := schema.Rows(ctx, s.db, columns, s.from(query), s.args...)
	return rows, s.failed(err)
}

// from puts the source before a query that reads it, or before ", name AS (…)" and
// such a query. The line break ends a comment at the end of the user's query.
func (s *source) from(query string) string {
	return "WITH source AS (\n" + s.query + "\n) " + query
}

// spelled is the query with its arguments in the places of its parameters, which a person can run.
func (s *source) spelled() string {
	var spelled strings.Builder
	quoted, left := false, s.args
	for _, c := range s.query {
		switch {
		case c == '?' && !quoted && len(left) > 0:
			if text, ok := left[0].(string); ok {
				spelled.WriteString(schema.Literal(text))
			} else {
				fmt.Fprint(&spelled, left[0])
			}
			left = left[1:]
		default:
			quoted = quoted != (c == '\'')
			spelled.WriteRune(c)
		}
	}
	return spelled.String()
}

func (s *source) subject() string {
	if s.own {
		return "--sql"
	}
	return ""
}

func (s *source) has(name string) bool {
	return slices.Contains(s.names, name)
}

// require gives an error that names the columns that the query lacks.
func (s *source) require(names ...string) error {
	var missing []string
	for _, name := range names {
		if !s.has(name) {
			missing = append(missing, name)
		}
	}
	if missing == nil {
		return nil
	}
	return &fault.Error{
		Op: s.op, Subject: s.subject(), Problem: "the query lacks " + strings.Join(missing, ", "),
		Expected: "the columns " + strings.Join(names, ", "), Found: strings.Join(s.names, ", "),
	}
}

// A column of a source is cast to one of these types as it is read.
const (
	number  = "DOUBLE"
	integer = "BIGINT"
	text    = "VARCHAR"
	texts   = "VARCHAR[]"
	boolean = "BOOLEAN"
)

type column struct{ name, kind string }

// A table is the columns of a source that a figure needs, of equal length. A
// column that is optional and absent is missing from the maps.
type table struct {
	length   int
	numbers  map[string][]float64 // NULL is NaN
	integers map[string][]int64   // NULL is -1
	texts    map[string][]string  // NULL is ""
	lists    map[string][][]string
	booleans map[string][]bool
}

func namesOf(columns []column) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// read reads the columns, those in optional where the source has them, of the rows
// for which where holds, in order.
func (s *source) read(ctx context.Context, required, optional []column, where, order string) (*table, error) {
	if err := s.require(namesOf(required)...); err != nil {
		return nil, err
	}
	columns := required
	for _, c := range optional {
		if s.has(c.name) && !slices.Contains(columns, c) {
			columns = append(columns[:len(columns):len(columns)], c)
		}
	}
	var casts []string
	for _, c := range columns {
		casts = append(casts, fmt.Sprintf("CAST(%s AS %s) AS %s", c.name, c.kind, c.name))
	}
	query := "SELECT " + strings.Join(casts, ", ") + " FROM source"
	if where != "" {
		query += " WHERE " + where
	}
	if order != "" && !s.own {
		query += " ORDER BY " + order
	}
	rows, err := s.db.QueryContext(ctx, s.from(query), s.args...)
	if err != nil {
		return nil, s.failed(err)
	}
	defer rows.Close()
	t, err := scan(rows, columns)
	return t, s.failed(err)
}

func newTable() *table {
	return &table{
		numbers: map[string][]float64{}, integers: map[string][]int64{}, texts: map[string][]string{},
		lists: map[string][][]string{}, booleans: map[string][]bool{},
	}
}

func scan(rows *sql.Rows, columns []column) (*table, error) {
	t := newTable()
	values, pointers := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		pointers[i] = &values[i]
	}
	appends, ends := make([]func(any), len(columns)), make([]func(), len(columns))
	for i, c := range columns {
		appends[i], ends[i] = t.appender(c)
	}
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return nil, err
		}
		for i := range columns {
			appends[i](values[i])
		}
		t.length++
	}
	for _, end := range ends {
		end()
	}
	return t, rows.Err()
}

// appender returns a function that takes a column's values, and one that puts them into the table.
func (t *table) appender(c column) (add func(value any), end func()) {
	switch c.kind {
	case number:
		return appendTo(t.numbers, c.name, math.NaN())
	case integer:
		return appendTo(t.integers, c.name, int64(-1))
	case text:
		return appendTo(t.texts, c.name, "")
	case boolean:
		return appendTo(t.booleans, c.name, false)
	default: // texts
		add = func(value any) {
			var list schema.ListOf[string]
			_ = list.Scan(value)
			t.lists[c.name] = append(t.lists[c.name], list)
		}
		return add, func() {}
	}
}

func appendTo[T any](columns map[string][]T, name string, null T) (add func(value any), end func()) {
	var values []T
	add = func(value any) {
		v, ok := value.(T)
		if !ok {
			v = null
		}
		values = append(values, v)
	}
	return add, func() { columns[name] = values }
}

// allRows are the indices of a table's rows.
func allRows(t *table) []int {
	rows := make([]int, t.length)
	for i := range rows {
		rows[i] = i
	}
	return rows
}

// empty is the error when a figure has nothing to draw.
func (s *source) empty() error {
	e := &fault.Error{Op: s.op, Subject: s.subject(), Problem: "nothing to draw: the query gives no row with values"}
	if !s.own {
		e.Problem, e.Hint = "nothing to draw: nothing is computed", "run saedb compute"
	}
	return e
}

// noScores is the error when no feature has a score to draw.
func (s *source) noScores() error {
	if s.own {
		return s.empty()
	}
	return &fault.Error{Op: s.op, Subject: s.subject(), Problem: "nothing to draw: no feature has a score in these token sets",
		Hint: "run saedb compute; sets that are empty or hold every token have none"}
}
