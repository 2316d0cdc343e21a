package main

import (
	"io"
	"slices"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/files"
	"github.com/saedb/saedb/internal/output"
	"github.com/saedb/saedb/loader"
	schema "github.com/saedb/saedb/sql"
	"github.com/urfave/cli/v2"
)

var setsCommand = &cli.Command{
	Name:  "sets",
	Usage: "list the token sets with their sizes and first tokens, or export them",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model (default: every model loaded)"},
		&cli.StringFlag{Name: "gmt", Usage: "write them to a GMT `FILE` instead"},
	},
	Action: listSets,
}

func listSets(c *cli.Context) error {
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := requireModel(c, db); err != nil {
		return err
	}
	if path := c.String("gmt"); path != "" {
		return exportSets(c, db, path)
	}
	rows, err := db.QueryContext(c.Context, `SELECT model, family, token_set, any_value(members) AS size,
			list(coalesce(nullif(text, ''), token) ORDER BY token_id)[:10] AS first_tokens
		FROM token_sets JOIN token_set_members USING (model, family, token_set)
		WHERE ? = '' OR model = ? GROUP BY ALL ORDER BY ALL`, c.String("model"), c.String("model"))
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = output.Write(c.App.Writer, output.Table, rows)
	return err
}

// requireModel makes sure that --model, where it is given, names a model that is loaded.
func requireModel(c *cli.Context, db *saedb.DB) error {
	name := c.String("model")
	if name == "" {
		return nil
	}
	known, err := schema.Collect[string](c.Context, db, "SELECT model FROM models ORDER BY model")
	if err != nil || slices.Contains(known, name) {
		return err
	}
	return &fault.Error{Op: "sets", Problem: noSuch("model", name, known)}
}

// exportSets writes the sets of one model to a GMT file, which appears whole.
func exportSets(c *cli.Context, db *saedb.DB, path string) error {
	err := files.WriteWhole(path, func(w io.Writer) error { return loader.ExportSets(c.Context, db.DB, c.String("model"), w) })
	return fault.At("sets", path, err)
}
