package figures

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/saedb/saedb/internal/plaintext"
)

const tailNote = "Up and to the right are features that promote few tokens, and those much."

// buildSkewKurtosis is a scatter plot of skewness against kurtosis for every SAE.
func buildSkewKurtosis(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	columns := "feature, std, skewness, kurtosis"
	if r.endTokens() == nil {
		columns += ", top_tokens, neuronpedia_url"
	}
	s, saes, err := featureSource(ctx, db, r, columns)
	if err != nil {
		return nil, err
	}
	const where = "isfinite(CAST(skewness AS DOUBLE)) AND isfinite(CAST(kurtosis AS DOUBLE)) AND kurtosis > 0"
	t, err := s.read(ctx, []column{{"skewness", number}, {"kurtosis", number}},
		append([]column{{"std", number}}, describing...), where, "release, layer, sae, feature")
	if err != nil {
		return nil, err
	}
	groups, err := s.groupsOf(t, saes, r)
	if err != nil {
		return nil, err
	}
	f := &Figure{
		Title: fmt.Sprintf("Skewness and kurtosis of %s features' logit weights", plaintext.Thousands(t.length)) + of(saes...),
		Note:  tailNote,
		Hint:  r.clickHint(t),
		Query: s.spelled(),
	}
	random, err := readBaselines(ctx, db, s.op, saes, "skewness", "kurtosis")
	if err != nil {
		return nil, err
	}
	place := f.grid(len(groups), 620)
	for i, g := range groups {
		p := Panel{
			Title: g.title,
			X:     Axis{Label: "skewness", Link: "x"},
			Y:     Axis{Label: "kurtosis (log scale)", Log: true, Link: "y"},
			Scale: scaleOf(t.numbers["std"]),
		}
		p.Row, p.Column = place(i)
		rows := scatter(g.rows, t.numbers["skewness"], logarithms(t.numbers["kurtosis"]), r.MostPoints/len(groups))
		if len(rows) < len(g.rows) {
			p.Title = strings.TrimPrefix(fmt.Sprintf("%s: %s of %s features, one of those that would cover each other", p.Title, plaintext.Thousands(len(rows)), plaintext.Thousands(len(g.rows))), ": ")
		}
		if len(saes) == len(groups) {
			if err := r.describe(ctx, t, rows, saes[i]); err != nil {
				return nil, err
			}
		}
		if p.Lines = random.contour(random.values(g.sae, "skewness"), random.values(g.sae, "kurtosis")); p.Lines != nil {
			f.Note = tailNote + contourNote
		}
		p.Points = []Points{featurePoints(t, rows, t.numbers["skewness"], t.numbers["kurtosis"])}
		f.Panels = append(f.Panels, p)
	}
	f.free()
	return f, nil
}

func logarithms(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = math.Log(v)
	}
	return out
}

// describing are the columns that say which feature a point is.
var describing = []column{
	{"feature", integer},
	{"top_tokens", texts},
	{"neuronpedia_url", text},
	{"sae", text},
	{"layer", integer},
}

// clickHint says what hovering and clicking a feature's point do.
func (r Request) clickHint(t *table) string {
	if r.EndTokens != nil {
		return "Hover a point for its feature and tokens; click it for its page."
	}
	for _, url := range t.texts["neuronpedia_url"] {
		if url != "" {
			return "Hover a point for its feature and tokens; click it for its page on Neuronpedia."
		}
	}
	return "Hover a point for its feature and tokens."
}

// scaleOf is the scale of standard deviations: from the 1st percentile to the
// 99th, so that a few extremes do not leave all others one colour.
func scaleOf(std []float64) *Scale {
	if std == nil {
		return nil
	}
	var known []float64
	for _, v := range std {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			known = append(known, v)
		}
	}
	if known == nil {
		return nil
	}
	sorted := sortedCopy(known)
	return &Scale{Label: "standard deviation", Min: quantile(sorted, 0.01), Max: quantile(sorted, 0.99)}
}

