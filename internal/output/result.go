package output

import (
	"fmt"
	"io"
	"slices"

	"github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
)

// mostKept bounds the values of a Result, in bytes, as keptSize counts them.
const mostKept = 64 << 20

// Result is a result that can be printed again. One that is too large to keep is
// counted only.
type Result struct {
	columns []column
	rows    [][]any
	read    int
	size    int // bytes of rows, about
}

func (r *Result) add(values []any) {
	r.read++
	if r.size > mostKept {
		return
	}
	for _, v := range values {
		r.size += keptSize(v)
	}
	if r.rows = append(r.rows, slices.Clone(values)); r.size > mostKept {
		r.rows = nil
	}
}

// keptSize is about how many bytes a value of the driver's takes.
func keptSize(v any) int {
	const word = 16 // of an interface
	size := word
	switch v := v.(type) {
	case string:
		size += len(v)
	case []byte:
		size += len(v)
	case []any:
		for _, element := range v {
			size += keptSize(element)
		}
	case map[string]any:
		for name, member := range v {
			size += len(name) + keptSize(member)
		}
	case duckdb.OrderedMap:
		for _, part := range [][]any{v.Keys(), v.Values()} {
			size += keptSize(part)
		}
	}
	return size
}

// Write prints the result again; a table is cut to s.
func (r *Result) Write(w io.Writer, format Format, s Screen) error {
	const op = "print the last result"
	switch {
	case r.columns == nil:
		return &fault.Error{Op: op, Problem: "there is none yet"}
	case r.size > mostKept:
		return &fault.Error{
			Op: op, Problem: fmt.Sprintf("its %s rows are more than is kept", plaintext.Thousands(int64(r.read))),
			Hint: "COPY (SELECT …) TO 'file.parquet' writes one of any size",
		}
	}
	source := &reader{rows: &replay{rows: r.rows}, columns: r.columns, targets: make([]any, len(r.columns))}
	return write(w, format, source, s)
}

// replay reads rows that were kept.
type replay struct {
	rows [][]any
	row  []any
}

func (p *replay) Next() bool {
	if len(p.rows) == 0 {
		return false
	}
	p.row, p.rows = p.rows[0], p.rows[1:]
	return true
}

func (p *replay) Scan(targets ...any) error {
	for i, target := range targets {
		*target.(*any) = p.row[i]
	}
	return nil
}

func (p *replay) Err() error { return nil }
