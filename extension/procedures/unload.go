package procedures

import (
	"context"
	"strings"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/udf/capi"
)

// unload is saedb unload. Several names are separated by line breaks, and families by
// commas.
var unload = procedure{
	name: "saedb_unload", takes: []parameter{{"kind", text}, {"names", lines}, {"model", text}, {"family", commas}, {"cascade", flag}, {"database", text}}, first: 2,
	columns: []capi.Field{{Name: "kind", Type: capi.Varchar}, {Name: "name", Type: capi.Varchar}, {Name: "with", Type: capi.Varchar}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		r := loader.UnloadRequest{
			Kind: a.text("kind"), Names: a.lines("names"), Model: a.text("model"), Families: a.commas("family"), Cascade: a.flag("cascade"),
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			gone, err := db.Unload(ctx, r)
			if err != nil {
				return err
			}
			return each(row, gone, func(g loader.Unloaded) []any { return []any{g.Kind, g.Name, g.With} })
		})
	},
}

// parts are those of a text between separators that are not empty, without the space
// around them where they are separated by commas.
func parts(text, separator string) []string {
	var all []string
	for _, part := range strings.Split(text, separator) {
		if separator == "," {
			part = strings.TrimSpace(part)
		}
		if part != "" {
			all = append(all, part)
		}
	}
	return all
}
