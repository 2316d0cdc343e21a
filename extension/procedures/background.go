package procedures

import (
	"context"
	"strconv"
	"sync"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// A computation in the background goes on between queries. Python's client of DuckDB spins
// while it waits for a query, which would take a core from the kernels for as long as they
// work, and cannot be held to one thread instead: DuckDB would wait for its other threads,
// and these for us, where they run our functions.

// background is one computation.
type background struct {
	cancel context.CancelFunc
	ended  chan struct{}

	mutex sync.Mutex
	rows  [][]any // that were not handed out
	err   error   // once it has ended
}

// backgrounds are those of a database by their numbers.
type backgrounds struct {
	mutex sync.Mutex
	last  int64
	all   map[int64]*background
}

func (b *backgrounds) begin(run func(ctx context.Context, row func(...any) error) error) int64 {
	ctx, cancel := context.WithCancel(context.Background())
	one := &background{cancel: cancel, ended: make(chan struct{})}
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
	return 0, nil, &fault.Error{Expected: "the number of a computation that was begun and has not ended", Found: schema.Literal(number)}
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

var number = []capi.Field{{Name: "number", Type: capi.Bigint}}

// beginCompute begins what saedb_compute does, and returns its number.
var beginCompute = procedure{
	name: "saedb_begin_compute", named: computeStatistics.named, columns: number,
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		return row(h.computing.begin(func(ctx context.Context, row func(...any) error) error {
			return fault.At(computeStatistics.name, "", h.Functions.During(ctx, capi.UnknownCaller, func(ctx context.Context) error {
				return computeStatistics.run(ctx, h, a, row)
			}))
		}))
	},
}

// computed returns the rows of a computation since it was last asked, at once, or its
// error; a row of NULL is the last.
var computed = procedure{
	name: "saedb_computed", parameters: 1, columns: computeStatistics.columns,
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		n, one, err := h.computing.get(a.positions[0])
		if err != nil {
			return err
		}
		rows, more, err := one.take()
		for _, values := range rows {
			if err := row(values...); err != nil {
				return err
			}
		}
		if more {
			return nil
		}
		h.computing.forget(n)
		if err != nil {
			return err
		}
		return row(make([]any, len(computeStatistics.columns))...)
	},
}

// endCompute stops a computation, and waits until it has stopped.
var endCompute = procedure{
	name: "saedb_end_compute", parameters: 1, columns: number,
	run: func(_ context.Context, h *Host, a arguments, row func(...any) error) error {
		n, one, err := h.computing.get(a.positions[0])
		if err != nil {
			return err
		}
		one.cancel()
		<-one.ended
		h.computing.forget(n)
		return row(n)
	},
}
