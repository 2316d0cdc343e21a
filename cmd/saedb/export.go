package main

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/export"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
	"github.com/urfave/cli/v2"
)

var exportCommand = &cli.Command{
	Name:  "export",
	Usage: "write the results, without weights, as Parquet, CSV and a DuckDB file",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "to", Usage: "the `DIRECTORY` to write, which appears whole"},
		&cli.StringFlag{Name: "format", Usage: "only some of parquet, csv and duckdb, separated by commas", Value: "all"},
		&cli.BoolFlag{Name: "spreadsheet", Usage: "CSV to open in Excel or LibreOffice: marked as UTF-8, with an apostrophe before text that would be a formula"},
		&cli.BoolFlag{Name: "replace", Usage: "replace a directory that an export wrote"},
	},
	Description: "Parquet is partitioned by release and layer; docs/export.md has the layout, docs/bi.md how to read it.",
	Action:      exportResults,
}

func exportResults(c *cli.Context) error {
	if c.String("to") == "" {
		return wrongUsage("export: where to? --to DIRECTORY")
	}
	formats, err := export.ParseFormats(c.String("format"))
	if err != nil {
		return wrongUsage("%v", err)
	}
	if c.Bool("spreadsheet") && !slices.Contains(formats, export.CSV) {
		return wrongUsage("export: --spreadsheet is of CSV, which --format leaves out")
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	job := &export.Job{
		DB: db.DB, Path: c.String("db"), Dir: c.String("to"), Formats: formats, Replace: c.Bool("replace"), Spreadsheet: c.Bool("spreadsheet"),
		Version: saedb.Version, Functions: udf.Documentation(), Results: newResults(c.String("db")),
		Begin: begin,
	}
	r, err := job.Run(c.Context)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "exported %d features of %d SAEs to %s: %.1f MB\n", r.Features, r.SAEs, c.String("to"), float64(r.Bytes)/1e6)
	return nil
}

// newResults makes the database of results of the one in a file.
func newResults(exported string) func(ctx context.Context, path string, use func(*sql.DB, string) error) error {
	return func(ctx context.Context, path string, use func(*sql.DB, string) error) error {
		db, err := saedb.Open(ctx, path, saedb.Options{})
		if err != nil {
			return err
		}
		defer db.Close()
		const from = "exported"
		if _, err := db.ExecContext(ctx, "ATTACH "+schema.Literal(exported)+" AS "+from+" (READ_ONLY)"); err != nil {
			return err
		}
		if err := use(db.DB, from); err != nil {
			return err
		}
		_, err = db.ExecContext(ctx, "DETACH "+from)
		return err
	}
}
