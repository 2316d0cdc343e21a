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
	name: "saedb_unload", parameters: 2, named: []string{"model", "family", "cascade", "database"},
	columns: []capi.Field{{Name: "kind", Type: capi.Varchar}, {Name: "name", Type: capi.Varchar}, {Name: "with", Type: capi.Varchar}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		cascade, err := a.flag("cascade")
		if err != nil {
			return err
		}
		r := loader.UnloadRequest{
			Kind: a.positions[0], Names: parts(a.positions[1], "\n"), Model: a.named["model"], Families: parts(a.named["family"], ","), Cascade: cascade,
		}
		return h.within(ctx, a.named["database"], func(db *operations.Database) error {
			gone, err := db.Unload(ctx, r)
			if err != nil {
				return err
			}
			for _, g := range gone {
				if err := row(g.Kind, g.Name, g.With); err != nil {
					return err
				}
			}
			return nil
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
