package udf

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/udf/capi"
)

// matchedAmong is how many features of b each of a may be matched with.
const matchedAmong = 64

// matched is what features are matched by: directions [n, d_model] of a, and a matrix of rows of
// b that they are multiplied with.
type matched struct {
	folded     bool
	dModel     int
	directions []float32
	lengthsA   []float64            // of the directions
	lengthsB   []float64            // of the rows; nil where these are at unit length
	rows       *compute.Unembedding // nil where all of b are zero
}

// near is a feature of b that one of a may be matched with.
type near struct {
	feature       int32
	worth, cosine float64
}

// prepare reads what the two SAEs are matched by: of directions as they are stored the rows of b
// are at unit length, of folded ones they are times their thresholds.
func (m *matching) prepare(ctx context.Context) (*matched, error) {
	by := &matched{folded: m.folded, dModel: m.a.dModel}
	d, database := m.a.dModel, &m.functions.readers.database
	by.directions, by.lengthsA = make([]float32, m.a.rows*d), make([]float64, m.a.rows)
	var thresholds [2][]float32
	if m.folded {
		for i, of := range []*storedReader{m.a, m.b} {
			var err error
			if thresholds[i], err = database.thresholds(of); err != nil {
				return nil, fault.At("", of.String(), err)
			}
		}
	}
	err := database.readAll(ctx, m.a, func(row int, values []float32) {
		to := by.directions[row*d : (row+1)*d]
		fold(to, values, thresholds[0], row)
		by.lengthsA[row] = length(to)
	})
	if err != nil {
		return nil, fault.At("", m.a.String(), err)
	}
	by.lengthsB = make([]float64, m.b.rows)
	if !m.folded {
		reader, err := m.functions.readers.get(ctx, tableMatch, m.b, scopeUnit)
		if err == nil && !reader.zero {
			by.rows = reader.matrix
		}
		return by, err
	}
	builder, err := compute.NewBuilder(m.b.rows, d)
	if err != nil {
		return nil, err
	}
	err = database.readAll(ctx, m.b, func(row int, values []float32) {
		folded := make([]float32, d) // a row's own: there are several at once
		fold(folded, values, thresholds[1], row)
		by.lengthsB[row] = length(folded)
		builder.SetRows(row, folded)
	})
	if err != nil {
		return nil, fault.At("", m.b.String(), err)
	}
	rows := builder.NonzeroRows()
	if len(rows) == 0 {
		return by, nil
	}
	builder.Only(rows)
	by.rows, err = build(ctx, builder)
	return by, err
}

// fold writes a decoder direction times its feature's threshold, where there are thresholds: with
// the encoder divided by it, every feature fires above 1, and the SAE does what it did.
func fold(to, values, thresholds []float32, feature int) {
	copy(to, values)
	if thresholds == nil {
		return
	}
	for i := range to {
		to[i] *= thresholds[feature]
	}
}

// thresholds reads those of all features of an SAE, of which each must have one.
func (d *database) thresholds(of *storedReader) ([]float32, error) {
	thresholds := make([]float32, of.rows)
	found := 0
	err := d.query(fmt.Sprintf(`SELECT feature, threshold FROM %s WHERE sae_id = %d AND threshold >= 0 AND feature < %d`,
		of.in("stored_encoders"), of.id, of.rows), func(chunk capi.Chunk) error {
		n := chunk.Rows()
		values := capi.Values[float32](chunk.Column(1), n)
		for i, feature := range capi.Values[int32](chunk.Column(0), n) {
			thresholds[feature] = values[i]
			found++
		}
		return nil
	})
	if err == nil && found < of.rows {
		err = &fault.Error{
			Problem: "folded directions need the threshold of every feature", Expected: fmt.Sprintf("%d thresholds", of.rows), Found: fmt.Sprint(found),
			Hint: "load it with load sae --encoder; SAEs without thresholds, such as those with ReLU or TopK, are matched without folded",
		}
	}
	return thresholds, err
}

// candidates are, for each direction, the features of b of the highest worth, highest first, equal
// ones by their index. rest is the highest worth that any other could have, with a cosine from
// least on.
func (by *matched) candidates(ctx context.Context, least float64, finished func(int)) (all [][]near, rest []float64, err error) {
	n := len(by.lengthsA)
	all, rest = make([][]near, n), make([]float64, n)
	if by.rows == nil {
		return all, rest, nil
	}
	var s compute.Summary
	if err := by.rows.Summarize(ctx, by.directions, compute.Options{TopK: matchedAmong, Done: finished}, &s); err != nil {
		return nil, nil, err
	}
	ends := []*compute.Tokens{&s.Top, &s.Bottom}
	if by.folded {
		ends = ends[:1]
	}
	for i := range n {
		if by.lengthsA[i] == 0 {
			continue
		}
		var found []near
		for _, end := range ends {
			for j := i * end.K; j < (i+1)*end.K; j++ {
				found = append(found, by.near(i, end.IDs[j], end.Logits[j]))
			}
		}
		slices.SortFunc(found, func(a, b near) int {
			return cmp.Or(cmp.Compare(b.worth, a.worth), cmp.Compare(a.feature, b.feature))
		})
		found = slices.Compact(found) // both ends of few have the same
		if len(found) > matchedAmong {
			found = found[:matchedAmong]
		}
		if last := found[len(found)-1]; len(found) < by.rows.Tokens() && (by.folded || last.worth >= least) {
			rest[i] = max(last.worth, 0)
		}
		all[i] = found
	}
	return all, rest, nil
}

// near is what a product of direction i with a row says.
func (by *matched) near(i int, feature int32, product float64) near {
	if by.folded {
		return near{feature, product, min(max(product/by.lengthsA[i]/by.lengthsB[feature], -1), 1)}
	}
	cosine := min(max(product/by.lengthsA[i], -1), 1)
	return near{feature, math.Abs(cosine), cosine}
}
