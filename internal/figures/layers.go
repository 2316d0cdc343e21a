package figures

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
)

// The statistics that figures by layer show.
var layerStatistics = []string{"std", "skewness", "kurtosis"}

// statistics are those that the request and the source have.
func (s *source) statistics(r Request) ([]string, error) {
	if r.Statistic != "" {
		return []string{r.Statistic}, s.require("layer", r.Statistic)
	}
	var have []string
	for _, name := range layerStatistics {
		if s.has(name) {
			have = append(have, name)
		}
	}
	if have == nil {
		return nil, s.require(append([]string{"layer"}, layerStatistics...)...)
	}
	return have, s.require("layer")
}

func statisticAxis(name string) Axis {
	switch name {
	case "std":
		return Axis{Label: "standard deviation"}
	case "kurtosis":
		return Axis{Label: "kurtosis (log scale)", Log: true}
	}
	return Axis{Label: name}
}

// finite is the condition under which a statistic can be drawn.
func finite(statistic string) string {
	if statistic == "kurtosis" {
		return "isfinite(CAST(kurtosis AS DOUBLE)) AND kurtosis > 0"
	}
	return "isfinite(CAST(" + statistic + " AS DOUBLE))"
}

// percentiles of the bands.
var percentiles = []float64{0.01, 0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95, 0.99}

// buildLayers shows percentiles of the statistics by layer, as bands.
func buildLayers(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	f := &Figure{
		Note: "Percentiles over the features of a layer: the median, and bands that hold the middle 50, 80, 90 and 98 %.",
		Hint: "Hover a layer's median for all percentiles.",
	}
	return f.byLayer(ctx, db, r, "std, skewness, kurtosis", 290, func(s *source, statistics []string) ([]*Panel, error) {
		return s.percentilePanels(ctx, statistics)
	})
}

// byLayer fills in a figure with panels of a height, one for each of the statistics by layer, which are among
// the columns of the features that it reads; behind each is the band of random directions.
func (f *Figure) byLayer(ctx context.Context, db *sql.DB, r Request, columns string, height float64,
	panels func(s *source, statistics []string) ([]*Panel, error),
) (*Figure, error) {
	s, saes, err := featureSource(ctx, db, r, columns)
	if err != nil {
		return nil, err
	}
	statistics, err := s.statistics(r)
	if err != nil {
		return nil, err
	}
	random, err := readBaselines(ctx, db, s.op, saes, statistics...)
	if err != nil {
		return nil, err
	}
	f.Title, f.Query, f.Widths = "Features' logit weights by layer"+of(saes...), s.spelled(), []float64{1}
	found, err := panels(s, statistics)
	if err != nil {
		return nil, err
	}
	for row, p := range found {
		p.Bands = append(random.byLayer(saes, p.layers(), statistics[row]), p.Bands...)
		p.Row = row
		f.Heights, f.Panels = append(f.Heights, height), append(f.Panels, *p)
	}
	f.noteBands()
	return f, nil
}

// layers are where a panel by layer has its medians, or its boxes.
func (p *Panel) layers() []float64 {
	if len(p.Lines) > 0 {
		return p.Lines[0].X
	}
	var layers []float64
	for _, b := range p.Boxes[0].Items {
		layers = append(layers, b.At)
	}
	return layers
}

// A layerRow is, of a layer and for each of some statistics, how many features have it, and its percentiles.
type layerRow struct {
	layer     int64
	counts    []int64
	quantiles []schema.ListOf[float64]
}

