package procedures

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// A procedure in the background goes on between queries. Python's client of DuckDB spins
// while it waits for a query, which would take a core from the kernels for as long as they
// work, and cannot be held to one thread instead: DuckDB would wait for its other threads,
// and these for us, where they run our functions.

// background is one procedure at work.
type background struct {
	cancel context.CancelFunc
	ended  chan struct{}

	procedure procedure
	tell      *told
	mutex     sync.Mutex
	rows      [][]any // that were not handed out
	err       error   // once it has ended
}

// backgrounds are those of a database by their numbers.
type backgrounds struct {
	mutex sync.Mutex
	last  int64
	all   map[int64]*background
}

func (b *backgrounds) begin(p procedure, tell *told, run func(ctx context.Context, row func(...any) error) error) int64 {
	ctx, cancel := context.WithCancel(context.Background())
	one := &background{cancel: cancel, ended: make(chan struct{}), procedure: p, tell: tell}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.all == nil {
		b.all = map[int64]*background{}
	}
	b.last++
	b.all[b.last] = one
	go one.work(ctx, run)
	return b.last
}

func (b *backgrounds) get(number string) (int64, *background, error) {
	n, err := strconv.ParseInt(number, 10, 64)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if one := b.all[n]; one != nil && err == nil {
		return n, one, nil
	}
	return 0, nil, &fault.Error{Expected: "the number of a procedure that was begun and has not ended", Found: schema.Literal(number)}
}

func (b *backgrounds) forget(number int64) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	delete(b.all, number)
}

func (b *background) work(ctx context.Context, run func(ctx context.Context, row func(...any) error) error) {
	err := recovered(func() error {
		return run(ctx, func(values ...any) error {
			b.mutex.Lock()
			defer b.mutex.Unlock()
			b.rows = append(b.rows, values)
			return ctx.Err()
		})
	})
	b.cancel()
	b.mutex.Lock()
	b.err = err
	b.mutex.Unlock()
	close(b.ended)
}

// take returns the rows since it was last called, and whether there will be more.
func (b *background) take() (rows [][]any, more bool, err error) {
	select {
	case <-b.ended:
	default:
		more = true
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	rows, b.rows = b.rows, nil
	return rows, more, b.err
}

var numbered = []capi.Field{{Name: "number", Type: capi.Bigint}}

// begin begins a procedure in the background, with its arguments as a JSON object, and returns
// the number that next and end take.
var begin = procedure{
	name: "saedb_begin", takes: []parameter{{"procedure", text}, {"arguments", text}}, first: 2, columns: numbered,
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		at := slices.IndexFunc(all, func(p procedure) bool { return p.name == a.text("procedure") })
		if at < 0 {
			return unknown("procedure", a.text("procedure"), "a name that saedb_procedures() lists")
		}
		p := all[at]
		given, err := p.decode(a.text("arguments"))
		if err != nil {
			return err
		}
		own := arguments{given, &told{}}
		return row(h.running.begin(p, own.tell, func(ctx context.Context, row func(...any) error) error {
			return h.Functions.During(ctx, capi.UnknownCaller, func(ctx context.Context) error { return p.do(ctx, h, own, row) })
		}))
	},
}

// decode reads arguments from a JSON object: texts, numbers, true or false, and lists of texts.
func (p procedure) decode(object string) (map[string]string, error) {
	var values map[string]any
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	if err := decoder.Decode(&values); err != nil {
		return nil, &fault.Error{Subject: "arguments", Expected: "a JSON object", Found: "something else", Err: err}
	}
	given := map[string]string{}
	for name, value := range values {
		at := slices.IndexFunc(p.takes, func(taken parameter) bool { return taken.name == name })
		if at < 0 {
			return nil, &fault.Error{Op: p.name, Subject: name, Problem: "there is no argument of that name"}
		}
		switch v := value.(type) {
		case nil:
		case []any:
			separator := map[string]string{lines: "\n", commas: ","}[p.takes[at].kind]
			texts := make([]string, len(v))
			for i, one := range v {
				texts[i] = fmt.Sprint(one)
				if separator == "" || strings.Contains(texts[i], separator) {
					return nil, &fault.Error{Op: p.name, Subject: name, Expected: p.takes[at].kind, Found: fmt.Sprintf("%q", texts[i])}
				}
			}
			given[name] = strings.Join(texts, separator)
		default:
			given[name] = fmt.Sprint(v)
		}
	}
	return given, nil
}