// featurePoints are the rows of t as points at x and y, with what hovering shows.
func featurePoints(t *table, rows []int, x, y []float64) Points {
	return pointsWith(t, rows, x, y, promotedEnd)
}

// A tokenEnd is one of a feature's ranking of the tokens: what it does with them, and the column of a
// table that has them.
type tokenEnd struct{ verb, column string }

var promotedEnd, suppressedEnd = tokenEnd{"promotes", "top_tokens"}, tokenEnd{"suppresses", "bottom_tokens"}

// endOf is the end at which a direction of an enrichment is.
func endOf(direction string) tokenEnd {
	if direction == "suppressed" {
		return suppressedEnd
	}
	return promotedEnd
}

// pointsWith are featurePoints whose tokens are those of one end.
func pointsWith(t *table, rows []int, x, y []float64, of tokenEnd) Points {
	p := Points{Color: Blue, Size: pointSize(len(rows))}
	features, tokens := Column{Name: "feature"}, Column{Name: of.verb}
	var urls []string
	for _, i := range rows {
		p.X, p.Y = append(p.X, x[i]), append(p.Y, y[i])
		if std := t.numbers["std"]; std != nil {
			p.Value = append(p.Value, std[i])
		}
		if column := t.integers["feature"]; column != nil {
			features.Texts = append(features.Texts, strconv.FormatInt(column[i], 10))
		}
		if column := t.lists[of.column]; column != nil {
			tokens.Texts = append(tokens.Texts, showTokens(column[i], 6))
		}
		if column := t.texts["neuronpedia_url"]; column != nil {
			urls = append(urls, safeURL(column[i]))
		}
	}
	for _, c := range []Column{features, tokens} {
		if c.Texts != nil {
			p.Hover = append(p.Hover, c)
		}
	}
	p.URLPrefix, p.URLs = cutPrefix(urls)
	p.SAEs, p.SAEOf = places(t.texts["sae"], rows, "")
	p.Layers, p.LayerOf = places(t.integers["layer"], rows, -1)
	return p
}

// places are the different values of a column in some rows, and the place among them that each row
// has; no places where there is one, and none of either where there is no column or a row has none.
func places[E comparable](column []E, rows []int, none E) (different []E, of []int) {
	if column == nil {
		return nil, nil
	}
	at := map[E]int{}
	for _, i := range rows {
		place, known := at[column[i]]
		if column[i] == none {
			return nil, nil
		}
		if !known {
			place = len(different)
			at[column[i]], different = place, append(different, column[i])
		}
		of = append(of, place)
	}
	if len(different) == 1 {
		return different, nil
	}
	return different, of
}

// ofSAE says of points whose table has no SAEs that they are of one; a query of the user's has none.
func ofSAE(points []Points, one SAE) {
	for i := range points {
		if one.Name != "" && points[i].SAEs == nil {
			points[i].SAEs, points[i].Layers = []string{one.Name}, []int64{int64(one.Layer)}
		}
	}
}

// safeURL returns a URL of the web as it is, and any other as none: a query of the
// user's may read them from anywhere.
func safeURL(url string) string {
	if strings.HasPrefix(url, "https://") || strings.HasPrefix(url, "http://") {
		return url
	}
	return ""
}

// cutPrefix splits off what all URLs that are not empty begin with; "" stays "".
func cutPrefix(urls []string) (prefix string, rest []string) {
	for _, url := range urls {
		if url == "" {
			continue
		}
		if prefix == "" {
			prefix = url[:strings.LastIndexByte(url, '/')+1]
		}
		for !strings.HasPrefix(url, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	if prefix == "" {
		return "", nil
	}
	for _, url := range urls {
		rest = append(rest, strings.TrimPrefix(url, prefix))
	}
	return prefix, rest
}

// pointSize is the diameter of points: smaller the more there are.
func pointSize(n int) float64 {
	switch {
	case n > 50000:
		return 2
	case n > 5000:
		return 3
	}
	return 5
}
