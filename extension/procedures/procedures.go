// Package procedures is what the commands of the program do, for people whose
// database is open in another client: CALL saedb_load_model('models/gpt2').
//
// A procedure is a table function that works through a connection of its own to the
// same database, in its own transactions, and hands out a row for each thing that it
// has done. It stops between two rows when its query is interrupted.
package procedures

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/saedb/saedb/extension/session"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/hub"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

// Host is the database that procedures work in.
type Host struct {
	Functions *udf.Functions
	Connect   session.Connect

	received received
	writing  chan struct{} // holds a value while a procedure writes
	running  backgrounds
}

// all are those that can be begun in the background, too.
var all = []procedure{
	loadModel, loadSAE, loadRelease, loadSets, loadDirections, loadExplanations, loadLens, unload, computeStatistics, computeLinks, computeNeighbours, matchSAEs, makeBaseline, lensLayer,
	plot, draw, writeReport, exportResults, importResults, checkDatabase, neuronpediaLists, releasesQuery,
	addModel, addSAE, wantedTensors, about, setThreads, findSAEs, describeSAE, enrichmentQuery, pValuesQuery, viewMacros, pairQueries, checkLink, neurons, saeMacros,
}

// Register registers the procedures with the database of c.
func Register(c capi.Connection, h *Host) error {
	h.writing = make(chan struct{}, 1)
	for _, p := range append(all, cancel, begin, next, end, list) {
		if err := h.register(c, p); err != nil {
			return err
		}
	}
	return h.registerHandOver(c)
}

// procedure is one of them.
type procedure struct {
	name    string
	takes   []parameter
	first   int // how many of takes are given by position; calls may leave out the others
	columns []capi.Field
	// run does the work and hands out rows, with a value for each of columns.
	run func(ctx context.Context, h *Host, a arguments, row func(values ...any) error) error
}

// parameter is an argument that a procedure takes.
type parameter struct{ name, kind string }

// Kinds of arguments. All come as text, and what a call leaves out is empty.
const (
	text    = "text"
	flag    = "flag"    // true or false
	integer = "integer" // from 0 on
	number  = "number"
	lines   = "lines"  // texts separated by line breaks
	commas  = "commas" // texts separated by commas
)

// arguments are those of one call by their names, and whom it tells how far it is.
type arguments struct {
	given map[string]string
	tell  *told
}

// text is an argument, "" where it is left out.
func (a arguments) text(name string) string { return a.given[name] }

// flag is an argument that is true or false.
func (a arguments) flag(name string) bool { return strings.EqualFold(a.given[name], "true") }

// integer is an argument that is a number from 0 on, absent where it is left out.
func (a arguments) integer(name string, absent int) int {
	if n, err := strconv.Atoi(a.given[name]); err == nil {
		return n
	}
	return absent
}

// number is an argument that is a number, nil where it is left out.
func (a arguments) number(name string) *float64 {
	if n, err := strconv.ParseFloat(a.given[name], 64); err == nil {
		return &n
	}
	return nil
}

// lines and commas are arguments that are several texts.
func (a arguments) lines(name string) []string  { return parts(a.given[name], "\n") }
func (a arguments) commas(name string) []string { return parts(a.given[name], ",") }

// check makes sure that what is given is of the kinds that the procedure takes.
func (p procedure) check(a arguments) error {
	for _, taken := range p.takes {
		given := a.given[taken.name]
		if given == "" {
			continue
		}
		expected := ""
		switch taken.kind {
		case flag:
			if !strings.EqualFold(given, "true") && !strings.EqualFold(given, "false") {
				expected = "true or false"
			}
		case integer:
			if n, err := strconv.Atoi(given); err != nil || n < 0 || n > math.MaxInt32 {
				expected = "a number from 0 on"
			}
		case number:
			if n, err := strconv.ParseFloat(given, 64); err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
				expected = "a finite number"
			}
		}
		if expected != "" {
			return &fault.Error{Op: p.name, Subject: taken.name, Expected: expected, Found: schema.Literal(given)}
		}
	}
	return nil
}

