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
	if c.Args().Present() {
		return wrongUsage("upgrade: expected no argument, found %q", c.Args().First())
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := requireTables(c.Context, db, "upgrade", c.String("db")); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s has schema version %d\n", c.String("db"), schema.Version)
	return checkpoint(c.Context, db)
}
