package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// The names of what random directions give, in legends.
const (
	randomName    = "random directions"
	randomRange   = "random directions, 1–99 %"
	randomContour = "98 % of random directions"
)

// A baseline is the statistics of the random directions that SAEs are held against: the
// values of each.
type baseline map[string]randomValues

// randomValues are those of a statistic in random directions, ascending, and which of the
// directions has each; none where there is no baseline.
type randomValues struct {
	sorted []float64
	rows   []int32
}

// baselines are those of SAEs, by name; an SAE that is held against none is missing.
type baselines struct {
	of map[string]baseline
	// unit are the SAEs whose decoder directions have length 1. Random directions have, and
	// a standard deviation grows with the length.
	unit map[string]bool
	// contours are those that were computed, by the first of the values along x: SAEs share a
	// baseline, and each has a panel.
	contours map[*float64][]Line
}

// lengthSample is how many features of an SAE tell whether its directions have length 1, and
// lengthTolerance how far from it they may be: some decoders were normalised in 16 bits.
const lengthSample, lengthTolerance = 32, 0.01

// readBaselines reads some statistics of the random directions that each of saes is held
// against. A query of the user's has no SAEs: its values
// may be any.
func readBaselines(ctx context.Context, db *sql.DB, op string, saes []SAE, statistics ...string) (baselines, error) {
	found := baselines{of: map[string]baseline{}, unit: map[string]bool{}, contours: map[*float64][]Line{}}
	if len(saes) == 0 {
		return found, nil
	}
	err := found.read(ctx, db, saes, statistics)
	if err == nil && len(found.of) > 0 && slices.Contains(statistics, "std") {
		err = found.measure(ctx, db, saes)
	}
	return found, fault.At(op, "baseline", err)
}

func (b *baselines) read(ctx context.Context, db *sql.DB, saes []SAE, statistics []string) error {
	type row struct {
		id         int32
		statistic  string
		saes       schema.ListOf[string]
		values     schema.ListOf[float64]
		directions schema.ListOf[int32]
	}
	rows, err := schema.Rows(ctx, db, func(r *row) []any { return []any{&r.id, &r.statistic, &r.saes, &r.values, &r.directions} },
		`SELECT baseline_id, statistic, list(sae), any_value(sorted_values), any_value(direction_rows)
		FROM `+numbered(saes)+` JOIN stored_computations ON sae_id = number JOIN stored_baseline_statistics USING (baseline_id)
		WHERE `+inSAEs(saes)+` AND statistic IN ('`+strings.Join(statistics, "', '")+`') GROUP BY baseline_id, statistic`)
	known := map[int32]baseline{}
	for _, r := range rows {
		if known[r.id] == nil {
			known[r.id] = baseline{}
		}
		if n := min(len(r.values), len(r.directions)); n > 0 {
			known[r.id][r.statistic] = randomValues{r.values[:n], r.directions[:n]}
		}
		for _, name := range r.saes {
			b.of[name] = known[r.id]
		}
	}
	return err
}

// measure finds the SAEs whose directions have length 1; where they are not in the database,
// that is not known. Of those that stay in their files it is told by decoder_norm.
func (b *baselines) measure(ctx context.Context, db *sql.DB, saes []SAE) error {
	names, err := schema.Collect[string](ctx, db, fmt.Sprintf(`SELECT sae FROM (
			SELECT sae, sqrt(list_inner_product(w_dec, w_dec)) AS length FROM decoder_directions WHERE %[1]s AND feature < %[2]d
			UNION ALL SELECT sae, decoder_norm FROM features JOIN (SELECT sae FROM saes JOIN stored_in_place ON load_id = sae_id) USING (sae) WHERE %[1]s AND feature < %[2]d)
		GROUP BY sae HAVING count(length) > 0 AND max(abs(length - 1)) <= %[3]g`,
		inSAEs(saes), lengthSample, lengthTolerance))
	for _, name := range names {
		b.unit[name] = true
	}
	return err
}

// values are those of a statistic in the random directions that an SAE is held against; none
// where there are none to hold it against.
func (b baselines) values(sae, statistic string) randomValues {
	if statistic == "std" && !b.unit[sae] {
		return randomValues{}
	}
	return b.of[sae][statistic]
}

// shared are the values that all computed ones of these SAEs are held against; none where they
// are held against others, or one against none.
func (b baselines) shared(saes []SAE, statistic string) randomValues {
	var all randomValues
	for _, s := range saes {
		if s.Tokens == "" {
			continue // it has no statistics
		}
		values := b.values(s.Name, statistic)
		if values.sorted == nil || all.sorted != nil && &values.sorted[0] != &all.sorted[0] {
			return randomValues{}
		}
		all = values
	}
	return all
}

