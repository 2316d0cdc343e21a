package udf

import (
	"runtime"
	"sync/atomic"

	"github.com/saedb/saedb/udf/capi"
)

// table is a table function's result whose rows can be read from anywhere, by
// several threads at once; only the columns that a query asks for are read.
type table struct {
	functions  *Functions
	connection int64 // that reads it
	columns    []column
	first      int // row of columns that the table begins with
	rows       int
	close      func() error
	ahead      *ahead // reads the weights; nil where a column's fill does
}

type column struct {
	capi.Field
	// fill writes rows [from, from+n) into the first n rows of v.
	fill func(v capi.Vector, from, n int) error
}

func (t *table) Columns() []capi.Field {
	fields := make([]capi.Field, len(t.columns))
	for i, c := range t.columns {
		fields[i] = c.Field
	}
	return fields
}

func (t *table) Rows() int64 { return int64(t.rows) }

func (t *table) Close() error {
	if t.close == nil {
		return nil
	}
	return t.close()
}

func (t *table) Scan(columns []int) (capi.Scan, error) {
	return &scan{execution: t.functions.execution(t.connection), table: t, columns: columns}, nil
}

type scan struct {
	*execution
	table   *table
	columns []int
	next    atomic.Int64
}

func (s *scan) Threads() int { return min(runtime.GOMAXPROCS(0), s.table.rows/capi.VectorSize()+1) }

func (s *scan) Next(output capi.Chunk) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	size := capi.VectorSize()
	var read rowsRead
	if s.table.ahead != nil {
		var err error
		if read, err = s.table.ahead.next(); err != nil {
			return 0, err
		}
		if read.n > 0 {
			defer s.table.ahead.done(read)
		}
	} else {
		read.from = int(s.next.Add(int64(size))) - size
		read.n = min(size, s.table.rows-read.from)
	}
	from, n := read.from, read.n
	if n <= 0 {
		return 0, nil
	}
	for i, position := range s.columns {
		if position < 0 || position >= len(s.table.columns) {
			continue // a column that no one reads, as for count(*)
		}
		if s.table.ahead != nil && position == s.table.ahead.column {
			to, err := floatsOf(output.Column(i), n, s.table.ahead.width)
			if err != nil {
				return 0, err
			}
			copy(to, read.weights)
			continue
		}
		if err := s.table.columns[position].fill(output.Column(i), s.table.first+from, n); err != nil {
			return 0, err
		}
	}
	s.finished(n)
	return n, nil
}

// valueColumn is a column of plain values.
func valueColumn[T any](name string, kind capi.Type, at func(row int) T) column {
	return column{capi.Field{Name: name, Type: kind}, func(v capi.Vector, from, n int) error {
		for i, values := 0, capi.Values[T](v, n); i < n; i++ {
			values[i] = at(from + i)
		}
		return nil
	}}
}

// knownColumn is valueColumn with NULL in rows for which at returns false.
func knownColumn[T any](name string, kind capi.Type, at func(row int) (T, bool)) column {
	return column{capi.Field{Name: name, Type: kind}, func(v capi.Vector, from, n int) error {
		values := capi.Values[T](v, n)
		for i := range n {
			value, known := at(from + i)
			if !known {
				v.SetNull(i, 0)
				continue
			}
			values[i] = value
		}
		return nil
	}}
}

// textColumn is a VARCHAR column; a row for which at returns false is NULL.
func textColumn(name string, at func(row int) (string, bool)) column {
	return column{capi.Field{Name: name, Type: capi.Varchar}, func(v capi.Vector, from, n int) error {
		for i := range n {
			if s, ok := at(from + i); ok {
				v.SetText(i, s)
			} else {
				v.SetNull(i, 0)
			}
		}
		return nil
	}}
}

// floatsColumn is a FLOAT[] column of lists with width values each, which read
// writes for rows [from, from+len(to)/width).
func floatsColumn(name string, width int, read func(from int, to []float32) error) column {
	return column{capi.Field{Name: name, Type: capi.List(capi.Float)}, func(v capi.Vector, from, n int) error {
		to, err := floatsOf(v, n, width)
		if err != nil {
			return err
		}
		return read(from, to)
	}}
}

// floatsOf makes n lists of width values each of a FLOAT[] vector, and returns the values.
func floatsOf(v capi.Vector, n, width int) ([]float32, error) {
	if err := v.Grow(n * width); err != nil {
		return nil, err
	}
	for i, entries := 0, capi.Values[capi.Entry](v, n); i < n; i++ {
		entries[i] = capi.Entry{Offset: uint64(i * width), Length: uint64(width)}
	}
	return capi.Values[float32](v.Elements(), n*width), nil
}
