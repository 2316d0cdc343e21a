package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/progress"
	"github.com/saedb/saedb/loader/hub"
	"github.com/urfave/cli/v2"
)

// openDatabase opens the file that --db names.
func openDatabase(c *cli.Context, o saedb.Options) (*saedb.DB, error) {
	if err := requireName(c); err != nil {
		return nil, err
	}
	return open(c, o)
}

// open opens the file that --db names, or one in memory. It says so when that is of
// an older saedb and upgraded.
func open(c *cli.Context, o saedb.Options) (*saedb.DB, error) {
	path := c.String("db")
	o.Watch = watch
	o.Hub = func() (*hub.Client, error) { return newHubClient(c) }
	o.Upgrading = func(from, to int) {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: upgrading %s from schema version %d to %d\n", path, from, to)
	}
	o.LogCut = func(kept string) {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: the end of %s.wal was torn, as a loss of power leaves it, and was cut off; the whole log is kept as %s\n", path, kept)
	}
	return saedb.Open(c.Context, path, o)
}

// requireName makes sure that --db names a file, before work that takes time.
func requireName(c *cli.Context) error {
	if c.String("db") == "" {
		return wrongUsage("%s: which database? saedb --db FILE %s", c.Command.FullName(), c.Command.FullName())
	}
	return nil
}

// openLoaded opens the file that --db names, which must have saedb's tables.
func openLoaded(c *cli.Context, o saedb.Options) (*saedb.DB, error) {
	db, err := openDatabase(c, o)
	if err != nil {
		return nil, err
	}
	if err := db.Require(c.Context); err != nil {
		db.Close()
		return nil, fault.At(c.Command.FullName(), c.String("db"), err)
	}
	return db, nil
}

// checkpoint moves what was written from the log into the file itself, which
// old clients cannot do when they open it. Where it fails, as on a full disk, what was
// committed is in the log still, and whoever opens the file reads both.
func checkpoint(ctx context.Context, db *saedb.DB) error {
	_, err := db.ExecContext(ctx, "CHECKPOINT")
	if err == nil || ctx.Err() != nil {
		return err
	}
	// Where the checkpoint of the last commit failed, DuckDB answers no query any more.
	return &fault.Error{
		Op: "checkpoint", Subject: db.Path(), Err: err,
		Problem: "what was reported as done is stored, but in " + filepath.Base(db.Path()) + ".wal beside the file, which must stay with it",
		Hint:    "make room; the next command that writes moves it into the file",
	}
}

// begin shows a bar on a terminal, of as many units as there are.
func begin(what string, total int64, unit string) (add func(int64), end func()) {
	bar := progress.New(os.Stderr, what, total, unit)
	return bar.Add, bar.Finish
}

// watch shows on a terminal the rows that SQL functions finish in statements of the
// context that it returns.
func watch(ctx context.Context, what string, rows int64, unit string) (watched context.Context, end func()) {
	add, end := begin(what, rows, unit)
	return saedb.WithProgress(ctx, add), end
}
