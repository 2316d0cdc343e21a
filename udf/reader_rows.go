package udf

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// database is where readers are read from.
type database struct {
	queries  sync.Mutex
	lookups  capi.Queryer
	readings readings
	confined atomic.Bool // whether weights that stay in their files must not be read

	mutex sync.Mutex
	// registered are models on disk, by name, which are in no database.
	registered map[string]*storedReader
}

// query runs one query at a time: a connection cannot run two.
func (d *database) query(sql string, each func(capi.Chunk) error) error {
	d.queries.Lock()
	defer d.queries.Unlock()
	return d.lookups.Query(sql, each)
}

// read fills a reader from the database.
func (d *database) read(ctx context.Context, stored *storedReader, scope string) (*reader, error) {
	if stored.registered.path != "" {
		return readFile(ctx, stored, scope)
	}
	builder, err := compute.NewBuilder(stored.rows, stored.dModel)
	if err != nil {
		return nil, err
	}
	if err := d.readAll(ctx, stored, builder.SetRows); err != nil {
		return nil, err
	}
	ready := &reader{stored: stored, scope: scope}
	if stored.kind.rows() == "tokens" {
		ready.tokens = make([]token, stored.rows)
		real, err := d.readTokens(ready)
		if err != nil {
			return nil, err
		}
		if scope == scopeReal {
			builder.Only(real)
		}
	}
	if scope == scopeUnit {
		builder.Unit()
		rows := builder.NonzeroRows()
		if ready.zero = len(rows) == 0; !ready.zero {
			builder.Only(rows)
		}
	}
	ready.matrix, err = build(ctx, builder)
	return ready, err
}

// readSome reads n rows of a reader from one on into to, which grows where it has no room.
func (d *database) readSome(ctx context.Context, stored *storedReader, from, n int, to []float32) ([]float32, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if cap(to) < n*stored.dModel {
		to = make([]float32, n*stored.dModel)
	}
	to = to[:n*stored.dModel]
	if stored.place.path != "" {
		opened, err := d.openPlace(ctx, stored)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		return to, opened.ReadRows(from, to)
	}
	k, read := stored.kind, 0
	query := fmt.Sprintf(`SELECT %[1]s, %[2]s FROM %[3]s WHERE %[4]s = %[5]d AND %[1]s >= %[6]d AND %[1]s < %[7]d AND %[2]s IS NOT NULL%[8]s`,
		k.row, k.weights, stored.in(k.table), k.owner, stored.id, from, from+n, k.where)
	err := d.query(query, func(chunk capi.Chunk) error {
		rows := chunk.Rows()
		read += rows
		ids := capi.Values[int32](chunk.Column(0), rows)
		values := chunk.Column(1)
		flat := capi.Values[float32](values.Elements(), values.ElementCount())
		for i, entry := range capi.Values[capi.Entry](values, rows) {
			if err := stored.checkRow(int(ids[i]), int(entry.Length)); err != nil {
				return err
			}
			copy(to[(int(ids[i])-from)*stored.dModel:], flat[entry.Offset:entry.Offset+entry.Length])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return to, stored.checkRead(read, n)
}

// checkRow refuses a row that is none of the reader's, or has another length.
func (s *storedReader) checkRow(row, values int) error {
	if values == s.dModel && row >= 0 && row < s.rows {
		return nil
	}
	return s.damaged(fmt.Sprintf("row %d of the stored %s is damaged", row, s.kind.matrix()), fmt.Sprintf("%d values of one of %d rows", s.dModel, s.rows), values)
}

// checkRead refuses a reader of which not all rows that were asked for are there.
func (s *storedReader) checkRead(read, asked int) error {
	switch read {
	case asked:
		return nil
	case 0:
		return &fault.Error{
			Problem: "its " + s.kind.matrix() + " is not in this database, which has results alone",
			Hint:    "use the database that they were computed in, or load " + s.kind.owned() + " with --replace",
		}
	}
	return s.damaged("the stored "+s.kind.matrix()+" is damaged", fmt.Sprintf("%d rows", asked), read)
}

// damaged is the error of a reader whose rows are not what they were when it was loaded.
func (s *storedReader) damaged(problem, expected string, found int) error {
	return &fault.Error{
		Problem: problem, Expected: expected, Found: fmt.Sprint(found), Hint: "load " + s.kind.owned() + " again with --replace",
	}
}

// owned is what a reader of this kind is of, in a sentence.
func (k *readerKind) owned() string {
	if k.ofFeatures {
		return "the SAE"
	}
	return "the model"
}

// readTokens fills the tokens of a reader's model and returns the ids of those that are
// neither padding nor special.
func (d *database) readTokens(ready *reader) (real []int32, err error) {
	query := fmt.Sprintf(`SELECT token_id, coalesce(token, ''), coalesce(text, ''), is_special OR is_padding
		FROM %s WHERE model_id = %d AND token_id < %d ORDER BY token_id`, ready.stored.in("stored_tokens"), ready.stored.id, len(ready.tokens))
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
