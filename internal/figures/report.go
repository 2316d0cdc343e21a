package figures

import (
	"context"
	"database/sql"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/plaintext"
	schema "github.com/saedb/saedb/sql"
)

// A Report is what one page says of a database: what is loaded and from where, the
// figures by layer, and the features and enrichments that stand out.
type Report struct {
	Title   string       `json:"-"`
	Summary string       `json:"-"`
	Figures []*Figure    `json:"figures"`
	Tables  []*DataTable `json:"tables"`
	// Findings are what the data say in words, Cards six features that stand out.
	Findings []string      `json:"-"`
	Cards    []FeatureCard `json:"-"`
	HeatMap  *HeatMap      `json:"-"` // nil where nothing is beyond chance
	Missing  []string      `json:"-"` // what is not computed yet, and how to
}

// A DataTable is a table that the page sorts and filters.
type DataTable struct {
	ID      string       `json:"id"`
	Title   string       `json:"-"`
	Note    string       `json:"-"`
	Query   string       `json:"-"`
	Columns []DataColumn `json:"columns"`
	Rows    [][]any      `json:"rows"`
	Sort    int          `json:"sort"` // the column that rows come sorted by, descending; -1 for none
}

// A DataColumn is a column of a DataTable.
type DataColumn struct {
	Name   string `json:"name"`
	Kind   string `json:"kind"`             // text, number, tokens or link
	Filter bool   `json:"filter,omitempty"` // whether the page offers a choice of its values
}

// reportPoints is how many features the animated figure of a report holds at most.
const reportPoints = 150_000

// BuildReport reads a report. What is not computed is left out, and named.
func BuildReport(ctx context.Context, db *sql.DB, database string) (*Report, error) {
	r := &Report{Title: "Features of " + database}
	if err := r.loaded(ctx, db); err != nil {
		return nil, fault.At("report", "", err)
	}
	var features, computed int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(std) FROM features`).Scan(&features, &computed)
	if err != nil {
		return nil, fault.At("report", "", err)
	}
	r.Summary = fmt.Sprintf("%s features of %d SAEs.", plaintext.Thousands(features), len(r.Tables[1].Rows))
	if computed == 0 {
		r.Missing = append(r.Missing, "No statistics are computed; saedb compute computes them.")
		return r, nil
	}
	names := []string{"layers", "layer-box"}
	if computed <= reportPoints {
		names = append(names, "layer-scatter")
	}
	for _, name := range names {
		f, err := Build(ctx, db, Request{Name: name, Feature: -1})
		if err != nil {
			return nil, err
		}
		r.Figures = append(r.Figures, f)
	}
	if err := r.found(ctx, db); err != nil {
		return nil, fault.At("report", "", err)
	}
	if err := r.story(ctx, db); err != nil {
		return nil, fault.At("report", "", err)
	}
	if err := r.table(ctx, db, skewedFeatures); err != nil {
		return nil, err
	}
	var scores bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (FROM enrichment)`).Scan(&scores); err != nil {
		return nil, fault.At("report", "", err)
	}
	if !scores {
		r.Missing = append(r.Missing, "No enrichment is computed; saedb load sets, then saedb compute, compute it.")
		return r, nil
	}
	if err := r.enrichments(ctx, db); err != nil {
		return nil, err
	}
	r.addCards(r.Tables[len(r.Tables)-1])
	if r.HeatMap, err = heatMap(ctx, db); err != nil {
		return nil, fault.At("report", "", err)
	}
	return r, nil
}

// enrichments adds the table of the strongest, and says so where none is beyond chance.
func (r *Report) enrichments(ctx context.Context, db *sql.DB) error {
	t := strongestEnrichments
	note, err := (&source{db: db, op: "report", query: "FROM set_enrichment", names: []string{"q_value"}}).chanceNote(ctx)
	if err != nil {
		return err
	}
	t.Note += note
	return r.table(ctx, db, t)
}

// loaded adds the tables of models, SAEs and loads.
func (r *Report) loaded(ctx context.Context, db *sql.DB) error {
	for _, t := range []DataTable{loadedModels, loadedSAEs} {
		if err := r.table(ctx, db, t); err != nil {
			return err
		}
	}
	return nil
}

var loadedModels = DataTable{
	ID: "models", Title: "Models", Sort: -1,
	Columns: []DataColumn{
		{Name: "model", Kind: "text"}, {Name: "architecture", Kind: "text"}, {Name: "d_model", Kind: "number"}, {Name: "tokens", Kind: "number"},
		{Name: "processing", Kind: "text"}, {Name: "source", Kind: "text"}, {Name: "SHA-256", Kind: "text"}, {Name: "loaded (UTC)", Kind: "text"},
	},
	Query: `SELECT m.model, m.architecture, m.d_model, m.d_vocab, l.conventions, l.source, l.sha256, l.loaded_at
FROM models m JOIN loads l USING (load_id) ORDER BY m.model`,
}

