package main

import (
	"fmt"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
	"github.com/urfave/cli/v2"
)

var upgradeCommand = &cli.Command{
	Name:  "upgrade",
	Usage: "bring a database of an older saedb up to date",
	Description: "Whatever writes to a database of an older saedb upgrades it first; this does nothing else. All of the database is\n" +
		"upgraded or nothing. Keep a copy where the older saedb is to read it.",
	Action: upgrade,
}

func upgrade(c *cli.Context) error {
	db, err := openLoaded(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	fmt.Fprintf(c.App.Writer, "%s has schema version %d\n", c.String("db"), schema.Version)
	return checkpoint(c.Context, db)
}
