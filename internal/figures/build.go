package figures

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/nearest"
	schema "github.com/saedb/saedb/sql"
)

// A Request says which figure to draw, and of what.
type Request struct {
	Name string // one of Kinds
	// SAE is words for SAEs, as [schema.MatchSAEs] takes them; empty for all.
	SAE string
	// Lens is the name of a lens, through which the features are read; empty for what they write directly.
	Lens string
	// Query is a query of the user's, with the columns that the figure needs,
	// in place of the figure's own.
	Query string
	// Feature is the index of a feature, for feature and running-sum; -1 for none.
	Feature int
	// Sets are names of token sets: two for sets, one for running-sum, those of the
	// panels for manhattan, and one or none for feature.
	Sets []string
	// Score of enrichment: ScoreEffect, ScoreQ, ScoreES or ScoreP; empty is the effect for
	// sets and q for manhattan, which draws the effect where no baseline is.
	Score string
	// Unsigned draws ScoreES where no score is asked for, as SAELens does.
	Unsigned bool
	// LabelThreshold labels only points beyond it, in units of the score; nil for
	// the TopN points.
	LabelThreshold *float64
	TopN           int // labels a panel; 0 for the default
	TopK           int // features, for feature with a set; 0 for the default
	Bins           int // of histograms; 0 for as many as the values ask for
	// Statistic of the figures by layer: std, skewness or kurtosis; empty for all.
	Statistic string
	// MostPoints bounds the points of skew-kurtosis, manhattan and running-sum, where
	// the eye cannot tell more apart; 0 draws all.
	MostPoints int
	// SAEs are those that the words mean, by release and layer, for a program that knows them; nil
	// asks [SAEs].
	SAEs []SAE `json:"-"`
	// StrongestSets returns the sets that a manhattan figure of an SAE, by its name, shows when none
	// are named, for a program that knows them; nil asks [StrongestSets], which reads all scores.
	StrongestSets func(ctx context.Context, sae string) ([]string, error) `json:"-"`
	// EndTokens returns the tokens that features of an SAE promote, and those that they
	// suppress, for a program that has them at hand; nil reads top_tokens and
	// bottom_tokens. Such a program shows the features itself: points have no addresses.
	EndTokens func(ctx context.Context, sae string, features []int64) (top, bottom [][]string, err error) `json:"-"`
}

// A Kind is a figure that can be drawn.
type Kind struct {
	Name, Arguments, Shows string
	// Columns are those that a query of the user's must give; in brackets those
	// that it may give.
	Columns string
	// Options are the names of what else it takes, as the flags of saedb plot and the arguments
	// of the procedure saedb_plot are called.
	Options []string
	build   func(context.Context, *sql.DB, Request) (*Figure, error)
}

// Kinds are the figures, in the order of the analysis.
var Kinds = []Kind{
	{"skewness", "", "histogram of the features' skewness, a panel an SAE", "skewness [sae, layer]", options("bins"), buildSkewness},
	{"kurtosis", "", "histogram of the features' kurtosis on log10", "kurtosis [sae, layer]", options("bins"), buildKurtosis},
	{
		"skew-kurtosis", "", "skewness against kurtosis, coloured by standard deviation",
		"skewness, kurtosis [std, feature, top_tokens, neuronpedia_url, sae, layer]", options(), buildSkewKurtosis,
	},
	{
		"manhattan", "", "enrichment by feature, a panel a token set (--set, or the strongest beyond chance), promoted up, suppressed down, the furthest labelled",
		"feature, token_set, and what the score is of: q_value and direction, effect, es or p_value [direction, q_value, size, top_tokens, bottom_tokens, neuronpedia_url]",
		options("set", "score", "unsigned", "label-threshold", "top-n"), buildManhattan,
	},
	{
		"sets", "SET_A SET_B", "the signed effects of two token sets, features whose effects differ labelled",
		"feature, token_set, and what the score is of: effect, q_value and direction, es or p_value [direction, top_tokens, bottom_tokens, neuronpedia_url]",
		options("score", "unsigned", "label-threshold", "top-n"), buildSets,
	},
	{
		"feature", "[N] [--set SET]", "a feature's logit weights by membership of a token set; without N, those of the set's --top-k features",
		"logit_weight [text, member]", options("set", "top-k", "bins"), buildFeature,
	},
	{"layers", "", "percentiles of std, skewness and kurtosis by layer", "layer, and std, skewness or kurtosis", options("statistic"), buildLayers},
	{
		"layer-box", "", "box plots of std, skewness and kurtosis by layer",
		"layer, and std, skewness or kurtosis [feature, top_tokens, neuronpedia_url]",
		options("statistic"), buildLayerBox,
	},
	{
		"layer-scatter", "", "skewness against kurtosis, animated over layers",
		"layer, skewness, kurtosis [std, feature, top_tokens, neuronpedia_url]",
		options(), buildLayerScatter,
	},
	{"running-sum", "N SET", "the enrichment curve of a token set in a feature's ranking, with its leading edge", "rank, member [text, logit_weight]", options(), buildRunningSum},
}

// KindOf is the figure of a name, nil where there is none.
func KindOf(name string) *Kind {
	if at := slices.Index(Names(), name); at >= 0 {
		return &Kinds[at]
	}
	return nil
}

// Names are those of the figures.
func Names() []string {
	var names []string
	for _, k := range Kinds {
		names = append(names, k.Name)
	}
	return names
}

// options are what every figure takes, and more.
func options(more ...string) []string {
	return append([]string{"sae", "layer", "lens", "sql"}, more...)
}

// maxPanels is how many SAEs a figure has a panel for.
const maxPanels = 16

