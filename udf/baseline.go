package udf

import (
	"fmt"
	"math"
	"sync"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var baselineFamily = family{
	register: registerBaseline,
	docs: []schema.Function{
		{
			Name:      "random_direction",
			Signature: "random_direction(seed, row, d_model) → FLOAT[]",
			Description: "Random direction number row of a seed: d_model values of unit length, isotropic in the residual stream, a function of its arguments " +
				"alone on every machine. saedb compute holds features against rows 0, 1, … of the seed in baseline_statistics.",
			Example: "SELECT row, round(skewness, 3) AS skewness FROM (SELECT range AS row, unnest(logit_stats(random_direction(1, range, 576), 'smollm2-135m')) FROM range(3)) ORDER BY row",
		},
		{
			Name:      "random_direction_like",
			Signature: "random_direction_like(seed, row, sae) → FLOAT[]",
			Description: "Random direction number row of a seed with the covariance of an SAE's unit decoder, or of its unit encoder for 'SAE#encoder': L z divided by its length, L being the Cholesky factor of Σ u uᵀ over its " +
				"features' unit directions u, and z the Gaussians that random_direction(seed, row, d_model) is made of. A function of its arguments and the decoder alone. " +
				"saedb compute --baseline-like sae holds features against them.",
			Example: "SELECT round(avg(s.skewness ** 2), 4) AS skewness FROM (SELECT logit_stats(random_direction_like(1, range, sae_named('layer_29')), 'smollm2-135m') AS s FROM range(50))",
		},
		{
			Name:      "baseline_log10_p",
			Signature: "baseline_log10_p(model, baseline_id, set_id, es) → DOUBLE",
			Description: "What saedb compute stores: log10 of the p-value of an enrichment score against the null of a token set, that is, the part of the baseline's " +
				"random directions that score as much, below 1 % by a Gaussian tail of the shift 2 Φ⁻¹((1 + es)/2). NULL where the set has no null.",
			Example: "SELECT token_set, round(baseline_log10_p('smollm2-135m', baseline_id, set_id, 0.5), 1) AS log10_p FROM stored_baseline_enrichment " +
				"JOIN stored_token_sets USING (set_id) ORDER BY set_id LIMIT 3",
		},
	},
}

func registerBaseline(f *Functions, c capi.Connection) error {
	err := c.RegisterScalar("random_direction", capi.Scalar{
		Parameters: []capi.Type{capi.Bigint, capi.Bigint, capi.Integer}, Returns: capi.List(capi.Float), Run: f.of((*execution).randomDirection),
	})
	if err != nil {
		return err
	}
	factors := &factorCache{}
	err = c.RegisterScalar("random_direction_like", capi.Scalar{
		Parameters: []capi.Type{capi.Bigint, capi.Bigint, capi.Varchar}, Returns: capi.List(capi.Float),
		Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
			return f.randomDirectionLike(factors, input, output)
		}),
	})
	if err != nil {
		return err
	}
	nulls := &nullsCache{}
	return c.RegisterScalar("baseline_log10_p", capi.Scalar{
		Parameters: []capi.Type{capi.Varchar, capi.Integer, capi.Integer, capi.Float}, Returns: capi.Double,
		Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
			return f.baselineLog10P(nulls, input, output)
		}),
	})
}

// maxWidth bounds d_model of random directions: beyond any model's.
const maxWidth = 1 << 20

func (f *execution) randomDirection(input capi.Chunk, output capi.Vector) error {
	widths, given := capi.Values[int32](input.Column(2), input.Rows()), input.Column(2).Validity()
	return f.writeDirections(input, output, given, func(i int) (width int, write directionWriter, err error) {
		if widths[i] < 1 || widths[i] > maxWidth {
			return 0, nil, &fault.Error{Op: "random_direction", Subject: "d_model", Expected: fmt.Sprintf("1 to %d", maxWidth), Found: fmt.Sprint(widths[i])}
		}
		return int(widths[i]), baseline.Direction, nil
	})
}

func (f *execution) randomDirectionLike(factors *factorCache, input capi.Chunk, output capi.Vector) error {
	const name = "random_direction_like"
	saes := newTexts(input.Column(2))
	found := map[string]*baseline.Factor{} // one look-up of a name for all rows
	return f.writeDirections(input, output, input.Column(2).Validity(), func(i int) (int, directionWriter, error) {
		sae := saes.at(i)
		factor, known := found[sae]
		if !known {
			var err error
			if factor, err = factors.get(f.ctx, &f.readers.database, sae); err != nil {
				return 0, nil, fault.At(name, "SAE "+sae, err)
			}
			found[sae] = factor
		}
		return factor.Dimensions(), factor.Direction, nil
	})
}

// directionWriter writes one random direction of a seed.
type directionWriter = func(seed uint64, row int, into []float32)

