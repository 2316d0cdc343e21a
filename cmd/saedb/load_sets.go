package main

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/tokenset"
	"github.com/urfave/cli/v2"
)

var loadSetsCommand = &cli.Command{
	Name:      "sets",
	Usage:     "load token sets, the built-in ones by default",
	ArgsUsage: "[FILE...]",
	Description: "A FILE is a word list (.txt), GMT (.gmt), JSON (.json: name to ids, tokens or words), CSV (.csv: columns set and\n" +
		"token or token_id), or patterns (.regex: name, tab, pattern). One set of your own: --name with --regex or --sql.\n" +
		"Rows of the table user_token_sets (model, token_set, token_id) are taken in here too, as by compute.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model (default: every model loaded)"},
		&cli.StringSliceFlag{Name: "family", Usage: "only these `FAMILIES` of built-in sets: " + strings.Join(tokenset.Families(), ", ")},
		&cli.StringFlag{Name: "name", Usage: "`NAME` of the set that --regex or --sql makes"},
		&cli.StringFlag{Name: "regex", Usage: "`PATTERN` that the raw tokens of the set match at their start"},
		&cli.StringFlag{Name: "sql", Usage: "`QUERY` that gives the token ids of the set"},
		&cli.StringFlag{
			Name: "multi-token", Value: tokenset.MultiTokenSingle,
			Usage: "`WHICH` words of several tokens count: single (none), or all (all their tokens, as SAELens does)",
		},
		replaceFlag,
	},
	Action: loadSets,
}

func loadSets(c *cli.Context) error {
	one := c.IsSet("regex") || c.IsSet("sql")
	switch multi := c.String("multi-token"); {
	case one != c.IsSet("name") || c.IsSet("regex") && c.IsSet("sql"):
		return wrongUsage("load sets: --name goes with either --regex or --sql")
	case one && c.Args().Present():
		return wrongUsage("load sets: files and --name make sets in one run each")
	case multi != tokenset.MultiTokenSingle && multi != tokenset.MultiTokenAll:
		return wrongUsage("load sets: --multi-token: expected %s or %s, found %q", tokenset.MultiTokenSingle, tokenset.MultiTokenAll, multi)
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	outcomes, err := db.LoadSets(c.Context, loader.SetsRequest{
		Model: c.String("model"), Families: c.StringSlice("family"), Files: c.Args().Slice(), Name: c.String("name"),
		Pattern: c.String("regex"), Query: c.String("sql"), MultiToken: c.String("multi-token"), Replace: c.Bool("replace"),
	})
	if err != nil {
		return err
	}
	reportSets(c, outcomes)
	return checkpoint(c.Context, db)
}

// reportSets says what became of token sets.
func reportSets(c *cli.Context, outcomes []loader.SetsOutcome) {
	for _, o := range outcomes {
		for _, note := range o.Notes {
			fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s\n", note)
		}
		if o.FromTable {
			fmt.Fprintf(c.App.Writer, "token sets of model %s from user_token_sets: %d added, %d replaced, %d dropped, %d unchanged\n",
				o.Model, o.Added, o.Replaced, o.Dropped, o.Unchanged)
			continue
		}
		fmt.Fprintf(c.App.Writer, "token sets of model %s: %d added, %d replaced, %d unchanged\n", o.Model, o.Added, o.Replaced, o.Unchanged)
	}
}
