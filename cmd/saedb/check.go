package main

import (
	"fmt"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/check"
	"github.com/urfave/cli/v2"
)

var checkCommand = &cli.Command{
	Name:  "check",
	Usage: "verify the database: tables, weights against what was loaded, figures against the weights",
	Flags: []cli.Flag{
		&cli.IntFlag{Name: "sample", Usage: "compute the figures of `N` features of each SAE again", Value: check.DefaultSample},
		&cli.BoolFlag{Name: "all", Usage: "compute the figures of every feature again"},
	},
	Description: "Exit codes: 0 sound; 3 damaged, which is certain: a checksum, a hash, a rule or a figure does not hold; 1 it could not be\n" +
		"checked, or not to its end, for want of memory, a lock, permissions or a file, which says nothing about the database.",
	Action: checkDatabase,
}

// damagedError is that of a database that is certainly damaged.
type damagedError struct{ error }

func (e *damagedError) Unwrap() error { return e.error }

func checkDatabase(c *cli.Context) error {
	switch {
	case c.Int("sample") < 0:
		return wrongUsage("check: --sample: expected a number of features, found %d", c.Int("sample"))
	case c.Bool("all") && c.IsSet("sample"):
		return wrongUsage("check: expected --all or --sample, found both")
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if saedb.IsDamage(err) {
		return &damagedError{err}
	}
	if err != nil {
		return err
	}
	defer db.Close()
	out := c.App.Writer
	checker := &check.Checker{
		DB: db.DB, Sample: c.Int("sample"),
		Report: func(f check.Finding) { fmt.Fprintln(out, f) },
		Note:   func(note string) { fmt.Fprintln(out, "note: "+note) },
		Begin:  begin,
	}
	if c.Bool("all") {
		checker.Sample = check.AllFeatures
	}
	r, err := checker.Run(c.Context)
	switch {
	case c.Context.Err() != nil:
		return err
	case r.Findings > 0:
		fmt.Fprintln(out, r)
		return &damagedError{check.Damaged(c.String("db"), r, err)}
	case err != nil:
		return err
	}
	fmt.Fprintln(out, r)
	fmt.Fprintf(out, "%s is sound\n", c.String("db"))
	return nil
}