// Check makes sure of what does not depend on a database.
func (r Request) Check() error {
	for _, bound := range []struct {
		flag        string
		value, most int
	}{{"--top-n", r.TopN, 10000}, {"--top-k", r.TopK, 16}, {"--bins", r.Bins, 10000}} {
		if bound.value < 0 || bound.value > bound.most {
			return &fault.Error{Op: "plot", Subject: bound.flag, Expected: fmt.Sprintf("at most %d", bound.most), Found: fmt.Sprint(bound.value)}
		}
	}
	switch r.Score {
	case "", ScoreEffect, ScoreQ, ScoreES, ScoreP:
	default:
		return &fault.Error{Op: "plot", Subject: "--score", Expected: "effect, q, es or p", Found: fmt.Sprintf("%q", r.Score)}
	}
	if r.Unsigned && (r.Score == ScoreEffect || r.Score == ScoreQ) {
		return &fault.Error{Op: "plot", Subject: "--unsigned", Expected: "--score es or p with it", Found: r.Score}
	}
	switch r.Statistic {
	case "", "std", "skewness", "kurtosis":
		return nil
	}
	return &fault.Error{Op: "plot", Subject: "--statistic", Expected: "std, skewness or kurtosis", Found: fmt.Sprintf("%q", r.Statistic)}
}

// Build reads what a figure shows. It queries views, and functions of saedb for
// feature and running-sum; db may be open read-only.
func Build(ctx context.Context, db *sql.DB, r Request) (*Figure, error) {
	k := KindOf(r.Name)
	if k == nil {
		return nil, &fault.Error{Op: "plot", Expected: "one of " + strings.Join(Names(), ", "), Found: r.Name}
	}
	f, err := (*Figure)(nil), r.checkLens(ctx, db)
	if err == nil {
		f, err = k.build(ctx, db, r)
	}
	if err != nil {
		return nil, suggestSet(ctx, db, r.Sets, fault.At("plot "+r.Name, "", err))
	}
	f.Name = r.Name
	f.order()
	f.fit()
	return f, nil
}

// featureSource is the source of figures of features: every feature with
// statistics of the SAEs that match, or the user's query.
func featureSource(ctx context.Context, db *sql.DB, r Request, columns string) (*source, []SAE, error) {
	if r.Query != "" {
		s, err := userSource(ctx, db, r)
		return s, nil, err
	}
	saes, err := r.saes(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	return figureSource(db, r, "release, sae, layer, "+columns, " FROM "+r.view("features")+" WHERE "+inSAEs(saes)), saes, nil
}

// groupsOf are the groups of a table that are to have a panel each: none, or more than panels, is an error.
func (s *source) groupsOf(t *table, saes []SAE, r Request) ([]group, error) {
	groups := groupBy(t, saes)
	switch {
	case len(groups) == 0:
		return nil, s.empty()
	case len(groups) > maxPanels:
		return nil, &fault.Error{
			Op: "plot " + r.Name, Expected: fmt.Sprintf("at most %d SAEs, a panel each", maxPanels), Found: fmt.Sprint(len(groups)),
			Hint: "choose some with --sae",
		}
	}
	return groups, nil
}

// A group is the rows of one SAE, which a query of the user's may not name.
type group struct {
	title, sae string
	rows       []int
}

// groupBy divides the rows by SAE, or by layer where a query of the user's has no
// SAE, in the order of their layers and names.
func groupBy(t *table, saes []SAE) []group {
	var groups []group
	at := map[string]int{}
	for i := range t.length {
		key, title, sae := "", "", ""
		if layers := t.integers["layer"]; layers != nil && layers[i] >= 0 {
			title = fmt.Sprintf("layer %d", layers[i])
			key = title
		}
		if names := t.texts["sae"]; names != nil {
			sae, key = names[i], names[i]
			if title == "" {
				title = names[i]
			}
		}
		g, ok := at[key]
		if !ok {
			g = len(groups)
			at[key] = g
			groups = append(groups, group{title: title, sae: sae})
		}
		groups[g].rows = append(groups[g].rows, i)
	}
	for i := range groups {
		if len(saes) == len(groups) {
			groups[i].title = panelName(saes[i], saes)
		}
	}
	return groups
}

// grid lays out panels in rows of at most two columns, three from seven on, and
// returns the row and column of each.
func (f *Figure) grid(panels int, height float64) (place func(i int) (row, column int)) {
	columns := 1
	switch {
	case panels > 6:
		columns = 3
	case panels > 1:
		columns = 2
	}
	rows := (panels + columns - 1) / columns
	if columns > 1 {
		height *= 0.7
	}
	for range rows {
		f.Heights = append(f.Heights, height)
	}
	for range columns {
		f.Widths = append(f.Widths, 1)
	}
	return func(i int) (int, int) { return i / columns, i % columns }
}

// suggestSet asks, where a figure failed and a token set was asked for that there is
// not, whether another was meant.
func suggestSet(ctx context.Context, db *sql.DB, sets []string, err error) error {
	var failed *fault.Error
	if len(sets) == 0 || !errors.As(err, &failed) {
		return err
	}
	known, unread := schema.Collect[string](ctx, db, "SELECT DISTINCT token_set FROM token_sets ORDER BY token_set")
	if unread != nil {
		return err // the first error is the one that counts
	}
	for _, set := range sets {
		if slices.Contains(known, set) {
			continue
		}
		if asked := nearest.Question(set, known); asked != "" {
			suggested := *failed
			suggested.Hint = fmt.Sprintf("no token set %q; %s %s", set, asked, failed.Hint)
			return &suggested
		}
	}
	return err
}