// do runs a procedure. The arguments of one that has an error are named by it.
func (p procedure) do(ctx context.Context, h *Host, a arguments, row func(values ...any) error) error {
	if err := p.check(a); err != nil {
		return err
	}
	err := p.run(ctx, h, a, row)
	named := fault.At(p.name, "", err)
	if of := (*operations.HubError)(nil); errors.As(err, &of) {
		return &operations.HubError{Err: named}
	}
	return named
}

func (h *Host) register(c capi.Connection, p procedure) error {
	var named []string
	for _, taken := range p.takes[p.first:] {
		named = append(named, taken.name)
	}
	return c.RegisterTable(p.name, p.first, func(caller capi.Caller, given []string) (capi.Table, error) {
		a := arguments{given: map[string]string{}, tell: &told{}}
		for i, taken := range p.takes {
			a.given[taken.name] = given[i]
		}
		return &called{columns: p.columns, run: func(ctx context.Context, row func(values ...any) error) error {
			if p.name == cancel.name {
				return p.do(ctx, h, a, row) // which would stop itself
			}
			return h.Functions.During(ctx, caller, func(ctx context.Context) error { return p.do(ctx, h, a, row) })
		}}, nil
	}, named...)
}

// within opens the database for a procedure that writes: the one of that name as it is
// attached, or the one that was opened. One of an older saedb is upgraded first. One procedure
// has its turn at a time: what one looks for before it begins, another in this process
// may be about to write.
func (h *Host) within(ctx context.Context, a arguments, use func(db *operations.Database) error) error {
	select {
	case h.writing <- struct{}{}:
		defer func() { <-h.writing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return h.open(a, func(db *operations.Database) error {
		if err := schema.Upgrade(ctx, db.DB, version.Number, udf.Documentation(), nil); err != nil {
			return err
		}
		return use(db)
	})
}

// reading opens it for a procedure that only reads, and needs what is loaded.
func (h *Host) reading(ctx context.Context, a arguments, use func(db *operations.Database) error) error {
	return h.open(a, func(db *operations.Database) error {
		if err := db.Require(ctx); err != nil {
			return err
		}
		return use(db)
	})
}

func (h *Host) open(a arguments, use func(db *operations.Database) error) error {
	begin := ""
	if name := a.text("database"); name != "" {
		begin = "USE " + schema.Identifier(name)
	}
	db := session.Open(h.Connect, begin)
	defer db.Close()
	return use(&operations.Database{DB: db, Functions: h.Functions, Watch: a.tell.watch, Hub: h.hub(a)})
}

// hub makes the client of the Hub, unless whoever opened the database wants nothing from
// outside it.
func (h *Host) hub(a arguments) operations.Hub {
	return func() (*hub.Client, error) {
		db := session.Open(h.Connect, "")
		defer db.Close()
		var allowed bool
		if err := db.QueryRow("SELECT CAST(current_setting('enable_external_access') AS BOOLEAN)").Scan(&allowed); err != nil {
			return nil, err
		}
		if !allowed {
			return nil, &fault.Error{
				Problem: "this database has enable_external_access = false: nothing is downloaded from the Hugging Face Hub",
				Hint:    "load from files that are here",
			}
		}
		client, err := hub.NewClient(capi.Getenv)
		if err != nil {
			return nil, err
		}
		client.UserAgent = "saedb/" + version.Number
		client.Progress, client.Warn = a.tell.download, a.tell.note
		return client, nil
	}
}

// loaded is the row of a load.
var loadedColumns = []capi.Field{
	{Name: "name", Type: capi.Varchar}, {Name: "rows", Type: capi.Bigint}, {Name: "bytes", Type: capi.Bigint},
	{Name: "seconds", Type: capi.Double}, {Name: "unchanged", Type: capi.Boolean}, {Name: "note", Type: capi.Varchar},
}

func loadedRow(o loader.Outcome) []any {
	return []any{o.Name, int64(o.Rows), o.Bytes, o.Took.Seconds(), o.Unchanged, o.Note}
}

// each hands out a row for each of all.
func each[T any](row func(values ...any) error, all []T, values func(T) []any) error {
	for _, one := range all {
		if err := row(values(one)...); err != nil {
			return err
		}
	}
	return nil
}

// itself is a row of one value.
func itself(value string) []any { return []any{value} }

func unknown(what, found, expected string) error {
	return &fault.Error{Subject: what, Expected: expected, Found: fmt.Sprintf("%q", found)}
}
