package main

import (
	"context"
	"fmt"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/urfave/cli/v2"
)

var computeCommand = &cli.Command{
	Name:  "compute",
	Usage: "compute the statistics of every feature that lacks them",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "sae", Usage: "only SAEs whose name, or release/name, matches the glob `PATTERN`"},
		&cli.StringFlag{Name: "tokens", Usage: "which columns of the unembedding count: `all` (the default), or real, without padding and special tokens"},
	},
	Action: computeStatistics,
}

// scanMemory bounds DuckDB's buffers in bytes: enough to read decoders and to
// write figures, not so much that it keeps what it has read.
const scanMemory = 256 << 20

func computeStatistics(c *cli.Context) error {
	if c.Args().Present() {
		return wrongUsage("compute: expected no argument, found %q", c.Args().First())
	}
	if tokens := c.String("tokens"); tokens != "" && tokens != statistics.AllTokens && tokens != statistics.RealTokens {
		return wrongUsage("compute: --tokens: expected all or real, found %q", tokens)
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true, MemoryLimit: scanMemory})
	if err != nil {
		return err
	}
	defer db.Close()
	defer db.Functions.During(c.Context)()
	if err := requireTables(c.Context, db, "compute", c.String("db")); err != nil {
		return err
	}
	pending, matched, err := statistics.Plan(c.Context, db.DB, c.String("sae"), c.String("tokens"))
	if err != nil {
		return err
	}
	if matched == 0 {
		return &fault.Error{Op: "compute", Subject: c.String("db"), Problem: noSAE(c.String("sae")), Hint: "saedb info lists what is loaded"}
	}
	if len(pending) == 0 {
		fmt.Fprintf(c.App.Writer, "nothing to compute: every feature of %d SAEs has its statistics\n", matched)
		return nil
	}
	return runAll(c, db, pending)
}

func noSAE(pattern string) string {
	if pattern == "" {
		return "no SAE is loaded"
	}
	return fmt.Sprintf("no SAE matches %q", pattern)
}

func runAll(c *cli.Context, db *saedb.DB, pending []statistics.Pending) error {
	kernel, err := compute.DefaultKernel()
	if err != nil {
		return &fault.Error{Op: "compute", Err: err}
	}
	job := &statistics.Job{DB: db.DB, Version: saedb.Version, Kernel: kernel}
	for _, p := range pending {
		begun := time.Now()
		end := watch(db, p.SAE, int64(p.Features), "features")
		err := job.Run(c.Context, p)
		end()
		if err != nil {
			return err
		}
		took := time.Since(begun).Seconds()
		fmt.Fprintf(c.App.Writer, "computed %s: %d features, %s tokens, %.1f s (%.0f features/s)\n",
			p.SAE, p.Features, p.Tokens, took, float64(p.Features)/took)
	}
	return checkpoint(c.Context, db)
}

// checkpoint moves what was written from the log into the file itself, which
// old clients cannot do when they open it.
func checkpoint(ctx context.Context, db *saedb.DB) error {
	_, err := db.ExecContext(ctx, "CHECKPOINT")
	return err
}
