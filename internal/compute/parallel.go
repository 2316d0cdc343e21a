package compute

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// inParallel calls do for the ranges [from, to) of at most size that make up
// [0, n), on at most workers goroutines (0 means GOMAXPROCS). It stops handing
// out ranges after the first error or when parent ends, waits for what is
// running, and returns that error. A panic in do is raised again on the caller's
// goroutine, where it can be recovered.
func inParallel(parent context.Context, n, size, workers int, do func(ctx context.Context, from, to int) error) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var (
		next     atomic.Int64
		group    sync.WaitGroup
		panicked atomic.Pointer[any]
	)
	work := func() {
		defer func() {
			if cause := recover(); cause != nil {
				panicked.CompareAndSwap(nil, &cause)
				cancel(nil)
			}
		}()
		for ctx.Err() == nil {
			from := int(next.Add(int64(size))) - size
			if from >= n {
				return
			}
			if err := do(ctx, from, min(from+size, n)); err != nil {
				cancel(err)
				return
			}
		}
	}
	for range min(workerCount(workers), (n+size-1)/size) {
		group.Go(work)
	}
	group.Wait()
	if cause := panicked.Load(); cause != nil {
		panic(*cause)
	}
	if err := parent.Err(); err != nil {
		return err
	}
	return context.Cause(ctx)
}

func workerCount(workers int) int {
	if workers <= 0 {
		return runtime.GOMAXPROCS(0)
	}
	return workers
}
