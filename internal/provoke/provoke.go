// Package provoke registers SQL functions that panic, for the tests of what becomes
// of a panic: an error of the query, in a process that lives on. Neither the program
// nor the extension that people load has them.
package provoke

import (
	"fmt"

	"github.com/saedb/saedb/udf/capi"
)

// Scalar is the scalar function, whose argument is one of Causes, and Table the table
// function, whose argument is one of Stages.
const (
	Scalar = "provoke_panic"
	Table  = "provoke_panic_in"
)

// Causes are the ways in which the scalar function panics.
var Causes = []string{"panic", "error", "nil pointer", "index", "nil map", "type"}

// Stages are where the table function panics. The last two are where nobody can be told:
// those queries succeed.
var Stages = []string{"open", "columns", "rows", "scan", "threads", "next", "close", "close table"}

// Register registers both with the database of c.
func Register(c capi.Connection) error {
	err := c.RegisterScalar(Scalar, capi.Scalar{
		Parameters: []capi.Type{capi.Varchar}, Returns: capi.Integer, Volatile: true,
		Call: func(input capi.Chunk, output capi.Vector) error {
			panicFrom(input.Column(0).Text(0))
			return nil
		},
	})
	if err != nil {
		return err
	}
	return c.RegisterTable(Table, 1, func(_ capi.Caller, arguments []string) (capi.Table, error) {
		t := table(arguments[0])
		t.at("open")
		return t, nil
	})
}

func panicFrom(cause string) {
	var (
		nothing *capi.Field
		numbers []int
		value   any = cause
	)
	switch cause {
	case "panic":
		panic("provoked")
	case "error":
		panic(fmt.Errorf("provoked"))
	case "nil pointer":
		nothing.Name = cause
	case "index":
		numbers[len(cause)]++
	case "nil map":
		count(nil, cause)
	case "type":
		numbers[0] = value.(int)
	}
}

func count(names map[string]int, name string) { names[name]++ }

// table panics at the stage that is its name, and otherwise has one row.
type table string

func (t table) at(stage string) {
	if string(t) == stage {
		panic("provoked")
	}
}

func (t table) Columns() []capi.Field {
	t.at("columns")
	return []capi.Field{{Name: "n", Type: capi.Integer}}
}

func (t table) Rows() int64 {
	t.at("rows")
	return -1
}

func (t table) Scan([]int) (capi.Scan, error) {
	t.at("scan")
	return &scan{table: t}, nil
}

func (t table) Close() error {
	t.at("close table")
	return nil
}

type scan struct {
	table
	done bool
}

func (s *scan) Threads() int {
	s.at("threads")
	return 1
}

func (s *scan) Next(output capi.Chunk) (int, error) {
	s.at("next")
	if s.done {
		return 0, nil
	}
	s.done = true
	capi.Values[int32](output.Column(0), 1)[0] = 1
	return 1, nil
}

func (s *scan) Close() error {
	s.at("close")
	return nil
}
