package output

import (
	"database/sql"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// column is a column of a result.
type column struct {
	name string
	typ  *columnType
}

// rowSource is what is read of [sql.Rows].
type rowSource interface {
	Next() bool
	Scan(targets ...any) error
	Err() error
}

// reader reads the rows of a result as the driver's own Go values.
type reader struct {
	rows    rowSource
	columns []column
	targets []any   // pointers to the values of the row being read
	read    int     // rows read so far
	kept    *Result // takes every row that is read; may be nil
}

func newReader(rows *sql.Rows) (*reader, error) {
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, readError(err)
	}
	r := &reader{rows: rows, columns: make([]column, len(types)), targets: make([]any, len(types))}
	for i, t := range types {
		r.columns[i] = column{name: t.Name(), typ: parseType(t.DatabaseTypeName())}
	}
	return r, nil
}

// next reads one row into values, which has one element a column.
// It returns false at the end of the result and on an error.
func (r *reader) next(values []any) (bool, error) {
	if !r.rows.Next() {
		return false, readError(r.rows.Err())
	}
	for i := range values {
		r.targets[i] = &values[i]
	}
	if err := r.rows.Scan(r.targets...); err != nil {
		return false, readError(err)
	}
	r.read++
	if r.kept != nil {
		r.kept.add(values)
	}
	return true, nil
}

// readError adds what to do about a type that the database driver does not read.
func readError(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	for _, unreadable := range []string{"unsupported data type", "not supported", "empty name"} {
		if strings.Contains(said, unreadable) {
			return &fault.Error{Op: "read result", Err: err, Hint: "cast the column to VARCHAR"}
		}
	}
	return err
}
