package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	schema "github.com/saedb/saedb/sql"
)

// A figure of more points than the eye can tell apart is thinned when the request
// bounds them (MostPoints). What is counted is counted over all of them.

// strips is how many strips the range of the points that are not drawn is given in.
const strips = 200

// A ranking is the features of a token set by score: those whose key is above bound
// are drawn, the others are a range. The key is what the score grows with.
type ranking struct {
	set      string
	features int
	bound    float64 // NaN when all are drawn
	low      int64   // the first feature
	high     int64   // and the last
}

// rankings finds, for each token set of the source, the key that at most most of its
// features have more of. With a threshold for labels, nothing above it is left out.
func (s *source) rankings(ctx context.Context, key, where string, most int, threshold float64) ([]ranking, error) {
	type row struct {
		ranking
		bound     sql.NullFloat64
		low, high sql.NullInt64
	}
	rows, err := rowsOf(ctx, s, func(r *row) []any { return []any{&r.set, &r.features, &r.bound, &r.low, &r.high} },
		fmt.Sprintf(`SELECT CAST(token_set AS VARCHAR), count(*), max(%[1]s, %[2]d)[%[2]d], min(CAST(feature AS BIGINT)), max(CAST(feature AS BIGINT))
		FROM source WHERE %[3]s GROUP BY 1 ORDER BY 1`, key, most+1, where))
	all := make([]ranking, len(rows))
	for i, r := range rows {
		r.ranking.bound, r.ranking.low, r.ranking.high = math.NaN(), r.low.Int64, r.high.Int64
		if r.bound.Valid && r.features > most {
			r.ranking.bound = min(r.bound.Float64, threshold)
		}
		all[i] = r.ranking
	}
	return all, err
}

// thinned are the rankings of which not all features are drawn.
func thinned(all []ranking) []ranking {
	return slices.DeleteFunc(slices.Clone(all), func(r ranking) bool { return math.IsNaN(r.bound) })
}

// above is the condition for the rows that are drawn.
func above(key string, all []ranking) string {
	condition := "CASE CAST(token_set AS VARCHAR)"
	for _, r := range thinned(all) {
		condition += fmt.Sprintf(" WHEN %s THEN %s > %s", schema.Literal(r.set), key, exactly(r.bound))
	}
	if condition == "CASE CAST(token_set AS VARCHAR)" {
		return "true"
	}
	return condition + " ELSE true END"
}

// exactly writes a number so that DuckDB reads the same one.
func exactly(v float64) string {
	return "CAST('" + strconv.FormatFloat(v, 'g', -1, 64) + "' AS DOUBLE)"
}

// A rest is the range of the scores of a set's features that are not drawn, in strips
// of features, and how many they are.
type rest struct {
	bands    []Band
	features int
	last     int64 // strip
}

// rests finds them for the sets of which not all features are drawn.
func (s *source) rests(ctx context.Context, score scoring, all []ranking) (map[string]*rest, error) {
	found := map[string]*rest{}
	var values []string
	byName := map[string]ranking{}
	for _, r := range thinned(all) {
		byName[r.set] = r
		values = append(values, fmt.Sprintf("(%s, %d, %s, %s)", schema.Literal(r.set), r.low, exactly(r.width()), exactly(r.bound)))
	}
	if values == nil {
		return found, nil
	}
	type strip struct {
		set       string
		number    int64
		count     int
		low, high float64
	}
	rows, err := rowsOf(ctx, s, func(r *strip) []any { return []any{&r.set, &r.number, &r.count, &r.low, &r.high} },
		fmt.Sprintf(`SELECT name, CAST(floor((CAST(feature AS BIGINT) - low) / width) AS BIGINT) AS strip, count(*), min(%[1]s), max(%[1]s)
		FROM source JOIN (VALUES %[2]s) AS thinned(name, low, width, bound) ON CAST(source.token_set AS VARCHAR) = name
		WHERE %[3]s AND %[4]s <= bound GROUP BY name, strip ORDER BY name, strip`, score.value, strings.Join(values, ", "), score.where, score.key()))
	for _, r := range rows {
		if found[r.set] == nil {
			found[r.set] = &rest{}
		}
		found[r.set].add(byName[r.set], r.number, r.count, score.at(r.low), score.at(r.high))
	}
	return found, err
}

// width is that of a strip, in features.
func (r ranking) width() float64 { return max(float64(r.high-r.low+1)/strips, 1) }

func (o *rest) add(r ranking, strip int64, count int, low, high float64) {
	if o.bands == nil || strip > o.last+1 { // a strip without features lies between
		o.bands = append(o.bands, Band{Name: "other features", Color: Grey, Alpha: 0.6})
	}
	o.last = strip
	o.features += count
	b := &o.bands[len(o.bands)-1]
	from := float64(r.low) + float64(strip)*r.width()
	b.X = append(b.X, from, from+r.width())
	b.Low, b.High = append(b.Low, low, low), append(b.High, high, high)
}

// The squares of the finest grid on a scatter plot, along and up: about 3 pixels each.
const cellsAlong, cellsUp = 400, 200

// scatter chooses the rows that are drawn at (x, y): all, or, where they are more than
// most, the first in each square of a grid, the finest that leaves no more, each grid
// four fifths as fine as the one before.
func scatter(rows []int, x, y []float64, most int) []int {
	if most == 0 || len(rows) <= most {
		return rows
	}
	var level, upright extent
	for _, i := range rows {
		level.add(x[i])
		upright.add(y[i])
	}
	place := func(v float64, e extent, parts int) int {
		if e.high == e.low {
			return 0
		}
		return min(int((v-e.low)/(e.high-e.low)*float64(parts)), parts-1)
	}
	var drawn []int
	for along, up := cellsAlong, cellsUp; along > 0 && up > 0; along, up = along*4/5, up*4/5 {
		drawn = drawn[:0]
		seen := make([]bool, along*up)
		for _, i := range rows {
			at := place(y[i], upright, up)*along + place(x[i], level, along)
			if !seen[at] {
				seen[at], drawn = true, append(drawn, i)
			}
		}
		if len(drawn) <= most {
			break
		}
	}
	return drawn
}

// describe gives rows of a table their features' tokens, where the request has a
// function for that.
func (r Request) describe(ctx context.Context, t *table, rows []int, of SAE) error {
	endTokens := r.endTokens()
	if endTokens == nil {
		return nil
	}
	features := make([]int64, len(rows))
	for k, i := range rows {
		features[k] = t.integers["feature"][i]
	}
	top, bottom, err := endTokens(ctx, of.Name, features)
	t.lists["top_tokens"], t.lists["bottom_tokens"] = make([][]string, t.length), make([][]string, t.length)
	for k := range top {
		t.lists["top_tokens"][rows[k]], t.lists["bottom_tokens"][rows[k]] = top[k], bottom[k]
	}
	return err
}