// writeDirections writes a direction for each row of (seed, row, what it is of), the last of
// which is there as given says; of says what its width is, and what writes it.
func (f *execution) writeDirections(input capi.Chunk, output capi.Vector, given capi.Validity, of func(i int) (int, directionWriter, error)) error {
	rows := input.Rows()
	hasSeed, hasNumber := input.Column(0).Validity(), input.Column(1).Validity()
	seeds, numbers := capi.Values[int64](input.Column(0), rows), capi.Values[int64](input.Column(1), rows)
	lists := newListWriter(output, rows, nil)
	for i := range rows {
		if !hasSeed.Valid(i) || !hasNumber.Valid(i) || !given.Valid(i) {
			lists.null(i)
			continue
		}
		if err := f.ctx.Err(); err != nil {
			return err
		}
		width, write, err := of(i)
		if err != nil {
			return err
		}
		into, err := numbersOf[float32](lists, []int{i}, width)
		if err != nil {
			return err
		}
		write(uint64(seeds[i]), int(numbers[i]), into)
	}
	return nil
}

// nullsCache keeps the nulls of the baseline that was used last. Numbers of baselines and
// of sets are never used again, and what is stored under them never changes.
type nullsCache struct {
	mutex sync.Mutex
	of    string // database, as it was attached, and baseline
	nulls map[int32]*baseline.Null
}

// get returns the null of a set, nil where it has none.
func (c *nullsCache) get(d *database, m *storedReader, id, set int32) (*baseline.Null, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if of := fmt.Sprintf("%d %d", m.oid, id); c.of != of {
		c.of, c.nulls = of, map[int32]*baseline.Null{}
	}
	if null, known := c.nulls[set]; known {
		return null, nil
	}
	// All that are there, so that a baseline is read once.
	err := d.query(fmt.Sprintf(`SELECT set_id, directions, scores, counts, threshold, location, scale, median, auc_scale, resolution FROM %s WHERE baseline_id = %d`,
		m.in("stored_baseline_enrichment"), id), func(chunk capi.Chunk) error { c.read(chunk); return nil })
	if err != nil {
		return nil, err
	}
	null, known := c.nulls[set]
	if !known {
		return nil, &fault.Error{Subject: fmt.Sprintf("baseline %d", id), Problem: fmt.Sprintf("it has no null of token set number %d", set), Hint: "saedb compute makes it"}
	}
	return null, nil
}

func (c *nullsCache) read(chunk capi.Chunk) {
	rows := chunk.Rows()
	sets, directions := capi.Values[int32](chunk.Column(0), rows), capi.Values[int32](chunk.Column(1), rows)
	scores, counts := newLists(chunk.Column(2), rows), newLists(chunk.Column(3), rows)
	allScores, allCounts := capi.Values[float32](scores.elements, scores.count), capi.Values[int32](counts.elements, counts.count)
	var numbers [6][]float64
	for i := range numbers {
		numbers[i] = capi.Values[float64](chunk.Column(4+i), rows)
	}
	for i := range rows {
		if !scores.valid(i) {
			c.nulls[sets[i]] = nil
			continue
		}
		s, n := scores.entries[i], counts.entries[i]
		c.nulls[sets[i]] = &baseline.Null{
			Scores:     append([]float32(nil), allScores[s.Offset:s.Offset+s.Length]...),
			Counts:     append([]int32(nil), allCounts[n.Offset:n.Offset+n.Length]...),
			Directions: int(directions[i]), Threshold: numbers[0][i], Location: numbers[1][i], Scale: numbers[2][i],
			Median: numbers[3][i], AUCScale: numbers[4][i], Resolution: numbers[5][i],
		}
	}
}

func (f *execution) baselineLog10P(nulls *nullsCache, input capi.Chunk, output capi.Vector) error {
	const name = "baseline_log10_p"
	rows := input.Rows()
	models := newTexts(input.Column(0))
	ids, sets, scores := capi.Values[int32](input.Column(1), rows), capi.Values[int32](input.Column(2), rows), capi.Values[float32](input.Column(3), rows)
	given := [3]capi.Validity{input.Column(1).Validity(), input.Column(2).Validity(), input.Column(3).Validity()}
	out := capi.Values[float64](output, rows)
	var last *baseline.Null
	var lastModel *storedReader
	lastID, lastSet := int32(-1), int32(-1)
	for i := range rows {
		if !models.valid(i) || !given[0].Valid(i) || !given[1].Valid(i) || !given[2].Valid(i) {
			output.SetNull(i, 0)
			continue
		}
		m, err := f.find(name, models.at(i))
		if err != nil {
			return err
		}
		if err := m.checkUse(name, scopeAll); err != nil {
			return err
		}
		if ids[i] != lastID || sets[i] != lastSet || m != lastModel {
			null, err := nulls.get(&f.readers.database, m, ids[i], sets[i])
			if err != nil {
				return fault.At(name, "", err)
			}
			last, lastModel, lastID, lastSet = null, m, ids[i], sets[i]
		}
		if last == nil {
			output.SetNull(i, 0)
			continue
		}
		if out[i] = last.Log10P(float64(scores[i])); math.IsNaN(out[i]) {
			output.SetNull(i, 0)
		}
	}
	return nil
}
