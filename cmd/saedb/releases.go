package main

import (
	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/output"
	"github.com/urfave/cli/v2"
)

var releasesCommand = &cli.Command{
	Name:      "releases",
	Usage:     "list the published SAEs that load sae --release finds",
	ArgsUsage: "[TEXT]",
	Description: "TEXT is a part of the release's, repository's or model's name; the name of a release lists its SAEs.\n" +
		"In SQL: FROM releases. Nothing is downloaded.",
	Flags:  []cli.Flag{&cli.StringFlag{Name: "format", Usage: "`FORMAT` of the list: " + formats(), Value: "table"}},
	Action: listReleases,
}

func listReleases(c *cli.Context) error {
	if c.NArg() > 1 {
		return wrongUsage("releases: expected at most one TEXT, found %d", c.NArg())
	}
	format, err := output.ParseFormat(c.String("format"))
	if err != nil {
		return wrongUsage("releases: --format: %v", err)
	}
	text := c.Args().First()
	query, err := operations.ReleasesQuery(text)
	if err != nil {
		return err
	}
	db, err := saedb.Open(c.Context, "", saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(c.Context, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = output.Write(c.App.Writer, format, rows)
	return err
}