var loadedSAEs = DataTable{
	ID: "saes", Title: "Sparse autoencoders", Sort: -1,
	Columns: []DataColumn{
		{Name: "SAE", Kind: "text"}, {Name: "release", Kind: "text", Filter: true}, {Name: "model", Kind: "text"}, {Name: "layer", Kind: "number"},
		{Name: "features", Kind: "number"}, {Name: "architecture", Kind: "text"}, {Name: "tokens counted", Kind: "text"},
		{Name: "source", Kind: "text"}, {Name: "SHA-256", Kind: "text"}, {Name: "loaded (UTC)", Kind: "text"},
	},
	Query: `SELECT s.sae, s.release, s.model, s.layer, s.d_sae, s.architecture, s.tokens, l.source, l.sha256, l.loaded_at
FROM saes s JOIN loads l USING (load_id) ORDER BY s.release, s.layer, s.sae`,
}

var skewedFeatures = DataTable{
	ID: "skewed", Title: "Most skewed features", Sort: 3,
	Note: "The 40 features of each SAE whose logit weights are most skewed: those that promote few tokens, and those much.",
	Columns: []DataColumn{
		{Name: "SAE", Kind: "text", Filter: true}, {Name: "layer", Kind: "number", Filter: true}, {Name: "feature", Kind: "number"}, {Name: "skewness", Kind: "number"},
		{Name: "label", Kind: "text"}, {Name: "role", Kind: "text", Filter: true}, {Name: "kurtosis", Kind: "number"}, {Name: "std", Kind: "number"}, {Name: "log sparsity", Kind: "number"},
		{Name: "promotes", Kind: "tokens"}, {Name: "suppresses", Kind: "tokens"}, {Name: "Neuronpedia", Kind: "link"},
	},
	Query: `SELECT sae, layer, feature, skewness, label, role, kurtosis, std, log_sparsity, top_tokens, bottom_tokens[:5], neuronpedia_url
FROM features WHERE skewness IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY sae ORDER BY skewness DESC, feature) <= 40
ORDER BY skewness DESC, layer, feature`,
}

// strongestEnrichments takes the maxima in one pass: a window over every score
// would sort features × sets. Rows are compared field by field.
var strongestEnrichments = DataTable{
	ID: "enrichments", Title: "Strongest enrichments", Sort: -1,
	Note: "For each token set of at least five tokens, the five features that promote it most and the five that suppress it most, over all SAEs: those beyond chance (q < 0.05), by effect. Of sets with the same tokens one is shown.",
	Columns: []DataColumn{
		{Name: "token set", Kind: "text", Filter: true}, {Name: "set size", Kind: "number"}, {Name: "direction", Kind: "text", Filter: true},
		{Name: "layer", Kind: "number", Filter: true}, {Name: "feature", Kind: "number"}, {Name: "label", Kind: "text"},
		{Name: "effect", Kind: "number"}, {Name: "q-value", Kind: "number"}, {Name: "ES", Kind: "number"}, {Name: "promotes", Kind: "tokens"}, {Name: "suppresses", Kind: "tokens"},
		{Name: "SAE", Kind: "text", Filter: true}, {Name: "Neuronpedia", Kind: "link"},
	},
	Query: `WITH scored AS (
	FROM enrichment WHERE ` + firstOfIdentical + ` AND direction IS NOT NULL AND size >= 5 AND beyond_chance(q_value) = (SELECT coalesce(max(beyond_chance(q_value)), false) FROM set_enrichment)
), best AS (
	SELECT token_set, direction, unnest(arg_max({'sae': sae, 'feature': feature, 'size': size, 'effect': effect, 'es': es, 'q_value': q_value},
		{'effect': abs(effect), 'q_value': -q_value, 'layer': -layer, 'feature': -feature}, 5)) AS b
	FROM scored GROUP BY token_set, direction
)
SELECT token_set, b.size, direction, f.layer, f.feature, f.label, b.effect, b.q_value, b.es, f.top_tokens, f.bottom_tokens[:5], f.sae, f.neuronpedia_url
FROM best JOIN features f ON f.sae = b.sae AND f.feature = b.feature
ORDER BY direction, abs(b.effect) DESC, b.q_value, token_set, f.layer, f.feature`,
}

// table reads one table and adds it.
func (r *Report) table(ctx context.Context, db *sql.DB, t DataTable) error {
	_, rows, err := schema.Values(ctx, db, t.Query)
	t.Rows = [][]any{}
	for _, row := range rows {
		for i, v := range row {
			row[i] = cell(t.Columns[i].Kind, v)
		}
		t.Rows = append(t.Rows, row)
	}
	r.Tables = append(r.Tables, &t)
	return fault.At("report", t.Title, err)
}

// cell is a value as the page shows it; numbers stay numbers, so that they sort.
func cell(kind string, v any) any {
	switch kind {
	case "tokens":
		var texts schema.ListOf[string]
		_ = texts.Scan(v)
		return showTokens(texts, 10)
	case "link":
		url, _ := v.(string)
		return safeURL(url)
	}
	if at, ok := v.(time.Time); ok {
		return at.UTC().Format("2006-01-02 15:04")
	}
	return v
}

// HTML writes r as one page that needs nothing else.
func (r *Report) HTML(w io.Writer, database, version string) error {
	data, err := marshal(r)
	if err != nil {
		return err
	}
	own, err := asset("report.js")
	if err != nil {
		return err
	}
	return render(w, "report.html", page{Title: r.Title, Data: data, Report: r, Extra: template.JS(own), Database: database, Version: version})
}
