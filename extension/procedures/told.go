package procedures

import (
	"context"
	"path"
	"sync"
)

// told is what a procedure says of how far it is, for whoever asks. The zero value keeps the
// last of it.
type told struct {
	mutex sync.Mutex
	at    *progress
	notes []string // that were not handed out
}

// progress is how far a piece of work is.
type progress struct {
	What  string `json:"what"`
	Done  int64  `json:"done"`
	Total int64  `json:"total"` // 0 where it is not known
	Unit  string `json:"unit"`
}

// begin begins a piece of work, and returns what ends it.
func (t *told) begin(what string, total int64, unit string) (end func()) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.at = &progress{What: what, Total: total, Unit: unit}
	return func() {
		t.mutex.Lock()
		defer t.mutex.Unlock()
		t.at = nil
	}
}

func (t *told) add(n int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.at != nil {
		t.at.Done += n
	}
}

// watch is begin as operations.Watch.
func (t *told) watch(ctx context.Context, what string, rows int64, unit string) (context.Context, func()) {
	return ctx, t.begin(what, rows, unit)
}

// counted is begin as export and check want it.
func (t *told) counted(what string, total int64, unit string) (add func(int64), end func()) {
	return t.add, t.begin(what, total, unit)
}

// download is told of a file of the Hub.
func (t *told) download(file string, done, total int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.at = nil
	if done < total {
		t.at = &progress{What: path.Base(file), Done: done, Total: total, Unit: "bytes"}
	}
}

func (t *told) note(said string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.notes = append(t.notes, said)
}

// take returns how far the work is, nil where it says nothing, and the notes since it was last asked.
func (t *told) take() (at *progress, notes []string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.at != nil {
		now := *t.at
		at = &now
	}
	notes, t.notes = t.notes, nil
	return at, notes
}
