package udf

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const tableMatch = "match_saes"

var matchFamily = family{
	register: registerMatch,
	docs: []schema.Function{{
		Name:      tableMatch,
		Signature: "match_saes(a, b, cosine := 0) → TABLE(feature_a, feature_b INTEGER, cosine, max_absolute_cosine, sum_at_most DOUBLE)",
		Description: "Matches the features of two SAEs one to one by their decoder directions, so that the sum of |cosine| is as high as it can be: a row a feature of a, feature_b NULL where it has no partner, and then those " +
			"of b without one. avg(abs(cosine)) is the PW-MCC of two SAEs of one size (Song et al. 2025, arXiv 2505.20254), avg(max_absolute_cosine), over features of a and with one partner for several, the mean of maxima. " +
			"Partners are looked for among the 64 features of b with the highest |cosine|; no matching at all has a sum above sum_at_most, so that one whose sum is that is the best there is. " +
			"Only |cosine| from cosine on counts. A zero direction has no partner. a and b are each one SAE in the words of readers; all products are computed.",
		Example: "SELECT count(cosine) AS matched, round(avg(abs(cosine)), 2) AS pw_mcc, round(avg(max_absolute_cosine), 2) AS mean_of_maxima, sum(abs(cosine)) / any_value(sum_at_most) > 0.99 AS nearly_best FROM match_saes('layer_24', 'layer_29')",
	}},
}

func registerMatch(f *Functions, c capi.Connection) error {
	return c.RegisterTable(tableMatch, 2, func(caller capi.Caller, arguments []string) (capi.Table, error) {
		m := &matching{functions: f, caller: caller}
		if given := arguments[2]; given != "" {
			least, err := strconv.ParseFloat(given, 64)
			if err != nil || !(least >= 0 && least <= 1) {
				return nil, &fault.Error{Op: tableMatch, Subject: "cosine", Expected: "0 to 1", Found: given}
			}
			m.least = least
		}
		for i, to := range []**storedReader{&m.a, &m.b} {
			found, err := f.readers.database.find(tableMatch, schema.ReaderName(arguments[i], decoder.suffix))
			if err != nil {
				return nil, err
			}
			*to = found
		}
		if m.a.dModel != m.b.dModel {
			return nil, &fault.Error{
				Op: tableMatch, Subject: m.b.String(), Expected: strconv.Itoa(m.a.dModel) + " values, as " + m.a.String() + " has", Found: strconv.Itoa(m.b.dModel),
			}
		}
		return m, nil
	}, "cosine")
}

// matching is one use of match_saes. It computes when its first row is asked for.
type matching struct {
	functions *Functions
	caller    capi.Caller
	a, b      *storedReader
	least     float64

	pairs []pair
	sum   float64 // that no matching is above
}

// pair is a row of match_saes: -1 is no feature.
type pair struct {
	a, b            int32
	cosine, largest float64
}

func (m *matching) Columns() []capi.Field { return m.table().Columns() }
func (m *matching) Rows() int64           { return -1 }
func (m *matching) Close() error          { return nil }

func (m *matching) Scan(columns []int) (capi.Scan, error) {
	return &matchScan{matching: m, execution: m.functions.execution(m.caller.Connection), columns: columns}, nil
}

func (m *matching) table() *table {
	feature := func(of func(pair) int32) func(int) (int32, bool) {
		return func(row int) (int32, bool) { i := of(m.pairs[row]); return i, i >= 0 }
	}
	return &table{functions: m.functions, connection: m.caller.Connection, rows: len(m.pairs), columns: []column{
		knownColumn("feature_a", capi.Integer, feature(func(p pair) int32 { return p.a })),
		knownColumn("feature_b", capi.Integer, feature(func(p pair) int32 { return p.b })),
		knownColumn("cosine", capi.Double, func(row int) (float64, bool) {
			return m.pairs[row].cosine, m.pairs[row].a >= 0 && m.pairs[row].b >= 0
		}),
		knownColumn("max_absolute_cosine", capi.Double, func(row int) (float64, bool) {
			return m.pairs[row].largest, m.pairs[row].largest > 0
		}),
		valueColumn("sum_at_most", capi.Double, func(int) float64 { return m.sum }),
	}}
}

type matchScan struct {
	*matching
	*execution
	columns []int
	rows    capi.Scan
}

func (s *matchScan) Threads() int { return 1 }
func (s *matchScan) Close() error { return nil }

