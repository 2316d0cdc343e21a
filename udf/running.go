package udf

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// running is what runs of saedb's in one database: how each of it is stopped.
type running struct {
	mutex sync.Mutex
	last  int64
	stops map[int64]context.CancelCauseFunc
}

// What stops a call, besides the end of its context.
var (
	errInterrupted = &fault.Error{Problem: "interrupted"}
	errCancelled   = &fault.Error{Problem: "cancelled", Hint: "saedb_cancel was called"}
)

func (r *running) add(stop context.CancelCauseFunc) (end func()) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.stops == nil {
		r.stops = map[int64]context.CancelCauseFunc{}
	}
	r.last++
	number := r.last
	r.stops[number] = stop
	return func() {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		delete(r.stops, number)
	}
}

// Cancel stops all functions and procedures that run in this database now, in whatever
// connection, and says how many calls that are. Each ends soon, with an error.
func (f *Functions) Cancel() int {
	f.running.mutex.Lock()
	defer f.running.mutex.Unlock()
	for _, stop := range f.running.stops {
		stop(errCancelled)
	}
	return len(f.running.stops)
}

// During does what a caller asks for, with a context that ends with ctx, soon after DuckDB is
// asked to interrupt the caller's statement, where it tells that, and when Cancel is called.
// The error of a context that ended so says what ended it.
func (f *Functions) During(ctx context.Context, caller capi.Caller, do func(ctx context.Context) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer f.running.add(stop)()
	defer watch(caller, stop)()
	err := do(ctx)
	if ended := ctx.Err(); ended != nil && errors.Is(err, ended) {
		return context.Cause(ctx)
	}
	return err
}

// interruptInterval is how often a call that runs looks whether it is to stop.
const interruptInterval = 20 * time.Millisecond

// watch calls stop soon after the caller's statement is interrupted, and never after end has
// returned, when DuckDB may have freed the connection.
func watch(caller capi.Caller, stop context.CancelCauseFunc) (end func()) {
	if !caller.TellsInterrupts() {
		return func() {}
	}
	var mutex sync.Mutex
	ended := false
	mutex.Lock()
	defer mutex.Unlock()
	var timer *time.Timer
	timer = time.AfterFunc(interruptInterval, func() {
		mutex.Lock()
		defer mutex.Unlock()
		switch {
		case ended:
		case caller.Interrupted():
			stop(errInterrupted)
		default:
			timer.Reset(interruptInterval)
		}
	})
	return func() {
		timer.Stop()
		mutex.Lock()
		defer mutex.Unlock()
		ended = true
	}
}
