package procedures

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"

	"github.com/saedb/saedb/extension/session"
	"github.com/saedb/saedb/internal/check"
	"github.com/saedb/saedb/internal/export"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/neuronpedia"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
	"github.com/saedb/saedb/udf/capi"
)

// exportResults is saedb export.
var exportResults = procedure{
	name: "saedb_export", takes: []parameter{{"directory", text}, {"format", commas}, {"spreadsheet", flag}, {"replace", flag}, {"database", text}}, first: 1,
	columns: []capi.Field{{Name: "features", Type: capi.Bigint}, {Name: "saes", Type: capi.Bigint}, {Name: "bytes", Type: capi.Bigint}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		formats, err := export.ParseFormats(a.text("format"))
		if err != nil {
			return err
		}
		return h.reading(ctx, a, func(db *operations.Database) error {
			if slices.Contains(formats, export.DuckDB) {
				if err := mayAttach(ctx, db); err != nil {
					return err
				}
			}
			name, err := nameOf(ctx, db)
			if err != nil {
				return err
			}
			job := &export.Job{
				DB: db.DB, Path: name, Dir: a.text("directory"), Formats: formats, Spreadsheet: a.flag("spreadsheet"), Replace: a.flag("replace"), Version: version.Number,
				Functions: udf.Documentation(), Begin: a.tell.counted,
				Results: func(ctx context.Context, path string, use func(*sql.DB, string) error) error {
					return h.beside(ctx, db, path, use)
				},
			}
			r, err := job.Run(ctx)
			if err != nil {
				return err
			}
			return row(int64(r.Features), int64(r.SAEs), r.Bytes)
		})
	},
}

// mayAttach refuses what a process cannot do that opened its database to be read only: DuckDB
// makes no new database beside it.
func mayAttach(ctx context.Context, db *operations.Database) error {
	var mode string
	if err := db.DB.QueryRowContext(ctx, "SELECT lower(CAST(current_setting('access_mode') AS VARCHAR))").Scan(&mode); err != nil || mode != "read_only" {
		return err
	}
	return &fault.Error{
		Op: "export", Problem: "the database is open read-only, and DuckDB writes no other file of its own format then",
		Hint: "export --format parquet,csv, or open it without read_only",
	}
}

// beside makes a new database at path, in a connection where it is the one that statements are
// about, and the one that db works in is attached under its own name.
func (h *Host) beside(ctx context.Context, db *operations.Database, path string, use func(*sql.DB, string) error) (err error) {
	var from string
	if err := db.DB.QueryRowContext(ctx, "SELECT current_database()").Scan(&from); err != nil {
		return err
	}
	const made = "saedb_results"
	if _, err := db.DB.ExecContext(ctx, "ATTACH "+schema.Literal(path)+" AS "+made+" (STORAGE_VERSION 'v1.0.0')"); err != nil {
		return err
	}
	defer func() {
		_, detached := db.DB.ExecContext(context.WithoutCancel(ctx), "DETACH "+made)
		err = errors.Join(err, detached)
	}()
	results := session.Open(h.Connect, "USE "+made)
	defer results.Close()
	return use(results, from)
}

// importResults is saedb import.
var importResults = procedure{
	name: "saedb_import", takes: []parameter{{"directory", text}, {"replace", flag}, {"database", text}}, first: 1,
	columns: []capi.Field{{Name: "name", Type: capi.Varchar}, {Name: "features", Type: capi.Bigint}, {Name: "unchanged", Type: capi.Boolean}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.within(ctx, a, func(db *operations.Database) error {
			end := a.tell.begin("import", 0, "features")
			defer end()
			o, err := db.Loader().Results(ctx, loader.ResultsRequest{
				Dir: a.text("directory"), Replace: a.flag("replace"), Done: func(n int) { a.tell.add(int64(n)) },
			})
			if err != nil {
				return err
			}
			return each(row, o.SAEs, func(s loader.Outcome) []any { return []any{s.Name, int64(s.Rows), s.Unchanged} })
		})
	},
}

// checkDatabase is saedb check: a row for each finding and each note, and one for what was checked.
var checkDatabase = procedure{
	name: "saedb_check", takes: []parameter{{"sample", integer}, {"all", flag}, {"database", text}},
	columns: []capi.Field{{Name: "kind", Type: capi.Varchar}, {Name: "text", Type: capi.Varchar}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		if a.flag("all") && a.text("sample") != "" {
			return &fault.Error{Op: "check", Expected: "--all or --sample", Found: "both"}
		}
		return h.reading(ctx, a, func(db *operations.Database) error {
			ctx, stop := context.WithCancelCause(ctx)
			defer stop(nil)
			put := func(kind, said string) {
				if err := row(kind, said); err != nil {
					stop(err)
				}
			}
			checker := &check.Checker{
				DB: db.DB, Sample: a.integer("sample", check.DefaultSample), Begin: a.tell.counted,
				Report: func(f check.Finding) { put("finding", f.String()) }, Note: func(note string) { put("note", note) },
			}
			if a.flag("all") {
				checker.Sample = check.AllFeatures
			}
			r, err := checker.Run(ctx)
			if err != nil {
				return err
			}
			return row("checked", r.String())
		})
	},
}

// neuronpediaLists is saedb neuronpedia: a row for each address.
var neuronpediaLists = procedure{
	name: "saedb_neuronpedia", takes: []parameter{{"features", lines}, {"query", text}, {"name", text}, {"database", text}},
	columns: []capi.Field{{Name: "address", Type: capi.Varchar}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		if (a.text("features") == "") == (a.text("query") == "") {
			return &fault.Error{Op: "neuronpedia", Expected: "features or --query, one of them", Found: "both or none"}
		}
		chosen, err := operations.ParseChoices(a.lines("features"))
		if err != nil {
			return err
		}
		return h.reading(ctx, a, func(db *operations.Database) error {
			if query := a.text("query"); query != "" {
				if chosen, err = operations.QueryChoices(ctx, db.DB, query); err != nil {
					return err
				}
			}
			features, err := operations.OnNeuronpedia(ctx, db.DB, chosen)
			if err != nil {
				return err
			}
			name := cmp.Or(a.text("name"), "saedb")
			return each(row, neuronpedia.QuickLists(name, features), itself)
		})
	},
}

// releasesQuery gives the query of what saedb releases lists.
var releasesQuery = procedure{
	name: "saedb_releases_query", takes: []parameter{{"text", text}}, first: 1, columns: []capi.Field{{Name: "query", Type: capi.Varchar}},
	run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
		query, err := operations.ReleasesQuery(a.text("text"))
		if err != nil {
			return err
		}
		return row(query)
	},
}
