package procedures

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/udf/capi"
)

// plot builds a figure: all that is drawn, in JSON, which draw draws.
var plot = procedure{
	name: "saedb_plot", takes: []parameter{
		{"figure", text}, {"feature", integer}, {"set", lines}, {"sae", text}, {"layer", integer}, {"lens", text}, {"sql", text}, {"score", text}, {"unsigned", flag},
		{"label_threshold", number}, {"top_n", integer}, {"top_k", integer}, {"bins", integer}, {"statistic", text}, {"database", text},
	},
	first: 1, columns: []capi.Field{{Name: "figure", Type: capi.Varchar}, {Name: "database", Type: capi.Varchar}, {Name: "height", Type: capi.Double}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		saes, err := a.saes()
		if err != nil {
			return err
		}
		r := figures.Request{
			Name: a.text("figure"), Feature: a.integer("feature", -1), Sets: a.lines("set"), SAE: saes, Lens: a.text("lens"), Query: a.text("sql"), Score: a.text("score"),
			Unsigned: a.flag("unsigned"), LabelThreshold: a.number("label_threshold"), TopN: a.integer("top_n", 0), TopK: a.integer("top_k", 0),
			Bins: a.integer("bins", 0), Statistic: a.text("statistic"),
		}
		if err := checkOptions(r.Name, a); err != nil {
			return err
		}
		if err := r.Check(); err != nil {
			return err
		}
		return h.reading(ctx, a, func(db *operations.Database) error {
			f, err := figures.Build(ctx, db.DB, r)
			if err != nil {
				return err
			}
			encoded, err := json.Marshal(f)
			if err != nil {
				return err
			}
			name, err := nameOf(ctx, db)
			if err != nil {
				return err
			}
			return row(string(bytes.ToValidUTF8(encoded, []byte("�"))), name, f.PageHeight())
		})
	},
}

// checkOptions refuses what a figure does not take.
func checkOptions(name string, a arguments) error {
	kind := figures.KindOf(name)
	if kind == nil {
		return nil // as Build says
	}
	for option, given := range a.given {
		flag := strings.ReplaceAll(option, "_", "-")
		known := slices.Contains(kind.Options, flag) || option == "figure" || option == "database"
		// Two token sets, and a feature and a set, are what these figures are of.
		own := name == "sets" && option == "set" || name == "running-sum" && (option == "set" || option == "feature") || name == "feature" && option == "feature"
		if given != "" && given != "false" && !known && !own {
			return &fault.Error{Op: "plot " + name, Subject: option, Problem: "this figure does not take it"}
		}
	}
	if sets := len(a.lines("set")); name == "sets" && sets != 2 {
		return &fault.Error{Op: "plot sets", Subject: "set", Expected: "two token sets", Found: fmt.Sprint(sets)}
	}
	if sets := len(a.lines("set")); name == "running-sum" && a.text("sql") == "" && (sets != 1 || a.text("feature") == "") {
		return &fault.Error{Op: "plot running-sum", Expected: "the number of a feature and a token set", Found: fmt.Sprintf("%d sets", sets)}
	}
	return nil
}

// nameOf is what a database is called where something of it is shown.
func nameOf(ctx context.Context, db *operations.Database) (name string, err error) {
	err = db.DB.QueryRowContext(ctx, `SELECT coalesce(parse_filename(path), database_name) FROM duckdb_databases() WHERE database_name = current_database()`).Scan(&name)
	return name, err
}

// draw draws what plot has built, as html, png or svg, in base64.
var draw = procedure{
	name: "saedb_draw", takes: []parameter{{"figure", text}, {"format", text}, {"from", text}}, first: 3,
	columns: []capi.Field{{Name: "content", Type: capi.Varchar}},
	run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
		var f figures.Figure
		if err := json.Unmarshal([]byte(a.text("figure")), &f); err != nil {
			return &fault.Error{Subject: "figure", Problem: "is not what saedb_plot gives", Err: err}
		}
		var drawn bytes.Buffer
		if err := f.Write(&drawn, a.text("format"), a.text("from"), version.Number); err != nil {
			return err
		}
		return row(base64.StdEncoding.EncodeToString(drawn.Bytes()))
	},
}

// writeReport is saedb report.
var writeReport = procedure{
	name: "saedb_report", takes: []parameter{{"path", text}, {"database", text}}, first: 1,
	columns: []capi.Field{{Name: "path", Type: capi.Varchar}, {Name: "charts", Type: capi.Boolean}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		path := a.text("path")
		if !strings.HasSuffix(path, ".html") {
			return unknown("path", path, "a name that ends in .html")
		}
		return h.reading(ctx, a, func(db *operations.Database) error {
			name, err := nameOf(ctx, db)
			if err != nil {
				return err
			}
			r, err := figures.BuildReport(ctx, db.DB, name)
			if err != nil {
				return err
			}
			if err := files.WriteWhole(path, func(w io.Writer) error { return r.HTML(w, name, version.Number) }); err != nil {
				return fault.At("report", path, err)
			}
			return row(path, figures.HasCharts())
		})
	},
}
