package procedures

import (
	"context"
	"strings"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/tokenset"
	"github.com/saedb/saedb/udf/capi"
)

// loadSets is saedb load sets.
var loadSets = procedure{
	name: "saedb_load_sets", takes: []parameter{
		{"file", lines}, {"model", text}, {"family", commas}, {"name", text}, {"regex", text}, {"sql", text}, {"multi_token", text},
		{"replace", flag}, {"database", text},
	},
	columns: []capi.Field{
		{Name: "model", Type: capi.Varchar}, {Name: "added", Type: capi.Bigint},
		{Name: "replaced", Type: capi.Bigint}, {Name: "unchanged", Type: capi.Bigint}, {Name: "note", Type: capi.Varchar},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		multi := a.text("multi_token")
		switch multi {
		case "":
			multi = tokenset.MultiTokenSingle
		case tokenset.MultiTokenSingle, tokenset.MultiTokenAll:
		default:
			return unknown("multi_token", multi, tokenset.MultiTokenSingle+" or "+tokenset.MultiTokenAll)
		}
		r := loader.SetsRequest{
			Model: a.text("model"), Families: a.commas("family"), Files: a.lines("file"), Name: a.text("name"), Pattern: a.text("regex"),
			Query: a.text("sql"), MultiToken: multi, Replace: a.flag("replace"),
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			outcomes, err := db.LoadSets(ctx, r)
			if err != nil {
				return err
			}
			return each(row, outcomes, func(o loader.SetsOutcome) []any {
				return []any{o.Model, int64(o.Added), int64(o.Replaced), int64(o.Unchanged), strings.Join(o.Notes, "; ")}
			})
		})
	},
}
