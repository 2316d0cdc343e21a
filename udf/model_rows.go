package udf

import (
	"fmt"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// database is where models are read from.
type database struct {
	mutex   sync.Mutex
	lookups capi.Queryer
}

// query runs one query at a time: a connection cannot run two.
func (d *database) query(sql string, each func(capi.Chunk) error) error {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	return d.lookups.Query(sql, each)
}

// find returns the model's id and the shape of its unembedding.
func (d *database) find(function, name string) (id int32, dModel, dVocab int, err error) {
	var known []string
	err = d.query(`SELECT model, model_id, d_model, d_vocab FROM main.stored_models ORDER BY model`, func(chunk capi.Chunk) error {
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
func (d *database) read(id int32, dModel, dVocab int, scope string) (*model, error) {
	builder, err := compute.NewBuilder(dVocab, dModel)
	if err != nil {
		return nil, err
	}
	const part = 4096
	rows := 0
	for from := 0; from < dVocab; from += part {
		query := fmt.Sprintf(`SELECT token_id, w_u FROM main.stored_unembeddings
			WHERE model_id = %d AND token_id >= %d AND token_id < %d`, id, from, from+part)
		err := d.query(query, func(chunk capi.Chunk) error {
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
	real, err := d.readTokens(ready)
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
func (d *database) readTokens(ready *model) (real []int32, err error) {
	query := fmt.Sprintf(`SELECT token_id, coalesce(token, ''), coalesce(text, ''), is_special OR is_padding
		FROM main.stored_tokens WHERE model_id = %d AND token_id < %d ORDER BY token_id`, ready.id, len(ready.tokens))
	err = d.query(query, func(chunk capi.Chunk) error {
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
