package procedures

import (
	"context"
	"strings"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/udf/capi"
)

// loadModel is saedb load model.
var loadModel = procedure{
	name: "saedb_load_model", parameters: 1, named: []string{"name", "processing", "replace", "database"}, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		replace, err := a.flag("replace")
		if err != nil {
			return err
		}
		return h.within(ctx, a.named["database"], func(db *operations.Database) error {
			outcome, err := db.Loader().Model(ctx, loader.ModelRequest{
				Path: a.positions[0], Name: a.named["name"], Replace: replace, Options: model.Options{Processing: a.named["processing"]},
			})
			if err != nil {
				return err
			}
			return row(loadedRow(outcome)...)
		})
	},
}

// loadSAE is saedb load sae: the SAEs at a path, or in the directories below it.
var loadSAE = procedure{
	name: "saedb_load_sae", parameters: 1, named: []string{"name", "model", "release", "decoder", "hook", "encoder", "replace", "copy", "database"}, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		replace, err := a.flag("replace")
		if err != nil {
			return err
		}
		encoder, err := a.flag("encoder")
		if err != nil {
			return err
		}
		duplicate, err := a.flag("copy")
		if err != nil {
			return err
		}
		requests, err := operations.SAEsAt(a.positions[0], loader.SAERequest{
			Name: a.named["name"], Model: a.named["model"], Release: a.named["release"],
			Decoder: a.named["decoder"], Hook: a.named["hook"], Encoder: encoder, Replace: replace, Copy: duplicate,
		})
		return h.within(ctx, a.named["database"], func(db *operations.Database) error {
			if err != nil {
				return db.Loader().Explain(ctx, err)
			}
			return db.LoadSAEs(ctx, requests, func(o loader.Outcome) error { return row(loadedRow(o)...) })
		})
	},
}

// loadSets is saedb load sets. Several families are separated by commas.
var loadSets = procedure{
	name: "saedb_load_sets", named: []string{"file", "model", "family", "name", "regex", "sql", "replace", "database"},
	columns: []capi.Field{
		{Name: "model", Type: capi.Varchar}, {Name: "added", Type: capi.Bigint},
		{Name: "replaced", Type: capi.Bigint}, {Name: "unchanged", Type: capi.Bigint}, {Name: "note", Type: capi.Varchar},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		replace, err := a.flag("replace")
		if err != nil {
			return err
		}
		r := loader.SetsRequest{Model: a.named["model"], Name: a.named["name"], Pattern: a.named["regex"], Query: a.named["sql"], Replace: replace}
		if a.named["file"] != "" {
			r.Files = []string{a.named["file"]}
		}
		r.Families = parts(a.named["family"], ",")
		return h.within(ctx, a.named["database"], func(db *operations.Database) error {
			outcomes, err := db.LoadSets(ctx, r)
			if err != nil {
				return err
			}
			for _, o := range outcomes {
				if err := row(o.Model, int64(o.Added), int64(o.Replaced), int64(o.Unchanged), strings.Join(o.Notes, "; ")); err != nil {
					return err
				}
			}
			return nil
		})
	},
}