// middle is the range from the 1st percentile to the 99th of ascending values.
func middle(values []float64) (low, high float64) {
	return quantile(values, 0.01), quantile(values, 0.99)
}

// byLayer is the range of a statistic in random directions over layers, a step for each, as
// wide as the way to the layers beside it. There is none at a layer whose SAEs are held against
// different baselines, or against none.
func (b baselines) byLayer(saes []SAE, layers []float64, statistic string) []Band {
	of := map[float64][]SAE{}
	for _, s := range saes {
		of[float64(s.Layer)] = append(of[float64(s.Layer)], s)
	}
	var bands []Band
	open := false
	for i, layer := range layers {
		values := b.shared(of[layer], statistic).sorted
		if values == nil {
			open = false
			continue
		}
		if !open {
			bands, open = append(bands, Band{Name: randomRange, Color: Grey, Alpha: 0.4}), true
		}
		from, to := between(layers, i)
		low, high := middle(values)
		band := &bands[len(bands)-1]
		band.X, band.Low, band.High = append(band.X, from, to), append(band.Low, low, low), append(band.High, high, high)
	}
	return bands
}

// noteBands says what the bands of random directions are, where there are any.
func (f *Figure) noteBands() {
	for _, p := range f.Panels {
		for _, b := range p.Bands {
			if b.Name == randomRange {
				f.Note += bandNote
				return
			}
		}
	}
}

// between is how far the place of the i-th layer reaches: halfway to those beside it, and half
// a layer beyond the first and the last.
func between(layers []float64, i int) (from, to float64) {
	from, to = layers[i]-0.5, layers[i]+0.5
	if i > 0 {
		from = (layers[i-1] + layers[i]) / 2
	}
	if i < len(layers)-1 {
		to = (layers[i] + layers[i+1]) / 2
	}
	return from, to
}

// contourShare is the part of the random directions that a contour holds.
const contourShare = 0.98

// contour is that of random directions in x and y, which is computed once for all that share them.
func (b baselines) contour(x, y randomValues) []Line {
	if x.sorted == nil || y.sorted == nil {
		return nil
	}
	lines, known := b.contours[&x.sorted[0]]
	if !known {
		lines = contourOf(x, y)
		b.contours[&x.sorted[0]] = lines
	}
	return lines
}

// contourOf is the contour of random directions in x, and in y on a logarithmic scale: of those
// that have both.
func contourOf(x, y randomValues) []Line {
	of := make(map[int32]float64, len(y.rows))
	for i, row := range y.rows {
		of[row] = y.sorted[i]
	}
	var both Line
	for i, row := range x.rows {
		if v := of[row]; v > 0 {
			both.X, both.Y = append(both.X, x.sorted[i]), append(both.Y, math.Log(v))
		}
	}
	l := Line{Name: randomContour, Color: Grey, Width: 3}
	l.X, l.Y = depthContour(both.X, both.Y, contourShare)
	if l.X == nil {
		return nil
	}
	for i, v := range l.Y {
		l.Y[i] = math.Exp(v)
	}
	return []Line{l}
}

// What notes say of the marks of random directions.
const (
	bandNote    = " The grey band is the middle 98 % of random directions."
	contourNote = " The grey contour holds 98 % of random directions."
	outlineNote = " The grey outline is what as many random directions give."
)

// furtherBins bounds by how many bins an outline goes on beyond those of a histogram.
const furtherBins = 500

// outline is the histogram of random directions on the bins of another, and as many more as
// they reach beyond it, for as many values as count: how many features each bin would have by
// chance.
func outline(random, edges []float64, count int, log bool) Line {
	scale, unscale := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if log {
		scale, unscale = math.Log10, func(v float64) float64 { return math.Pow(10, v) }
	}
	first := scale(edges[0])
	width := (scale(edges[len(edges)-1]) - first) / float64(len(edges)-1)
	low, high := -furtherBins, len(edges)-1+furtherBins
	counts := map[int]int{}
	least, most := high, low
	for _, v := range random {
		if at := math.Floor((scale(v) - first) / width); at >= float64(low) && at < float64(high) {
			i := int(at)
			counts[i]++
			least, most = min(least, i), max(most, i)
		}
	}
	l := Line{Name: randomName, Color: Grey, Width: 2}
	edge := func(i int) float64 { return unscale(first + float64(i)*width) }
	for i := least; i <= most; i++ {
		height := float64(counts[i]) * float64(count) / float64(len(random))
		if i == least {
			l.X, l.Y = append(l.X, edge(i)), append(l.Y, 0)
		}
		l.X, l.Y = append(l.X, edge(i), edge(i+1)), append(l.Y, height, height)
	}
	if l.X != nil {
		l.X, l.Y = append(l.X, edge(most+1)), append(l.Y, 0)
	}
	return l
}
