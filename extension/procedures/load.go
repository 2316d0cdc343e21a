package procedures

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
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
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			outcome, err := h.loader(db).Model(ctx, loader.ModelRequest{
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
	name: "saedb_load_sae", parameters: 1, named: []string{"name", "model", "release", "decoder", "hook", "replace", "copy", "database"}, columns: loadedColumns,
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		replace, err := a.flag("replace")
		if err != nil {
			return err
		}
		duplicate, err := a.flag("copy")
		if err != nil {
			return err
		}
		if err := checkDecoder(a.named["decoder"]); err != nil {
			return err
		}
		paths, err := sae.Find(a.positions[0])
		if err != nil {
			return h.within(ctx, a.named["database"], func(db *sql.DB) error { return h.loader(db).Explain(ctx, err) })
		}
		for _, ofOne := range []string{"name", "hook"} {
			if a.named[ofOne] != "" && len(paths) != 1 {
				return &fault.Error{Subject: a.positions[0], Problem: ofOne + " is of one SAE, and there are several"}
			}
		}
		requests := make([]loader.SAERequest, len(paths))
		for i, path := range paths {
			requests[i] = loader.SAERequest{
				Path: path, Name: a.named["name"], Model: a.named["model"], Release: a.named["release"],
				Decoder: a.named["decoder"], Hook: a.named["hook"], Replace: replace, Copy: duplicate,
			}
		}
		loader.TellApart(requests)
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			for _, request := range requests {
				outcome, err := h.loader(db).SAE(ctx, request)
				if err != nil {
					return err
				}
				if err := row(loadedRow(outcome)...); err != nil {
					return err
				}
			}
			return nil
		})
	},
}

func checkDecoder(decoder string) error {
	if decoder == "" || slices.Contains(sae.Decoders(), decoder) {
		return nil
	}
	return unknown("decoder", decoder, "one of "+strings.Join(sae.Decoders(), ", "))
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
		one := r.Pattern != "" || r.Query != ""
		if one != (r.Name != "") || r.Pattern != "" && r.Query != "" || one && a.named["file"] != "" {
			return &fault.Error{Problem: "name goes with either regex or sql, and with no file"}
		}
		if a.named["file"] != "" {
			r.Files = []string{a.named["file"]}
		}
		r.Families = parts(a.named["family"], ",")
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			if err := requireTables(ctx, db); err != nil {
				return err
			}
			outcomes, err := h.loader(db).Sets(ctx, r)
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