// next returns at once what happened to a procedure since it was last asked, as kinds and JSON:
// row, an object of its columns; note, a text; progress, how far it is; and at last end, or
// error, an object of what it says.
var next = procedure{
	name: "saedb_next", takes: []parameter{{"number", text}}, first: 1,
	columns: []capi.Field{{Name: "kind", Type: capi.Varchar}, {Name: "value", Type: capi.Varchar}},
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		n, one, err := h.running.get(a.text("number"))
		if err != nil {
			return err
		}
		rows, more, failed := one.take()
		put := func(kind string, value any) error {
			encoded, err := json.Marshal(value)
			if err != nil {
				return err
			}
			return row(kind, string(encoded))
		}
		at, notes := one.tell.take()
		for _, note := range notes {
			if err := put("note", note); err != nil {
				return err
			}
		}
		for _, values := range rows {
			object := map[string]any{}
			for i, column := range one.procedure.columns {
				if values[i] != "" { // as in a result, where it is NULL
					object[column.Name] = values[i]
				}
			}
			if err := put("row", object); err != nil {
				return err
			}
		}
		if more {
			return put("progress", at)
		}
		h.running.forget(n)
		if failed != nil {
			return put("error", one.procedure.describe(failed))
		}
		return put("end", nil)
	},
}

// end stops a procedure, and waits until it has stopped.
var end = procedure{
	name: "saedb_end", takes: []parameter{{"number", text}}, first: 1, columns: numbered,
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		n, one, err := h.running.get(a.text("number"))
		if err != nil {
			return err
		}
		one.cancel()
		<-one.ended
		h.running.forget(n)
		return row(n)
	},
}

// failure is an error as a client in another language makes its own of it.
type failure struct {
	Kind      string `json:"kind"` // argument, missing, hub, internal, interrupted or other
	Operation string `json:"operation"`
	Subject   string `json:"subject,omitempty"`
	Problem   string `json:"problem,omitempty"`
	Expected  string `json:"expected,omitempty"`
	Found     string `json:"found,omitempty"`
	Cause     string `json:"cause,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Text      string `json:"text"` // all of it in one line
}

func (p procedure) describe(err error) failure {
	f := failure{Kind: "other", Operation: p.name, Text: err.Error()}
	var said *fault.Error
	if errors.As(err, &said) {
		f.Operation, f.Subject, f.Problem, f.Expected, f.Found, f.Hint = said.Op, said.Subject, said.Problem, said.Expected, said.Found, said.Hint
		if said.Err != nil {
			f.Cause = said.Err.Error()
		}
	}
	subject := strings.ReplaceAll(strings.TrimPrefix(f.Subject, "--"), "-", "_")
	var hub *operations.HubError
	switch {
	case errors.Is(err, context.Canceled):
		f.Kind = "interrupted"
	case errors.As(err, &hub):
		f.Kind = "hub"
	case strings.HasPrefix(f.Cause, "internal error: "):
		f.Kind = "internal"
	case errors.Is(err, fs.ErrNotExist):
		f.Kind = "missing"
	case slices.ContainsFunc(p.takes, func(taken parameter) bool { return taken.name == subject }):
		f.Kind = "argument"
	}
	return f
}

// list says which procedures there are, and what they take: those arguments with a position
// stand in a call as they are, the others by name.
var list = procedure{
	name: "saedb_procedures",
	columns: []capi.Field{
		{Name: "procedure", Type: capi.Varchar}, {Name: "parameter", Type: capi.Varchar}, {Name: "kind", Type: capi.Varchar},
		{Name: "position", Type: capi.Bigint}, {Name: "columns", Type: capi.Varchar},
	},
	run: func(_ context.Context, _ *Host, _ arguments, row func(...any) error) error {
		for _, p := range all {
			var columns []string
			for _, column := range p.columns {
				columns = append(columns, column.Name)
			}
			takes := p.takes
			if len(takes) == 0 {
				takes = []parameter{{}}
			}
			for i, taken := range takes {
				var position any
				if i < p.first {
					position = int64(i + 1)
				}
				if err := row(p.name, taken.name, taken.kind, position, strings.Join(columns, ",")); err != nil {
					return err
				}
			}
		}
		return nil
	},
}