// percentilePanels has a panel for each of the statistics, for which the features are read once.
func (s *source) percentilePanels(ctx context.Context, statistics []string) (panels []*Panel, err error) {
	var columns strings.Builder
	for _, statistic := range statistics {
		fmt.Fprintf(&columns, `, count(*) FILTER (%[2]s), quantile_cont(CAST(%[1]s AS DOUBLE), %[3]s) FILTER (%[2]s)`,
			statistic, finite(statistic), strings.ReplaceAll(fmt.Sprint(percentiles), " ", ", "))
	}
	rows, err := rowsOf(ctx, s, func(r *layerRow) []any {
		r.counts, r.quantiles = make([]int64, len(statistics)), make([]schema.ListOf[float64], len(statistics))
		into := []any{&r.layer}
		for i := range statistics {
			into = append(into, &r.counts[i], &r.quantiles[i])
		}
		return into
	}, `SELECT CAST(layer AS BIGINT)`+columns.String()+` FROM source WHERE layer IS NOT NULL GROUP BY 1 ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	for i, statistic := range statistics {
		p, err := s.percentilePanel(statistic, i, rows)
		if err != nil {
			return nil, err
		}
		panels = append(panels, p)
	}
	return panels, nil
}

// percentilePanel is the panel of the statistic at a place of the rows, of the layers that have it.
func (s *source) percentilePanel(statistic string, place int, rows []layerRow) (*Panel, error) {
	var layers Series
	values := make([]Series, len(percentiles))
	hover := make([]Column, len(percentiles)+2)
	hover[0].Name, hover[1].Name = "layer", "features"
	for _, r := range rows {
		if r.counts[place] == 0 {
			continue
		}
		layers = append(layers, float64(r.layer))
		hover[0].Texts = append(hover[0].Texts, strconv.FormatInt(r.layer, 10))
		hover[1].Texts = append(hover[1].Texts, plaintext.Thousands(r.counts[place]))
		for i, q := range r.quantiles[place] {
			values[i] = append(values[i], q)
			hover[len(hover)-1-i].Name = strconv.FormatFloat(100*percentiles[i], 'f', -1, 64) + " %"
			hover[len(hover)-1-i].Numbers = append(hover[len(hover)-1-i].Numbers, q)
		}
	}
	if len(layers) == 0 {
		return nil, s.empty()
	}
	p := &Panel{X: layerAxis(layers), Y: statisticAxis(statistic)}
	over := func(values Series) Series { return values }
	along := layers
	if len(layers) == 1 { // a band of one place has no width
		along = Series{layers[0] - 0.5, layers[0] + 0.5}
		over = func(values Series) Series { return Series{values[0], values[0]} }
	}
	for i, name := range []string{"1 to 99 %", "5 to 95 %", "10 to 90 %", "25 to 75 %"} {
		p.Bands = append(p.Bands, Band{
			Name: name, Color: Blue, Alpha: []float64{0.12, 0.16, 0.2, 0.28}[i], X: along, Low: over(values[i]), High: over(values[len(values)-1-i]),
		})
	}
	median := values[len(values)/2]
	p.Lines = []Line{{Name: "median", Color: Blue, Width: 2, X: layers, Y: median}}
	p.Points = []Points{{Color: Blue, Size: 7, X: layers, Y: median, Hover: hover}}
	return p, nil
}

// layerAxis has a tick at each layer, or at some when there are many.
func layerAxis(layers []float64) Axis {
	a := Axis{Label: "layer", Link: "layer"}
	step := (len(layers) + 29) / 30
	for i := 0; i < len(layers); i += step {
		a.Ticks = append(a.Ticks, Tick{layers[i], strconv.Itoa(int(layers[i]))})
	}
	return a
}

// buildLayerBox shows the statistics by layer as box plots.
func buildLayerBox(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	f := &Figure{Note: "Boxes are quartiles, whiskers reach the last feature within 1.5 times their distance; each feature beyond is a point."}
	return f.byLayer(ctx, db, r, "feature, std, skewness, kurtosis, top_tokens, neuronpedia_url", 320, func(s *source, statistics []string) (panels []*Panel, err error) {
		for _, statistic := range statistics {
			p, hint, err := s.boxPanel(ctx, r, statistic)
			if err != nil {
				return nil, err
			}
			f.Hint, panels = hint, append(panels, p)
		}
		return panels, nil
	})
}

// boxPanel has a box a layer, computed in SQL, and reads only the outliers.
func (s *source) boxPanel(ctx context.Context, r Request, statistic string) (p *Panel, hint string, err error) {
	value := "CAST(source." + statistic + " AS DOUBLE)"
	quartiles := *s
	quartiles.query = s.from(`, quartiles AS (SELECT layer, quantile_cont(` + value + `, 0.25) AS q1, quantile_cont(` + value + `, 0.75) AS q3
			FROM source WHERE layer IS NOT NULL AND ` + finite(statistic) + ` GROUP BY layer)
		SELECT source.*, q1 - 1.5 * (q3 - q1) AS lower_fence, q3 + 1.5 * (q3 - q1) AS upper_fence, q1, q3
		FROM source JOIN quartiles USING (layer) WHERE ` + finite(statistic))
	const inside = " >= lower_fence AND "
	items, err := rowsOf(ctx, &quartiles, func(b *Box) []any { return []any{&b.At, &b.Count, &b.Q1, &b.Median, &b.Q3, &b.Low, &b.High} },
		`SELECT CAST(layer AS BIGINT), count(*), any_value(q1), median(`+value+`), any_value(q3),
			min(`+value+`) FILTER (`+value+inside+value+` <= upper_fence), max(`+value+`) FILTER (`+value+inside+value+` <= upper_fence)
		FROM source GROUP BY 1 ORDER BY 1`)
	if err != nil {
		return nil, "", err
	}
	boxes := Boxes{Name: "features", Color: Blue, Unit: "features", Items: items}
	var layers []float64
	for i, b := range items {
		boxes.Items[i].Label = fmt.Sprintf("layer %d", int(b.At))
		layers = append(layers, b.At)
	}
	if len(layers) == 0 {
		return nil, "", s.empty()
	}
	t, err := quartiles.read(ctx, []column{{"layer", number}, {statistic, number}}, describing[:len(describing)-1],
		value+" < lower_fence OR "+value+" > upper_fence", "layer, "+statistic)
	if err != nil {
		return nil, "", err
	}
	outliers := featurePoints(t, allRows(t), t.numbers["layer"], t.numbers[statistic])
	outliers.Size = 3
	return &Panel{X: layerAxis(layers), Y: statisticAxis(statistic), Boxes: []Boxes{boxes}, Points: []Points{outliers}}, r.clickHint(t), nil
}

// buildLayerScatter shows skewness against kurtosis, a frame a layer.
func buildLayerScatter(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	s, saes, err := featureSource(ctx, db, r, "feature, std, skewness, kurtosis, top_tokens, neuronpedia_url")
	if err != nil {
		return nil, err
	}
	random, err := readBaselines(ctx, db, s.op, saes, "skewness", "kurtosis")
	if err != nil {
		return nil, err
	}
	t, err := s.read(ctx, []column{{"layer", integer}, {"skewness", number}, {"kurtosis", number}},
		append([]column{{"std", number}}, describing[:len(describing)-1]...),
		"layer IS NOT NULL AND "+finite("skewness")+" AND "+finite("kurtosis"), "layer, sae, feature")
	if err != nil {
		return nil, err
	}
	if t.length == 0 {
		return nil, s.empty()
	}
	byLayer := map[int64][]int{}
	for i, layer := range t.integers["layer"] {
		byLayer[layer] = append(byLayer[layer], i)
	}
	p := Panel{
		X: Axis{Label: "skewness", Link: "x"}, Y: Axis{Label: "kurtosis (log scale)", Log: true, Link: "y"}, Scale: scaleOf(t.numbers["std"]),
	}
	f := &Figure{
		Title: "Skewness and kurtosis from layer to layer" + of(saes...),
		Note:  "A point a feature of the layer.", Hint: r.clickHint(t) + " Play, or move the slider, for the other layers.",
		Query: s.spelled(), Heights: []float64{600}, Widths: []float64{1}, FrameOf: "layer",
	}
	for _, layer := range slices.Sorted(maps.Keys(byLayer)) {
		points := featurePoints(t, byLayer[layer], t.numbers["skewness"], t.numbers["kurtosis"])
		points.Frame = fmt.Sprintf("layer %d", layer)
		f.Frames = append(f.Frames, points.Frame)
		p.Points = append(p.Points, points)
	}
	if p.Lines = random.contour(random.shared(saes, "skewness"), random.shared(saes, "kurtosis")); p.Lines != nil {
		f.Note += contourNote
	}
	f.Panels = []Panel{p}
	return f, nil
}
