package main

import (
	"fmt"
	"os"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/progress"
	"github.com/saedb/saedb/loader"
	"github.com/urfave/cli/v2"
)

var importCommand = &cli.Command{
	Name:  "import",
	Usage: "take in results that were computed elsewhere",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "parquet", Usage: "the `DIRECTORY` that saedb export, or a cluster job, wrote"},
		&cli.BoolFlag{Name: "replace", Usage: "replace figures that are there, and SAEs of other content"},
	},
	Description: "An SAE that is loaded gets its figures; another one comes with its figures, but without its weights, and so\n" +
		"does its model. docs/export.md has the layout.",
	Action: importResults,
}

func importResults(c *cli.Context) error {
	dir := c.String("parquet")
	if dir == "" {
		return wrongUsage("import: from where? --parquet DIRECTORY")
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	bar := progress.New(os.Stderr, "import", 0, "features")
	defer bar.Finish()
	o, err := db.Import(c.Context, loader.ResultsRequest{
		Dir: dir, Replace: c.Bool("replace"), Done: func(features int) { bar.Add(int64(features)) },
	})
	bar.Finish()
	if err != nil {
		return err
	}
	features, saes := 0, 0
	for _, s := range o.SAEs {
		if s.Unchanged {
			fmt.Fprintf(c.App.Writer, "sae %s has figures already; nothing changed for it\n", s.Name)
			continue
		}
		features, saes = features+s.Rows, saes+1
	}
	fmt.Fprintf(c.App.Writer, "imported %d features of %d SAEs, %d of them without weights, and %d enrichment scores: %.1f s\n", features, saes, o.Without, o.Scores, o.Took.Seconds())
	if o.Through > 0 {
		fmt.Fprintf(c.App.Writer, "imported figures of %d SAEs through lenses\n", o.Through)
	}
	return checkpoint(c.Context, db)
}