func (s *matchScan) Next(output capi.Chunk) (int, error) {
	if s.rows == nil {
		err := s.During(s.of, s.caller, func(ctx context.Context) error { return s.match(ctx, s.finished) })
		if err != nil {
			return 0, fault.At(tableMatch, "", err)
		}
		if s.rows, err = s.table().Scan(s.columns); err != nil {
			return 0, err
		}
	}
	return s.rows.Next(output)
}

// matchedAmong is how many features of b each of a may be matched with.
const matchedAmong = 64

// match fills pairs and sum.
func (m *matching) match(ctx context.Context, finished func(int)) error {
	d := m.a.dModel
	directions := make([]float32, m.a.rows*d)
	err := m.functions.readers.database.readRows(ctx, m.a, func(row int, values []float32) { copy(directions[row*d:(row+1)*d], values) })
	if err != nil {
		return fault.At("", m.a.String(), err)
	}
	by, err := m.functions.readers.get(ctx, tableMatch, m.b, scopeUnit)
	if err != nil {
		return err
	}
	candidates, cosines, rest, err := m.candidates(ctx, directions, by, finished)
	if err != nil {
		return err
	}
	assigned, err := compute.Assign(ctx, candidates, m.b.rows)
	if err != nil {
		return err
	}
	m.pairs, m.sum = nil, 0
	lowest := slices.Min(assigned.Prices)
	partner := make([]bool, m.b.rows)
	for i, j := range assigned.Columns {
		p := pair{a: int32(i), b: int32(j)}
		for k, c := range candidates[i] {
			if c.Column == j {
				p.cosine = cosines[i][k]
			}
		}
		if j >= 0 {
			partner[j] = true
		}
		p.largest = largestOf(cosines[i])
		m.pairs = append(m.pairs, p)
		// What a feature that is no candidate could bring at most, beyond what it costs.
		m.sum += assigned.Profits[i] + max(0, rest[i]-assigned.Profits[i]-lowest)
	}
	for j, price := range assigned.Prices {
		m.sum += price
		if !partner[j] {
			m.pairs = append(m.pairs, pair{a: -1, b: int32(j)})
		}
	}
	return nil
}

// candidates are, for each direction, the features of by with the highest |cosine|, and their
// cosines; the first of all there are is in cosines also where it is no candidate. rest is the
// highest |cosine| that any other feature could have.
func (m *matching) candidates(ctx context.Context, directions []float32, by *reader, finished func(int)) (
	candidates [][]compute.Candidate, cosines [][]float64, rest []float64, err error) {
	d, n := m.a.dModel, m.a.rows
	candidates, cosines, rest = make([][]compute.Candidate, n), make([][]float64, n), make([]float64, n)
	if by.zero {
		return candidates, cosines, rest, nil
	}
	var s compute.Summary
	if err := by.matrix.Summarize(ctx, directions, compute.Options{TopK: matchedAmong, Done: finished}, &s); err != nil {
		return nil, nil, nil, err
	}
	type near struct {
		feature int32
		cosine  float64
	}
	for i := range n {
		norm := length(directions[i*d : (i+1)*d])
		if norm == 0 {
			continue
		}
		var all []near
		for _, end := range []*compute.Tokens{&s.Top, &s.Bottom} {
			for j := i * end.K; j < (i+1)*end.K; j++ {
				all = append(all, near{end.IDs[j], min(max(end.Logits[j]/norm, -1), 1)})
			}
		}
		slices.SortFunc(all, func(a, b near) int {
			return cmp.Or(cmp.Compare(math.Abs(b.cosine), math.Abs(a.cosine)), cmp.Compare(a.feature, b.feature))
		})
		all = slices.Compact(all) // both ends of few have the same
		if len(all) > matchedAmong {
			all = all[:matchedAmong]
		}
		if last := math.Abs(all[len(all)-1].cosine); len(all) < by.matrix.Tokens() && last >= m.least {
			rest[i] = last
		}
		for _, a := range all {
			cosines[i] = append(cosines[i], a.cosine)
			if worth := math.Abs(a.cosine); worth >= m.least && worth > 0 {
				candidates[i] = append(candidates[i], compute.Candidate{Column: int(a.feature), Worth: worth})
			}
		}
	}
	return candidates, cosines, rest, nil
}

// largestOf is the magnitude of the first, which is the largest.
func largestOf(cosines []float64) float64 {
	if len(cosines) == 0 {
		return 0
	}
	return math.Abs(cosines[0])
}
