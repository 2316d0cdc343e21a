package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/output"
	"github.com/saedb/saedb/internal/shell"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

var sqlCommand = &cli.Command{
	Name:      "sql",
	Usage:     "run SQL; without a query, a shell, or the statements on standard input",
	ArgsUsage: `["SELECT …"]`,
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "format", Usage: "`FORMAT` of results: " + formats(), Value: "table"},
		&cli.IntFlag{Name: "max-rows", Usage: "print at most `N` rows of a table, the first and the last; 0 for all", Value: output.ShownRows},
		&cli.BoolFlag{Name: "write", Usage: "open the database for writing from the start"},
		&cli.BoolFlag{Name: "read-only", Usage: "refuse statements that write"},
	},
	Description: "The database is open to be read, as others may at the same time, until a statement writes to it.\n" +
		"Without --db it runs on an empty database in memory, in which files can still be read:\n" +
		`saedb sql "FROM sae_info('path/to/sae')"`,
	Action: runSQL,
}

func runSQL(c *cli.Context) error {
	if c.NArg() > 1 {
		return wrongUsage("sql: expected one query, found %d arguments; is it quoted?", c.NArg())
	}
	format, err := output.ParseFormat(c.String("format"))
	switch {
	case err != nil:
		return wrongUsage("sql: --format: %v", err)
	case c.Int("max-rows") < 0:
		return wrongUsage("sql: --max-rows: expected a number of rows, 0 for all, found %d", c.Int("max-rows"))
	case c.Bool("write") && c.Bool("read-only"):
		return wrongUsage("sql: expected --write or --read-only, found both")
	}
	db, err := open(c, saedb.Options{MustExist: true, ReadOnly: c.Bool("read-only"), ReadFirst: !c.Bool("write")})
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(c.Context)
	if err != nil {
		return err
	}
	defer conn.Close()
	typing := c.NArg() == 0 && term.IsTerminal(int(os.Stdin.Fd()))
	options := shell.Options{
		Format: format, MaxRows: c.Int("max-rows"),
		Writer: writer(db, func() {
			if typing {
				fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s is open to write now, and for no other program until this one ends\n", c.String("db"))
			}
		}),
	}
	if typing {
		// Ctrl-C in the shell ends a statement, not the shell, which minds it itself.
		return shell.Run(context.WithoutCancel(c.Context), conn, os.Stdin, c.App.Writer, c.App.ErrWriter, options)
	}
	var script io.Reader = os.Stdin
	if c.NArg() == 1 {
		script = strings.NewReader(c.Args().First())
	}
	return shell.Execute(c.Context, conn, script, c.App.Writer, options)
}

// writer makes the database of a shell or script writable when a statement needs it.
// It is nil where the database is writable, stays as it is, or is in memory.
func writer(db *saedb.DB, written func()) *shell.Writer {
	if db.Name() == "" {
		return nil
	}
	return &shell.Writer{Database: db.Name(), Write: func(ctx context.Context, conn *sql.Conn) (bool, error) {
		changed, err := db.Write(ctx, conn)
		if err == nil {
			written()
		}
		return changed, err
	}}
}

// formats lists the formats of results, the default first.
func formats() string {
	var names []string
	for _, f := range output.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
