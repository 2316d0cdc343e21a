package udf

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const readerRow = "reader_row"

var readerRowFamily = family{
	register: func(f *Functions, c capi.Connection) error {
		return c.RegisterScalar(readerRow, capi.Scalar{
			Parameters: []capi.Type{capi.Varchar, capi.Integer}, Returns: capi.List(capi.Float),
			Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error { return f.readerRows(input, output) }),
		})
	},
	docs: []schema.Function{{
		Name:      readerRow,
		Signature: "reader_row(reader, row) → FLOAT[]",
		Description: "A row of a reader: of 'SAE#decoder' or 'SAE#encoder' that of a feature, of 'MODEL' or 'MODEL#embedding' that of a token. " +
			"It reads the weights of an SAE from their file where they stay there (load sae --in-place), which the view decoder_directions does not. A row that the reader does not have is an error.",
		Example: "SELECT feature, len(reader_row('layer_29#decoder', feature)) AS d_model FROM layer_29 LIMIT 3",
	}},
}

// readerRows reads the rows of a chunk, those of a reader together and in order, so that what lies
// side by side in a file is read at once.
func (f *execution) readerRows(input capi.Chunk, output capi.Vector) error {
	n := input.Rows()
	names, wanted := newTexts(input.Column(0)), capi.Values[int32](input.Column(1), n)
	given := input.Column(1).Validity()
	var null []int
	var readers []string
	of := map[string][]int{}
	for i := range n {
		if !names.valid(i) || !given.Valid(i) {
			null = append(null, i)
			continue
		}
		name := names.at(i)
		if of[name] == nil {
			readers = append(readers, name)
		}
		of[name] = append(of[name], i)
	}
	lists := newListWriter(output, n, null)
	for _, name := range readers {
		stored, err := f.find(readerRow, name)
		if err != nil {
			return err
		}
		places := of[name]
		slices.SortStableFunc(places, func(a, b int) int { return int(wanted[a]) - int(wanted[b]) })
		ids := make([]int32, len(places))
		for i, place := range places {
			if ids[i] = wanted[place]; ids[i] < 0 || int(ids[i]) >= stored.rows {
				return &fault.Error{Op: readerRow, Subject: stored.String(), Problem: "row", Expected: fmt.Sprintf("0 to %d", stored.rows-1), Found: fmt.Sprint(ids[i])}
			}
		}
		to, err := numbersOf[float32](lists, places, stored.dModel)
		if err != nil {
			return err
		}
		if err := f.readers.database.readThese(f.ctx, stored, ids, to); err != nil {
			return fault.At(readerRow, stored.String(), fault.Returned(err))
		}
		f.finished(len(places))
	}
	return nil
}

// readThese reads the rows of a reader of these numbers, which ascend, into to.
func (d *database) readThese(ctx context.Context, stored *storedReader, ids []int32, to []float32) error {
	width := stored.dModel
	var opened openedRows
	var err error
	switch {
	case stored.place.path != "":
		opened, err = d.openPlace(ctx, stored)
	case stored.registered.path != "":
		opened, err = stored.open()
	default:
		return d.selectThese(stored, ids, to)
	}
	if err != nil {
		return err
	}
	defer opened.Close()
	for first := 0; first < len(ids); {
		last := first + 1
		for last < len(ids) && ids[last] == ids[last-1]+1 {
			last++
		}
		if err := opened.ReadRows(int(ids[first]), to[first*width:last*width]); err != nil {
			return err
		}
		first = last
	}
	return nil
}

// selectThese does so where they are in a table.
func (d *database) selectThese(stored *storedReader, ids []int32, to []float32) error {
	distinct := slices.Compact(slices.Clone(ids))
	k, read := stored.kind, 0
	query := fmt.Sprintf(`SELECT %[1]s, %[2]s FROM %[3]s WHERE %[4]s = %[5]d AND %[1]s IN (%[6]s) AND %[2]s IS NOT NULL%[7]s`,
		k.row, k.weights, stored.in(k.table), k.owner, stored.id, strings.Trim(schema.List(distinct), "[]"), k.where)
	err := d.query(query, func(chunk capi.Chunk) error {
		rows := chunk.Rows()
		values := chunk.Column(1)
		flat := capi.Values[float32](values.Elements(), values.ElementCount())
		entries := capi.Values[capi.Entry](values, rows)
		for i, id := range capi.Values[int32](chunk.Column(0), rows) {
			if err := stored.checkRow(int(id), int(entries[i].Length)); err != nil {
				return err
			}
			read++
			at, _ := slices.BinarySearch(ids, id)
			for ; at < len(ids) && ids[at] == id; at++ {
				copy(to[at*stored.dModel:], flat[entries[i].Offset:entries[i].Offset+entries[i].Length])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return stored.checkRead(read, len(distinct))
}
