package udf

import (
	"context"
	"errors"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// reader is a matrix of rows in the residual stream that directions are multiplied with, ready
// for the kernels: the unembedding of a model, the encoder of an SAE, …. It is immutable.
type reader struct {
	scope  string        // rows that count: all, real or unit
	stored *storedReader // where it was read from
	matrix *compute.Unembedding
	zero   bool    // of scopeUnit: all rows are zero, and matrix has them
	tokens []token // by id, one for each row; nil where rows are features
}

type token struct{ token, text string }

// readers holds the readers that functions have asked for, each once, shared by all
// queries. One whose model or SAE was replaced in the database since is read again.
type readers struct {
	database database
	sets     setsCache
	limit    int64 // bytes of readers that are kept

	mutex  sync.Mutex
	loaded map[readerKey]*loadedReader
	clock  int64 // counts calls, for what was used last
}

type readerKey struct {
	database, name string
	kind           *readerKind
	scope          string // rows that count: all, real or unit
}

// loadedReader is a reader that is there, or that one caller reads while others wait.
type loadedReader struct {
	from   *storedReader
	used   int64 // on the clock
	ready  chan struct{}
	reader *reader
	err    error
}

func newReaders(lookups capi.Queryer, limit int64) *readers {
	return &readers{database: database{lookups: lookups}, limit: limit, loaded: map[readerKey]*loadedReader{}}
}

// get returns a reader for the kernels; scope is all or real. The first call for
// a reader reads it, and calls at the same time wait for that one, or read it themselves
// where its context ends before it is done.
func (r *readers) get(ctx context.Context, function string, stored *storedReader, scope string) (*reader, error) {
	key := stored.key(scope)
	for {
		entry, first := r.enter(key, stored)
		if first {
			entry.reader, entry.err = r.database.read(ctx, stored, scope)
			r.forgetFailed(key, entry)
			close(entry.ready)
			r.settle(entry)
		}
		select {
		case <-entry.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case !errors.Is(entry.err, context.Canceled) && !errors.Is(entry.err, context.DeadlineExceeded):
			return entry.reader, fault.At(function, stored.String(), entry.err)
		}
	}
}

// enter returns the entry of a reader, and whether the caller is to read it.
func (r *readers) enter(key readerKey, from *storedReader) (entry *loadedReader, first bool) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.clock++
	entry = r.loaded[key]
	if entry == nil || !entry.from.same(from) {
		entry, first = &loadedReader{from: from, ready: make(chan struct{})}, true
		r.loaded[key] = entry
	}
	entry.used = r.clock
	return entry, first
}

// forgetFailed forgets an entry that could not be read, before those that wait for it look
// for another.
func (r *readers) forgetFailed(key readerKey, entry *loadedReader) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if entry.err != nil && r.loaded[key] == entry {
		delete(r.loaded, key)
	}
}

// settle lets go of the readers that were used longest ago until the rest is within
// the limit; the one just read stays, and one that a function still uses is freed when
// that ends.
func (r *readers) settle(entry *loadedReader) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for entry.err == nil && r.bytes() > r.limit {
		oldest, found := r.leastRecentlyUsed(entry)
		if !found {
			return
		}
		delete(r.loaded, oldest)
	}
}

// bytes is the memory of all readers that are ready.
func (r *readers) bytes() int64 {
	var sum int64
	for _, entry := range r.loaded {
		if entry.isReady() {
			sum += entry.reader.matrix.Bytes()
		}
	}
	return sum
}

func (r *readers) leastRecentlyUsed(except *loadedReader) (key readerKey, found bool) {
	var oldest *loadedReader
	for k, entry := range r.loaded {
		if entry != except && entry.isReady() && (oldest == nil || entry.used < oldest.used) {
			key, oldest = k, entry
		}
	}
	return key, oldest != nil
}

func (l *loadedReader) isReady() bool {
	select {
	case <-l.ready:
		return l.err == nil
	default:
		return false
	}
}

// The tokens that count in statistics.
const (
	scopeAll  = "all"
	scopeReal = "real" // without padding and special tokens

	// scopeUnit is no choice of people's: rows of features at unit length, without zero ones,
	// which have no direction.
	scopeUnit = "unit"
)

func checkScope(function, scope string) error {
	if scope == scopeAll || scope == scopeReal {
		return nil
	}
	return &fault.Error{Op: function, Subject: "tokens", Expected: "'all' or 'real'", Found: schema.Literal(scope)}
}

// build has the kernels make what they compute with of a reader, which takes a second
// for the largest. Where ctx ends meanwhile, nobody waits for it.
func build(ctx context.Context, builder *compute.Builder) (*compute.Unembedding, error) {
	var u *compute.Unembedding
	done := make(chan error, 1)
	go func() {
		done <- func() (err error) {
			defer fault.Recover(&err)
			u, err = builder.Build()
			return err
		}()
	}()
	select {
	case err := <-done:
		return u, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
