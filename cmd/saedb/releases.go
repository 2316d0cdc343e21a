package main

import (
	"fmt"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/output"
	"github.com/saedb/saedb/loader/hub/catalogue"
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

// What releases prints: the releases, or the SAEs of one.
const (
	releasesQuery = `SELECT release, model, count(*) AS saes, min(layer) AS first_layer, max(layer) AS last_layer,
			list_sort(list(DISTINCT width)) AS widths, any_value(repository) AS repository
		FROM releases() WHERE contains(lower(concat_ws(chr(10), release, repository, model)), lower(?)) GROUP BY release, model ORDER BY release`
	saesQuery = `SELECT sae, layer, hook, width, l0, neuronpedia_id, repository || '/' || path AS source
		FROM releases() WHERE release = ? ORDER BY layer, width, l0, sae`
)

func listReleases(c *cli.Context) error {
	if c.NArg() > 1 {
		return wrongUsage("releases: expected at most one TEXT, found %d", c.NArg())
	}
	format, err := output.ParseFormat(c.String("format"))
	if err != nil {
		return wrongUsage("releases: --format: %v", err)
	}
	text := c.Args().First()
	found, err := catalogue.Releases(text)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return &fault.Error{
			Op: "releases", Subject: fmt.Sprintf("%q", text), Problem: "no release, repository or model has that in its name",
			Hint: "saedb releases lists all; other repositories can be loaded by their name, saedb load sae org/name/path",
		}
	}
	query := releasesQuery
	if _, err := catalogue.Find(text); err == nil {
		query = saesQuery
	}
	db, err := saedb.Open(c.Context, "", saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(c.Context, query, text)
	if err != nil {
		return err
	}
	defer rows.Close()
	_, err = output.Write(c.App.Writer, format, rows)
	return err
}
