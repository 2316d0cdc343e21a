package udf

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// readRow is the SQL function that a query of [database.readAll] hands rows over with. DuckDB
// calls it with its own vectors, on as many threads as the table has row groups: a query that
// returned the rows would copy them into its result first, which takes three times as long. It is
// not for people, and not documented.
const readRow = "saedb_read_row"

// readings are the readers that such queries read at the moment, by numbers that nobody guesses.
type readings struct {
	mutex  sync.Mutex
	active map[int64]*reading
}

type reading struct {
	ctx    context.Context
	stored *storedReader
	set    func(row int, values []float32) // for several rows at once
	rows   atomic.Int64
}

func (r *readings) begin(one *reading) (number int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.active == nil {
		r.active = map[int64]*reading{}
	}
	number = rand.Int64()
	r.active[number] = one
	return number
}

func (r *readings) end(number int64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	delete(r.active, number)
}

func (r *readings) of(number int64) *reading {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.active[number]
}

// registerReadRow registers saedb_read_row(reading, row, values), which is always true.
func registerReadRow(f *Functions, c capi.Connection) error {
	return c.RegisterScalar(readRow, capi.Scalar{
		Parameters: []capi.Type{capi.Bigint, capi.Integer, capi.List(capi.Float)}, Returns: capi.Boolean, Volatile: true,
		Call: f.readers.database.takeRows,
	})
}

func (d *database) takeRows(input capi.Chunk, output capi.Vector) error {
	n := input.Rows()
	if n == 0 {
		return nil
	}
	given, rows, lists := input.Column(0), input.Column(1), newLists(input.Column(2), n)
	one := d.readings.of(capi.Values[int64](given, n)[0])
	if one == nil || !given.Validity().Valid(0) {
		return &fault.Error{Op: readRow, Problem: "this function is saedb's own, for matrices that it reads", Hint: "decoder_directions and unembeddings have rows to select"}
	}
	if err := one.ctx.Err(); err != nil {
		return err
	}
	values, ids, present := capi.Values[float32](lists.elements, lists.count), capi.Values[int32](rows, n), rows.Validity()
	taken := capi.Values[bool](output, n)
	for i := range n {
		if taken[i] = true; !present.Valid(i) || !lists.valid(i) {
			continue // counted as missing
		}
		entry := lists.entries[i]
		if err := one.stored.checkRow(int(ids[i]), int(entry.Length)); err != nil {
			return err
		}
		one.set(int(ids[i]), values[entry.Offset:entry.Offset+entry.Length])
		one.rows.Add(1)
	}
	return nil
}

// readAll gives set all rows of a reader, each with its number, from several threads at once.
func (d *database) readAll(ctx context.Context, stored *storedReader, set func(row int, values []float32)) error {
	if stored.place.path != "" {
		return d.readPlace(ctx, stored, set)
	}
	one := &reading{ctx: ctx, stored: stored, set: set}
	number := d.readings.begin(one)
	defer d.readings.end(number)
	k := stored.kind
	// In the aggregate, and not a condition, so that it is called for no other rows.
	err := d.query(fmt.Sprintf(`SELECT count(%s(%d, %s, %s)) FROM %s WHERE %s = %d AND %[4]s IS NOT NULL%[8]s`,
		readRow, number, k.row, k.weights, stored.in(k.table), k.owner, stored.id, k.where), func(capi.Chunk) error { return nil })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fault.Returned(err)
	}
	return stored.checkRead(int(one.rows.Load()), stored.rows)
}
