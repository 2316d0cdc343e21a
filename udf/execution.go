package udf

import (
	"context"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/udf/capi"
)

// execution is one use of a function in a statement that runs, on one of DuckDB's threads:
// the context of that statement, and the readers and token sets that it has found. They are
// looked up once, so that a statement sees a database as it was when it began, and the next
// one what was loaded since.
type execution struct {
	*Functions
	of       context.Context // the statement's
	ctx      context.Context // of the call that runs, or the statement's
	finished func(rows int)  // reports progress

	stored map[string]*storedReader // by the name that was asked for
	ready  map[readerKey]*reader
	last   lastSets
	lenses map[string]*storedLens // by name
	layers map[layerKey]*headLayer
	heads  map[headCall]*compute.Through

	contrasts map[contrastKey]compute.Contrast
}

// lastSets are the token sets that were chosen last; most statements choose the same for
// all rows.
type lastSets struct {
	of        *reader
	condition string
	sets      *tokenSets
}

// execution returns what goes on on a connection.
func (f *Functions) execution(connection int64) *execution {
	ctx := context.Background()
	if f.contexts != nil {
		if of := f.contexts(connection); of != nil {
			ctx = of
		}
	}
	return &execution{
		Functions: f, of: ctx, ctx: ctx, finished: progressOf(ctx),
		stored: map[string]*storedReader{}, ready: map[readerKey]*reader{},
		lenses: map[string]*storedLens{}, layers: map[layerKey]*headLayer{}, heads: map[headCall]*compute.Through{}, contrasts: map[contrastKey]compute.Contrast{},
	}
}

// of makes a function of DuckDB's of one of ours.
func (f *Functions) of(call func(f *execution, input capi.Chunk, output capi.Vector) error) func(*capi.Run, capi.Chunk, capi.Vector) error {
	return func(run *capi.Run, input capi.Chunk, output capi.Vector) error {
		if run.Kept == nil {
			run.Kept = f.execution(run.Connection)
		}
		e := run.Kept.(*execution)
		return f.During(e.of, run.Caller, func(ctx context.Context) error {
			e.ctx = ctx
			return call(e, input, output)
		})
	}
}

// registerTable registers a table function whose rows can be read from anywhere.
func (f *Functions) registerTable(c capi.Connection, name string, parameters int, open func(arguments []string) (*table, error), named ...string) error {
	return c.RegisterTable(name, parameters, func(caller capi.Caller, arguments []string) (capi.Table, error) {
		t, err := open(arguments)
		if err != nil {
			return nil, err
		}
		t.functions, t.connection = f, caller.Connection
		return t, nil
	}, named...)
}

// find looks a reader up by name.
func (f *execution) find(function, name string) (*storedReader, error) {
	if known := f.stored[name]; known != nil {
		return known, nil
	}
	found, err := f.readers.database.find(function, name)
	if err == nil {
		f.stored[name] = found
	}
	return found, err
}

// reader returns the reader of that name for the kernels; scope is all or real.
func (f *execution) reader(function, name, scope string) (*reader, error) {
	stored, err := f.find(function, name)
	if err != nil {
		return nil, err
	}
	if err := stored.checkUse(function, scope); err != nil {
		return nil, err
	}
	key := stored.key(scope)
	if known := f.ready[key]; known != nil {
		return known, nil
	}
	ready, err := f.readers.get(f.ctx, function, stored, scope)
	if err == nil {
		f.ready[key] = ready
	}
	return ready, err
}

// setsOf returns the sets that a batch asks for, which must include those of names.
func (f *execution) setsOf(function string, b *batch, names []string) (*tokenSets, error) {
	if f.last.of != b.reader || f.last.condition != b.sets {
		sets, err := f.readers.sets.get(&f.readers.database, function, b.reader, b.sets)
		if err != nil {
			return nil, err
		}
		f.last = lastSets{b.reader, b.sets, sets}
	}
	return f.last.sets, requireNames(&f.readers.database, function, b.reader, f.last.sets, names)
}

type progressKey struct{}

// WithProgress returns a context whose statements report the rows that functions of saedb's
// finish in them, from any goroutine.
func WithProgress(ctx context.Context, report func(rows int64)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

func progressOf(ctx context.Context) func(rows int) {
	report, ok := ctx.Value(progressKey{}).(func(rows int64))
	if !ok {
		return func(int) {}
	}
	return func(rows int) { report(int64(rows)) }
}
