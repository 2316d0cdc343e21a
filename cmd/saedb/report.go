package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
	"github.com/urfave/cli/v2"
)

var reportCommand = &cli.Command{
	Name:  "report",
	Usage: "write an HTML page of what is loaded, figures by layer, and the features that stand out",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "out", Usage: "the `FILE` to write", Value: "report.html"},
	},
	Action: writeReport,
}

func writeReport(c *cli.Context) error {
	out := c.String("out")
	if filepath.Ext(out) != ".html" {
		return wrongUsage("report: --out: expected a name that ends in .html, found %q", out)
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	database := filepath.Base(c.String("db"))
	r, err := figures.BuildReport(c.Context, db.DB, database)
	if err != nil {
		return err
	}
	if err := files.WriteWhole(out, func(w io.Writer) error { return r.HTML(w, database, saedb.Version) }); err != nil {
		return fault.At("report", out, err)
	}
	without := ""
	if !figures.HasCharts() {
		without = ", without charts: this saedb was built without the chart library"
	}
	fmt.Fprintf(c.App.Writer, "wrote %s%s\n", out, without)
	return nil
}
