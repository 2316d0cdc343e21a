package udf

import (
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// directionReader reads an argument, the first one of every function: a decoder
// direction, as FLOAT[], DOUBLE[], FLOAT[n] or DOUBLE[n].
type directionReader struct {
	function string
	argument string // its name
	outer    capi.Validity
	inner    capi.Validity
	entries  []capi.Entry // of lists
	size     int          // of arrays
	single   []float32
	double   []float64
}

func readDirections(function string, chunk capi.Chunk) (*directionReader, error) {
	return readDirectionsOf(function, "w_dec", chunk.Column(0), chunk.Rows())
}

// readDirectionsOf reads another argument, by its name.
func readDirectionsOf(function, argument string, v capi.Vector, rows int) (*directionReader, error) {
	kind, element, size := v.Type()
	r := &directionReader{function: function, argument: argument, outer: v.Validity(), size: size}
	if kind == capi.KindNull {
		return r, nil
	}
	var elements capi.Vector
	var count int
	switch {
	case kind == capi.KindList && (element == capi.KindFloat || element == capi.KindDouble):
		elements, count = v.Elements(), v.ElementCount()
		r.entries = capi.Values[capi.Entry](v, rows)
	case kind == capi.KindArray && (element == capi.KindFloat || element == capi.KindDouble):
		elements, count = v.ArrayElements(), rows*size
	default:
		found := kind.String()
		if kind == capi.KindList || kind == capi.KindArray {
			found = element.String() + "[]"
		}
		return nil, &fault.Error{
			Op: function, Subject: argument, Expected: "FLOAT[] or DOUBLE[], of variable or fixed length", Found: found,
			Hint: "cast it with ::FLOAT[]",
		}
	}
	r.inner = elements.Validity()
	if element == capi.KindFloat {
		r.single = capi.Values[float32](elements, count)
	} else {
		r.double = capi.Values[float64](elements, count)
	}
	return r, nil
}

// valid tells whether row i has a direction at all.
func (r *directionReader) valid(i int) bool {
	return (r.single != nil || r.double != nil || r.entries != nil) && r.outer.Valid(i)
}

// copy copies row i's direction into to, whose length is the d_model of what it is for.
func (r *directionReader) copy(to []float32, i int, by fmt.Stringer) error {
	from, length := i*r.size, r.size
	if r.entries != nil {
		from, length = int(r.entries[i].Offset), int(r.entries[i].Length)
	}
	if length != len(to) {
		return &fault.Error{
			Op: r.function, Subject: r.argument, Expected: fmt.Sprintf("%d values, the d_model of %s", len(to), by),
			Found: fmt.Sprint(length),
		}
	}
	for j := range to {
		if !r.inner.Valid(from + j) {
			return &fault.Error{Op: r.function, Subject: r.argument, Problem: fmt.Sprintf("element %d is NULL", j+1)}
		}
		if r.single != nil {
			to[j] = r.single[from+j]
		} else {
			to[j] = float32(r.double[from+j])
		}
		if math.IsNaN(float64(to[j])) || math.IsInf(float64(to[j]), 0) {
			return &fault.Error{Op: r.function, Subject: r.argument, Problem: fmt.Sprintf("element %d is not a finite FLOAT", j+1)}
		}
	}
	return nil
}

// call is what a row asks for besides its direction.
type call struct {
	reader string // its name
	scope  string // tokens that count: all or real
	cosine bool
	k      int
	sets   string // condition that chooses token sets
	// contrast stands for the tokens of a difference
	contrast string
	// of weighted enrichment
	weight       float64
	permutations int
	seed         int64
}

// batch is the rows of a chunk that ask for the same.
type batch struct {
	call
	reader     *reader
	rows       []int     // positions in the chunk
	directions []float32 // [len(rows), d_model]
}

// batches gathers a chunk's rows by what they ask for, in the order in which
// that appears. ask returns false for a row with a NULL argument; these, and the
// rows without a direction, are returned in null.
func (f *execution) batches(function string, chunk capi.Chunk, ask func(row int) (call, bool, error)) (all []*batch, null []int, err error) {
	directions, err := readDirections(function, chunk)
	if err != nil {
		return nil, nil, err
	}
	byCall := map[call]*batch{}
	for i := range chunk.Rows() {
		asked, ok, err := ask(i)
		if err != nil {
			return nil, nil, err
		}
		if !ok || !directions.valid(i) {
			null = append(null, i)
			continue
		}
		b, ok := byCall[asked]
		if !ok {
			if b, err = f.newBatch(function, asked, chunk.Rows()-i); err != nil {
				return nil, nil, err
			}
			byCall[asked] = b
			all = append(all, b)
		}
		n, d := len(b.directions), b.reader.matrix.DModel()
		b.directions = b.directions[:n+d]
		if err := directions.copy(b.directions[n:], i, b.reader.stored); err != nil {
			return nil, nil, err
		}
		b.rows = append(b.rows, i)
	}
	return all, null, nil
}

func (f *execution) newBatch(function string, asked call, rows int) (*batch, error) {
	by, err := f.reader(function, asked.reader, asked.scope)
	if err != nil {
		return nil, err
	}
	return &batch{call: asked, reader: by, directions: make([]float32, 0, rows*by.matrix.DModel())}, nil
}

// summarize computes the statistics of the batch's directions.
func (f *execution) summarize(b *batch, o compute.Options) (*compute.Summary, error) {
	var s compute.Summary
	o.Done = f.finished
	err := b.reader.matrix.Summarize(f.ctx, b.directions, o, &s)
	return &s, err
}
