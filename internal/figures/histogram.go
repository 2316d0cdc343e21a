package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/plaintext"
)

// buildSkewness is a histogram of skewness for every SAE.
func buildSkewness(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	return buildHistogram(ctx, db, r, "skewness", Axis{Label: "skewness of logit weights", Link: "x"})
}

// buildKurtosis is a histogram of kurtosis, on log10, for every SAE.
func buildKurtosis(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	return buildHistogram(ctx, db, r, "kurtosis", Axis{Label: "kurtosis of logit weights (log scale)", Log: true, Link: "x"})
}

func buildHistogram(ctx context.Context, db *sql.DB, r Request, statistic string, x Axis) (*Figure, error) {
	s, saes, err := featureSource(ctx, db, r, statistic)
	if err != nil {
		return nil, err
	}
	where := statistic + " IS NOT NULL AND isfinite(CAST(" + statistic + " AS DOUBLE))"
	if x.Log {
		where += " AND " + statistic + " > 0"
	}
	t, err := s.read(ctx, []column{{statistic, number}},
		[]column{{"sae", text}, {"layer", integer}}, where, "release, layer, sae")
	if err != nil {
		return nil, err
	}
	groups, err := s.groupsOf(t, saes, r)
	if err != nil {
		return nil, err
	}
	f := &Figure{
		Title: fmt.Sprintf("%s of %s features' logit weights", title(statistic), plaintext.Thousands(t.length)) + of(saes...),
		Note:  percentileNote,
		Hint:  "Hover a bar for its count and the share of features below it.",
		Query: s.spelled(),
	}
	random, err := readBaselines(ctx, db, s.op, saes, statistic)
	if err != nil {
		return nil, err
	}
	place := f.grid(len(groups), 460)
	for i, g := range groups {
		p := Panel{Title: g.title, X: x, Y: Axis{Label: "features"}}
		p.Row, p.Column = place(i)
		values := make([]float64, 0, len(g.rows))
		for _, row := range g.rows {
			values = append(values, t.numbers[statistic][row])
		}
		p.Bars, p.Rules = histogram(values, r.Bins, x.Log)
		if values := random.values(g.sae, statistic).sorted; values != nil {
			p.Bars[0].Name = "features"
			p.Lines = []Line{outline(values, p.Bars[0].Edges, len(g.rows), x.Log)}
			f.Note = percentileNote + outlineNote
		}
		f.Panels = append(f.Panels, p)
	}
	f.free()
	if r.Lens != "" && len(saes) == len(groups) {
		return f, f.addDirect(ctx, db, saes, statistic, x.Log)
	}
	return f, nil
}

const percentileNote = "Lines are the 1st, 50th and 99th percentile."

// histogram returns the bars of values, with what hovering shows, and rules at the
// median and the 1st and 99th percentile.
func histogram(values []float64, bins int, log bool) ([]Bars, []Rule) {
	sorted := sortedCopy(values)
	if bins == 0 {
		spread := sorted
		if log {
			spread = make([]float64, len(sorted))
			for i, v := range sorted {
				spread[i] = math.Log10(v)
			}
		}
		bins = defaultBins(spread)
	}
	e := edges(sorted[0], sorted[len(sorted)-1], bins, log)
	bars := Bars{Color: Blue, Unit: "features", Edges: e, Counts: bin(sorted, e)}
	below, share := 0, Column{Name: "features below the bar"}
	for _, count := range bars.Counts {
		share.Texts = append(share.Texts, percent(float64(below)/float64(len(sorted))))
		below += count
	}
	quantiles := Column{Name: "1 · 25 · 50 · 75 · 99 % of the panel"}
	all := ""
	for i, q := range []float64{0.01, 0.25, 0.5, 0.75, 0.99} {
		if i > 0 {
			all += " · "
		}
		all += short(quantile(sorted, q))
	}
	for range bars.Counts {
		quantiles.Texts = append(quantiles.Texts, all)
	}
	bars.Hover = []Column{share, quantiles}
	rules := []Rule{
		{At: quantile(sorted, 0.01), Label: "1 %", Side: -1},
		{At: quantile(sorted, 0.5), Label: "50 %"},
		{At: quantile(sorted, 0.99), Label: "99 %", Side: 1},
	}
	return []Bars{bars}, rules
}
