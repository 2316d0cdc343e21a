package main

import (
	"context"
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
		&cli.BoolFlag{Name: "read-only", Usage: "write nothing; others may read the database at the same time"},
	},
	Description: "Without --db it runs on an empty database in memory, in which files can still be read:\n" +
		`saedb sql "FROM sae_info('path/to/sae')"`,
	Action: runSQL,
}

func runSQL(c *cli.Context) error {
	if c.NArg() > 1 {
		return wrongUsage("sql: expected one query, found %d arguments; is it quoted?", c.NArg())
	}
	format, err := output.ParseFormat(c.String("format"))
	if err != nil {
		return wrongUsage("sql: --format: %v", err)
	}
	db, err := open(c, saedb.Options{MustExist: true, ReadOnly: c.Bool("read-only")})
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(c.Context)
	if err != nil {
		return err
	}
	defer conn.Close()
	var script io.Reader = os.Stdin
	if c.NArg() == 1 {
		script = strings.NewReader(c.Args().First())
	} else if term.IsTerminal(int(os.Stdin.Fd())) {
		// Ctrl-C in the shell ends a statement, not the shell, which minds it itself.
		return shell.Run(context.WithoutCancel(c.Context), conn, os.Stdin, c.App.Writer, c.App.ErrWriter, shell.Options{
			Format: format, OnStatement: func(ctx context.Context) func() { return db.Functions.During(ctx) },
		})
	}
	defer db.Functions.During(c.Context)()
	return shell.Execute(c.Context, conn, script, c.App.Writer, format)
}

// formats lists the formats of results, the default first.
func formats() string {
	var names []string
	for _, f := range output.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}
