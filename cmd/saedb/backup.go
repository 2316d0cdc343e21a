package main

import (
	"fmt"

	"github.com/saedb/saedb"
	"github.com/urfave/cli/v2"
)

var backupCommand = &cli.Command{
	Name:      "backup",
	Usage:     "make a copy of the database, while others may read it",
	ArgsUsage: "FILE",
	Flags:     []cli.Flag{&cli.BoolFlag{Name: "replace", Usage: "replace a FILE that is there, once the new one is whole"}},
	Description: "The copy is one file, the log taken in. It is written beside FILE, read wholly, compared with the database and\n" +
		"checked, and only then given its name; a database that is damaged is not copied.",
	Action: func(c *cli.Context) error {
		return copyDatabase(c, "backup", func(file string) (from, to string) { return c.String("db"), file })
	},
}

var restoreCommand = &cli.Command{
	Name:      "restore",
	Usage:     "make the database of a copy that backup made",
	ArgsUsage: "FILE",
	Flags:     []cli.Flag{&cli.BoolFlag{Name: "replace", Usage: "replace the database that is there, once the new one is whole"}},
	Description: "FILE is read wholly and checked first, its copy written beside the database, compared with FILE and checked. Only then\n" +
		"does it take the database's place: until then what was there stays as it was. FILE stays too.",
	Action: func(c *cli.Context) error {
		return copyDatabase(c, "restore", func(file string) (from, to string) { return file, c.String("db") })
	},
}

// copyDatabase copies a database to a file, or a file to a database, as paths says.
func copyDatabase(c *cli.Context, op string, paths func(file string) (from, to string)) error {
	if c.NArg() != 1 {
		return wrongUsage("%s: expected one FILE, found %d", op, c.NArg())
	}
	if err := requireName(c); err != nil {
		return err
	}
	from, to := paths(c.Args().First())
	show, finish := writtenBar(op)
	size, err := saedb.Copy(c.Context, saedb.CopyRequest{
		Op: op, From: from, To: to, Replace: c.Bool("replace"), Progress: show,
	})
	finish()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%s is a copy of %s: %.1f MB, compared and checked\n", to, from, float64(size)/1e6)
	return nil
}
