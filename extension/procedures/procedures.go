// Package procedures is what the commands of the program do, for people whose
// database is open in another client: CALL saedb_load_model('models/gpt2').
//
// A procedure is a table function that works through a connection of its own to the
// same database, in its own transactions, and hands out a row for each thing that it
// has done. When its query is interrupted, it stops at once where DuckDB tells
// a function of that, and between two rows elsewhere.
package procedures

import (
	"context"
	"fmt"
	"strings"

	"github.com/saedb/saedb/extension/session"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

// Host is the database that procedures work in.
type Host struct {
	Functions *udf.Functions
	Connect   session.Connect

	received  received
	writing   chan struct{} // holds a value while a procedure writes
	computing backgrounds
}

// Register registers the procedures with the database of c.
func Register(c capi.Connection, h *Host) error {
	h.writing = make(chan struct{}, 1)
	for _, p := range []procedure{
		loadModel, loadSAE, loadSets, unload, computeStatistics, beginCompute, computed, endCompute, makeBaseline, addModel, addSAE, wantedTensors,
		about, cancel, setThreads, findSAEs, describeSAE, enrichmentQuery, pValuesQuery, viewMacros,
	} {
		if err := h.register(c, p); err != nil {
			return err
		}
	}
	return h.registerHandOver(c)
}

// procedure is one of them.
type procedure struct {
	name       string
	parameters int // by position
	named      []string
	columns    []capi.Field
	// run does the work and hands out rows, with a value for each of columns.
	run func(ctx context.Context, h *Host, a arguments, row func(values ...any) error) error
}

// arguments are those of one call: by position, and by name where they are given.
type arguments struct {
	positions []string
	named     map[string]string
}

// flag is a named argument that is true or false.
func (a arguments) flag(name string) (bool, error) {
	switch strings.ToLower(a.named[name]) {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, &fault.Error{Subject: name, Expected: "true or false", Found: schema.Literal(a.named[name])}
}

func (h *Host) register(c capi.Connection, p procedure) error {
	return c.RegisterTable(p.name, p.parameters, func(caller capi.Caller, given []string) (capi.Table, error) {
		a := arguments{positions: given[:p.parameters], named: map[string]string{}}
		for i, name := range p.named {
			a.named[name] = given[p.parameters+i]
		}
		return &called{columns: p.columns, run: func(ctx context.Context, row func(values ...any) error) error {
			if p.name == cancel.name {
				return p.run(ctx, h, a, row) // which would stop itself
			}
			return fault.At(p.name, "", h.Functions.During(ctx, caller, func(ctx context.Context) error { return p.run(ctx, h, a, row) }))
		}}, nil
	}, p.named...)
}

// within opens the database for a procedure: the one of that name as it is attached,
// or the one that was opened. One of an older saedb is upgraded first. One procedure
// has its turn at a time: what one looks for before it begins, another in this process
// may be about to write.
func (h *Host) within(ctx context.Context, database string, use func(db *operations.Database) error) error {
	select {
	case h.writing <- struct{}{}:
		defer func() { <-h.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	begin := ""
	if database != "" {
		begin = "USE " + schema.Identifier(database)
	}
	db := session.Open(h.Connect, begin)
	defer db.Close()
	if err := schema.Upgrade(ctx, db, version.Number, udf.Documentation(), nil); err != nil {
		return err
	}
	return use(&operations.Database{DB: db, Functions: h.Functions})
}

// loaded is the row of a load.
var loadedColumns = []capi.Field{
	{Name: "name", Type: capi.Varchar}, {Name: "rows", Type: capi.Bigint}, {Name: "bytes", Type: capi.Bigint},
	{Name: "seconds", Type: capi.Double}, {Name: "unchanged", Type: capi.Boolean}, {Name: "note", Type: capi.Varchar},
}

func loadedRow(o loader.Outcome) []any {
	return []any{o.Name, int64(o.Rows), o.Bytes, o.Took.Seconds(), o.Unchanged, o.Note}
}

func unknown(what, found, expected string) error {
	return &fault.Error{Subject: what, Expected: expected, Found: fmt.Sprintf("%q", found)}
}
