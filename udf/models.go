package udf

import (
	"fmt"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// model is a model of the database, ready for the kernels. It is immutable.
type model struct {
	name        string
	id          int32
	unembedding *compute.Unembedding
	tokens      []token // by id, one for each column of the unembedding
}

type token struct{ token, text string }

// models keeps the unembeddings that functions have asked for. A model that was
// replaced in the database since is read again.
type models struct {
	mutex   sync.Mutex
	lookups capi.Connection
	loaded  map[modelKey]*model
}

type modelKey struct {
	name  string
	scope string // tokens that count: all or real
}

func newModels(lookups capi.Connection) *models {
	return &models{lookups: lookups, loaded: map[modelKey]*model{}}
}

// get returns the model of that name; scope is all or real. The first call for
// a model reads it, and calls at the same time wait for that one.
func (m *models) get(function, name, scope string) (*model, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	found, dModel, dVocab, err := m.find(function, name)
	if err != nil {
		return nil, err
	}
	key := modelKey{name, scope}
	if ready, ok := m.loaded[key]; ok && ready.id == found {
		return ready, nil
	}
	delete(m.loaded, key)
	read, err := m.read(found, dModel, dVocab, scope)
	if err != nil {
		return nil, fault.At(function, "model "+name, err)
	}
	read.name = name
	m.loaded[key] = read
	return read, nil
}

// find returns the model's id and the shape of its unembedding.
func (m *models) find(function, name string) (id int32, dModel, dVocab int, err error) {
	var known []string
	err = m.lookups.Query(`SELECT model, model_id, d_model, d_vocab FROM main.stored_models ORDER BY model`, func(chunk capi.Chunk) error {
		n := chunk.Rows()
		for i := range n {
			known = append(known, chunk.Column(0).Text(i))
			if known[len(known)-1] == name {
				id = capi.Values[int32](chunk.Column(1), n)[i]
				dModel = int(capi.Values[int32](chunk.Column(2), n)[i])
				dVocab = int(capi.Values[int32](chunk.Column(3), n)[i])
			}
		}
		return nil
	})
	if err == nil && dModel > 0 {
		return id, dModel, dVocab, nil
	}
	unknown := &fault.Error{Op: function, Subject: fmt.Sprintf("model %q", name), Problem: "no such model in this database"}
	switch {
	case err != nil && !strings.Contains(err.Error(), "stored_models"):
		return 0, 0, 0, fault.At(function, "look up model "+name, err)
	case len(known) == 0:
		unknown.Hint = "none is loaded; load one with saedb load model"
	default:
		unknown.Hint = "loaded: " + strings.Join(known, ", ")
	}
	return 0, 0, 0, unknown
}

// read fills an unembedding from the database in parts, so that no more than
// one part is held twice.
func (m *models) read(id int32, dModel, dVocab int, scope string) (*model, error) {
	builder, err := compute.NewBuilder(dVocab, dModel)
	if err != nil {
		return nil, err
	}
	const part = 4096
	rows := 0
	for from := 0; from < dVocab; from += part {
		query := fmt.Sprintf(`SELECT token_id, w_u FROM main.stored_unembeddings
			WHERE model_id = %d AND token_id >= %d AND token_id < %d`, id, from, from+part)
		err := m.lookups.Query(query, func(chunk capi.Chunk) error {
			n := chunk.Rows()
			rows += n
			ids := capi.Values[int32](chunk.Column(0), n)
			values := chunk.Column(1)
			flat := capi.Values[float32](values.Elements(), values.ElementCount())
			for i, entry := range capi.Values[capi.Entry](values, n) {
				if int(entry.Length) != dModel || int(ids[i]) >= dVocab {
					return damaged(id, int(ids[i]), dModel, int(entry.Length))
				}
				builder.SetRows(int(ids[i]), flat[entry.Offset:entry.Offset+entry.Length])
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if rows != dVocab {
		return nil, &fault.Error{
			Problem: "the stored unembedding is damaged", Expected: fmt.Sprintf("%d rows", dVocab), Found: fmt.Sprint(rows),
			Hint: "load the model again with --replace",
		}
	}
	ready := &model{id: id, tokens: make([]token, dVocab)}
	real, err := m.readTokens(ready)
	if err != nil {
		return nil, err
	}
	if scope == scopeReal {
		builder.Only(real)
	}
	ready.unembedding, err = builder.Build()
	return ready, err
}

func damaged(id int32, row, want, got int) error {
	return &fault.Error{
		Problem: fmt.Sprintf("row %d of the stored unembedding is damaged", row), Expected: fmt.Sprintf("%d values", want),
		Found: fmt.Sprint(got), Hint: "load the model again with --replace",
	}
}

// readTokens fills the model's tokens and returns the ids of those that are
// neither padding nor special.
func (m *models) readTokens(ready *model) (real []int32, err error) {
	query := fmt.Sprintf(`SELECT token_id, coalesce(token, ''), coalesce(text, ''), is_special OR is_padding
		FROM main.stored_tokens WHERE model_id = %d AND token_id < %d ORDER BY token_id`, ready.id, len(ready.tokens))
	err = m.lookups.Query(query, func(chunk capi.Chunk) error {
		n := chunk.Rows()
		ids, excluded := capi.Values[int32](chunk.Column(0), n), capi.Values[bool](chunk.Column(3), n)
		for i, id := range ids {
			ready.tokens[id] = token{chunk.Column(1).Text(i), chunk.Column(2).Text(i)}
			if !excluded[i] {
				real = append(real, id)
			}
		}
		return nil
	})
	return real, err
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
