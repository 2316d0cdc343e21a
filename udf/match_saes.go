package udf

import (
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
		Signature: "match_saes(a, b, cosine := 0, folded := false) → TABLE(feature_a, feature_b INTEGER, cosine, max_absolute_cosine, sum_at_most DOUBLE, nearest_b INTEGER, worth, squared_error DOUBLE)",
		Description: "Matches the features of two SAEs one to one by their decoder directions, so that the sum of worth, |cosine|, is as high as it can be: a row a feature of a, feature_b NULL where it has no partner, and then those " +
			"of b without one. avg(abs(cosine)) is the PW-MCC of two SAEs of one size (Song et al. 2025, arXiv 2505.20254), avg(max_absolute_cosine), over features of a and with one partner for several, the mean of maxima. " +
			"Partners are looked for among the 64 features of b with the highest |cosine|; no matching at all has a sum above sum_at_most, so that one whose sum is that is the best there is. " +
			"Only |cosine| from cosine on counts. nearest_b is the partner of highest worth, one for several: where a is the wider SAE, features of a with the same are what a feature of b is split into. " +
			"folded matches by decoder directions times the thresholds of their features, so that the sum of squared differences (squared_error of a pair) is least: worth is their product, and only pairs with one above 0 count " +
			"(SAE Match, Balagansky et al. 2024, arXiv 2410.07656). It needs the encoders of both, with a threshold for every feature; max_absolute_cosine is NULL then. " +
			"A zero direction has no partner. a and b are each one SAE in the words of readers; all products are computed.",
		Example: "SELECT count(cosine) AS matched, round(avg(abs(cosine)), 2) AS pw_mcc, round(avg(max_absolute_cosine), 2) AS mean_of_maxima, sum(abs(cosine)) / any_value(sum_at_most) > 0.99 AS nearly_best FROM match_saes('layer_24', 'layer_29')",
	}},
}

func registerMatch(f *Functions, c capi.Connection) error {
	return c.RegisterTable(tableMatch, 2, func(caller capi.Caller, arguments []string) (capi.Table, error) {
		m := &matching{functions: f, caller: caller}
		switch arguments[3] {
		case "", "false":
		case "true":
			m.folded = true
		default:
			return nil, &fault.Error{Op: tableMatch, Subject: "folded", Expected: "true or false", Found: arguments[3]}
		}
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
	}, "cosine", "folded")
}

// matching is one use of match_saes. It computes when its first row is asked for.
type matching struct {
	functions *Functions
	caller    capi.Caller
	a, b      *storedReader
	least     float64
	folded    bool

	pairs []pair
	sum   float64 // that no matching is above
}

// pair is a row of match_saes: -1 is no feature.
type pair struct {
	a, b, nearest                 int32
	cosine, largest, worth, error float64
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
		knownColumn("nearest_b", capi.Integer, feature(func(p pair) int32 { return p.nearest })),
		knownColumn("worth", capi.Double, func(row int) (float64, bool) {
			return m.pairs[row].worth, m.pairs[row].a >= 0 && m.pairs[row].b >= 0
		}),
		knownColumn("squared_error", capi.Double, func(row int) (float64, bool) {
			return m.pairs[row].error, m.folded && m.pairs[row].a >= 0 && m.pairs[row].b >= 0
		}),
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

// match fills pairs and sum.
func (m *matching) match(ctx context.Context, finished func(int)) error {
	by, err := m.prepare(ctx)
	if err != nil {
		return err
	}
	all, rest, err := by.candidates(ctx, m.least, finished)
	if err != nil {
		return err
	}
	candidates := make([][]compute.Candidate, len(all))
	for i, of := range all {
		for _, c := range of {
			if c.worth > 0 && math.Abs(c.cosine) >= m.least {
				candidates[i] = append(candidates[i], compute.Candidate{Column: int(c.feature), Worth: c.worth})
			}
		}
	}
	assigned, err := compute.Assign(ctx, candidates, m.b.rows)
	if err != nil {
		return err
	}
	m.pairs, m.sum = nil, 0
	lowest := slices.Min(assigned.Prices)
	partner := make([]bool, m.b.rows)
	for i, j := range assigned.Columns {
		p := pair{a: int32(i), b: int32(j), nearest: -1}
		for _, c := range all[i] {
			if int(c.feature) == j {
				p.cosine, p.worth = c.cosine, c.worth
				p.error = math.Pow(by.lengthsA[i], 2) + math.Pow(by.lengthsB[j], 2) - 2*c.worth
			}
		}
		if j >= 0 {
			partner[j] = true
		}
		if len(all[i]) > 0 && all[i][0].worth > 0 {
			p.nearest = all[i][0].feature
			if !m.folded {
				p.largest = all[i][0].worth
			}
		}
		m.pairs = append(m.pairs, p)
		// What a feature that is no candidate could bring at most, beyond what it costs.
		m.sum += assigned.Profits[i] + max(0, rest[i]-assigned.Profits[i]-lowest)
	}
	for j, price := range assigned.Prices {
		m.sum += price
		if !partner[j] {
			m.pairs = append(m.pairs, pair{a: -1, b: int32(j), nearest: -1})
		}
	}
	return nil
}
