package procedures

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// called is one call of a procedure, whose rows appear as it goes on.
type called struct {
	columns []capi.Field
	run     func(ctx context.Context, row func(values ...any) error) error
}

func (c *called) Columns() []capi.Field { return c.columns }

// Rows is not known before the work is done.
func (c *called) Rows() int64 { return -1 }

func (c *called) Close() error { return nil }

// Scan begins the work, when its first row is asked for. It goes on in a goroutine
// of its own, which waits for each row to be fetched, so that a query that ends early
// ends the work too.
func (c *called) Scan(columns []int) (capi.Scan, error) {
	ctx, cancel := context.WithCancel(context.Background())
	return &work{called: c, asked: columns, ctx: ctx, cancel: cancel, rows: make(chan []any), ended: make(chan error, 1)}, nil
}

type work struct {
	*called
	asked  []int // positions of the columns that a query reads
	begun  bool
	done   bool
	ctx    context.Context
	cancel context.CancelFunc
	rows   chan []any
	ended  chan error
}

func (w *work) Threads() int { return 1 }

// Close stops the work at its next row and waits for it.
func (w *work) Close() error {
	w.cancel()
	if w.begun && !w.done {
		<-w.ended
	}
	return nil
}

func (w *work) Next(output capi.Chunk) (int, error) {
	if w.done {
		return 0, nil
	}
	if !w.begun {
		w.begun = true
		go w.work()
	}
	select {
	case row := <-w.rows:
		return 1, w.write(output, row)
	case err := <-w.ended:
		w.done = true
		return 0, err
	}
}

func (w *work) work() {
	w.ended <- recovered(func() error {
		return w.run(w.ctx, func(values ...any) error {
			select {
			case w.rows <- values:
				return nil
			case <-w.ctx.Done():
				return w.ctx.Err()
			}
		})
	})
}

// recovered runs what has a goroutine of its own; a panic in it is an error.
func recovered(run func() error) (err error) {
	defer fault.Recover(&err)
	return run()
}

// write writes the columns that are asked for.
func (w *work) write(output capi.Chunk, row []any) error {
	for i, position := range w.asked {
		if position < 0 || position >= len(row) {
			continue // a column that no one reads, as for count(*)
		}
		v := output.Column(i)
		switch value := row[position].(type) {
		case nil:
			v.SetNull(0, 0)
		case string:
			if value == "" {
				v.SetNull(0, 0)
			} else {
				v.SetText(0, value)
			}
		case int64:
			capi.Values[int64](v, 1)[0] = value
		case float64:
			capi.Values[float64](v, 1)[0] = value
		case bool:
			capi.Values[bool](v, 1)[0] = value
		default:
			return fmt.Errorf("column %s: a %T cannot be written", w.columns[position].Name, value)
		}
	}
	return nil
}
