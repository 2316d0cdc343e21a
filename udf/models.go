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

// model is a model of the database, ready for the kernels. It is immutable.
type model struct {
	name        string
	scope       string       // tokens that count: all or real
	stored      *storedModel // where it was read from
	unembedding *compute.Unembedding
	tokens      []token // by id, one for each column of the unembedding
}

type token struct{ token, text string }

// models holds the unembeddings that functions have asked for, each once, shared
// by all queries. A model that was replaced in the database since is read again.
type models struct {
	database database
	sets     setsCache
	limit    int64 // bytes of unembeddings that are kept

	mutex  sync.Mutex
	loaded map[modelKey]*loadedModel
	clock  int64 // counts calls, for what was used last
}

type modelKey struct {
	database, name string
	scope          string // tokens that count: all or real
}

// loadedModel is a model that is there, or that one caller reads while others wait.
type loadedModel struct {
	from  *storedModel
	used  int64 // on the clock
	ready chan struct{}
	model *model
	err   error
}

func newModels(lookups capi.Queryer, limit int64) *models {
	return &models{database: database{lookups: lookups}, limit: limit, loaded: map[modelKey]*loadedModel{}}
}

// get returns a model for the kernels; scope is all or real. The first call for
// a model reads it, and calls at the same time wait for that one, or read it themselves
// where its context ends before it is done.
func (m *models) get(ctx context.Context, function string, stored *storedModel, scope string) (*model, error) {
	key := modelKey{stored.database, stored.name, scope}
	for {
		entry, first := m.enter(key, stored)
		if first {
			entry.model, entry.err = m.database.read(ctx, stored, scope)
			m.forgetFailed(key, entry)
			close(entry.ready)
			m.settle(entry)
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
			return entry.model, fault.At(function, "model "+stored.name, entry.err)
		}
	}
}

// enter returns the entry of a model, and whether the caller is to read it.
func (m *models) enter(key modelKey, from *storedModel) (entry *loadedModel, first bool) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.clock++
	entry = m.loaded[key]
	if entry == nil || !entry.from.same(from) {
		entry, first = &loadedModel{from: from, ready: make(chan struct{})}, true
		m.loaded[key] = entry
	}
	entry.used = m.clock
	return entry, first
}

// forgetFailed forgets an entry that could not be read, before those that wait for it look
// for another.
func (m *models) forgetFailed(key modelKey, entry *loadedModel) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if entry.err != nil && m.loaded[key] == entry {
		delete(m.loaded, key)
	}
}

// settle lets go of the models that were used longest ago until the rest is within
// the limit; the one just read stays, and one that a function still uses is freed when
// that ends.
func (m *models) settle(entry *loadedModel) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	for entry.err == nil && m.bytes() > m.limit {
		oldest, found := m.leastRecentlyUsed(entry)
		if !found {
			return
		}
		delete(m.loaded, oldest)
	}
}

// bytes is the memory of all models that are ready.
func (m *models) bytes() int64 {
	var sum int64
	for _, entry := range m.loaded {
		if entry.isReady() {
			sum += entry.model.unembedding.Bytes()
		}
	}
	return sum
}

func (m *models) leastRecentlyUsed(except *loadedModel) (key modelKey, found bool) {
	var oldest *loadedModel
	for k, entry := range m.loaded {
		if entry != except && entry.isReady() && (oldest == nil || entry.used < oldest.used) {
			key, oldest = k, entry
		}
	}
	return key, oldest != nil
}

func (l *loadedModel) isReady() bool {
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
)

func checkScope(function, scope string) error {
	if scope == scopeAll || scope == scopeReal {
		return nil
	}
	return &fault.Error{Op: function, Subject: "tokens", Expected: "'all' or 'real'", Found: schema.Literal(scope)}
}

// build has the kernels make what they compute with of an unembedding, which takes a second
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
