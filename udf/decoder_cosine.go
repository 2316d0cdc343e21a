package udf

import (
	"math"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// decoderCosineFamily is decoder_cosine(w_dec, one) → DOUBLE, the cosine of two stored
// directions, NULL where either is zero. It is the explorer's, and no part of what people call:
// list_cosine_similarity of DOUBLEs is the same, in ten times the time.
var decoderCosineFamily = family{register: func(f *Functions, c capi.Connection) error {
	direction := capi.List(capi.Float)
	return c.RegisterScalar("decoder_cosine", capi.Scalar{
		Parameters: []capi.Type{direction, direction}, Returns: capi.Double, Run: f.of((*execution).decoderCosine),
	})
}}

func (f *execution) decoderCosine(input capi.Chunk, output capi.Vector) error {
	n := input.Rows()
	rows, ones := newFloatLists(input.Column(0), n), newFloatLists(input.Column(1), n)
	out := capi.Values[float64](output, n)
	for from := 0; from < n; {
		one := ones.at(from)
		row := rows.at(from)
		if row == nil || one == nil {
			output.SetNull(from, 0)
			from++
			continue
		}
		if len(row) != len(one) || len(one) == 0 {
			return &fault.Error{Op: "decoder_cosine", Subject: "w_dec", Expected: "two directions of one length", Found: "others"}
		}
		// Rows that follow each other in memory, and the same direction, are one call.
		to := from + 1
		for to < n && ones.follows(to, from, 0) && rows.follows(to, from, (to-from)*len(row)) {
			to++
		}
		at := rows.entries[from].Offset
		compute.Cosines(one, rows.values[at:at+uint64((to-from)*len(row))], out[from:to])
		for i := from; i < to; i++ {
			if math.IsNaN(out[i]) {
				output.SetNull(i, 0)
			}
		}
		f.finished(to - from)
		from = to
	}
	return nil
}

// floatLists reads a FLOAT[] column in place.
type floatLists struct {
	lists
	values []float32
}

func newFloatLists(v capi.Vector, rows int) *floatLists {
	l := newLists(v, rows)
	return &floatLists{l, capi.Values[float32](l.elements, l.count)}
}

// at is the list of row, nil where it is NULL.
func (l *floatLists) at(row int) []float32 {
	if !l.valid(row) {
		return nil
	}
	e := l.entries[row]
	return l.values[e.Offset : e.Offset+e.Length]
}

// follows tells whether the list of row is as long as that of first and lies so far behind it,
// or, at no distance, has the same values.
func (l *floatLists) follows(row, first, distance int) bool {
	if !l.valid(row) || l.entries[row].Length != l.entries[first].Length {
		return false
	}
	a, b := l.entries[first].Offset, l.entries[row].Offset
	if b == a+uint64(distance) {
		return true
	}
	if distance != 0 {
		return false
	}
	for i, v := range l.at(first) {
		if l.values[b+uint64(i)] != v {
			return false
		}
	}
	return true
}
