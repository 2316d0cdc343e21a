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
	Usage: "compute the statistics, and the enrichment in token sets, of every feature that lacks them",
	Flags: []cli.Flag{
		saeFlag, layerFlag,
		&cli.IntFlag{
			Name: "baseline", DefaultText: "those that there are, or 4096", Value: statistics.KeepBaseline,
			Usage: "hold figures against `N` random directions, computed once a model and choice of tokens; 0 for none",
		},
		&cli.StringFlag{Name: "tokens", Usage: "which columns of the unembedding count: `all` (the default), or real, without padding and special tokens"},
	},
	Action: computeStatistics,
}

func computeStatistics(c *cli.Context) error {
	if c.Args().Present() {
		return wrongUsage("compute: expected no argument, found %q", c.Args().First())
	}
	if tokens := c.String("tokens"); tokens != "" && tokens != statistics.AllTokens && tokens != statistics.RealTokens {
		return wrongUsage("compute: --tokens: expected all or real, found %q", tokens)
	}
	saes, err := saeWords(c)
	if err != nil {
		return err
	}
	if err := statistics.CheckBaseline(c.Int("baseline")); err != nil {
		return wrongUsage("%v", err)
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := requireTables(c.Context, db, "compute", c.String("db")); err != nil {
		return err
	}
	pending, matched, err := statistics.Plan(c.Context, db.DB, saes, c.String("tokens"))
	if err != nil {
		return err
	}
	sets, err := newLoader(c, db).UserSets(c.Context)
	if err != nil {
		return err
	}
	reportSets(c, sets)
	if err := boundBuffers(c.Context, db); err != nil {
		return err
	}
	kernel, err := compute.DefaultKernel()
	if err != nil {
		return &fault.Error{Op: "compute", Err: err}
	}
	job := &statistics.Job{DB: db.DB, Version: saedb.Version, Kernel: kernel, Baseline: c.Int("baseline"), Alone: true}
	if err := computeAll(c, db, job, pending); err != nil {
		return err
	}
	enriched, err := enrichAll(c, db, job, saes)
	if err != nil {
		return err
	}
	if len(pending) == 0 && len(sets) == 0 && !enriched {
		fmt.Fprintf(c.App.Writer, "nothing to compute: every feature of %d SAEs has its figures\n", matched)
		return nil
	}
	return checkpoint(c.Context, db)
}

// boundBuffers gives DuckDB enough memory to read decoders and to write figures,
// and not so much that it keeps what it has read: a few vectors of 2,048
// directions (four are in use at a time) beside 96 MiB for the rest.
func boundBuffers(ctx context.Context, db *saedb.DB) error {
	var dModel int64
	if err := db.QueryRowContext(ctx, "SELECT coalesce(max(d_model), 0) FROM stored_saes").Scan(&dModel); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, fmt.Sprintf("SET memory_limit = '%dB'", 96<<20+6*2048*4*dModel))
	return err
}

// computeAll computes the statistics of one SAE after the other.
func computeAll(c *cli.Context, db *saedb.DB, job *statistics.Job, pending []statistics.Pending) error {
	for _, p := range pending {
		if err := ensureBaseline(c, db, job, p.Model, p.Tokens); err != nil {
			return err
		}
		begun := time.Now()
		ctx, end := watch(c.Context, p.SAE, int64(p.Features), "features")
		err := job.Run(ctx, p)
		end()
		if err != nil {
			return err
		}
		took := time.Since(begun).Seconds()
		scored := ""
		if p.Sets > 0 {
			scored = fmt.Sprintf(" and their enrichment in %d token sets", p.Sets)
		}
		fmt.Fprintf(c.App.Writer, "computed %s: %d features%s, %s tokens, %.1f s (%.0f features/s)\n",
			p.SAE, p.Features, scored, p.Tokens, took, float64(p.Features)/took)
	}
	return nil
}

// ensureBaseline computes what is lacking of a model's baseline.
func ensureBaseline(c *cli.Context, db *saedb.DB, job *statistics.Job, model, tokens string) error {
	begun := time.Now()
	ctx, end := watch(c.Context, "baseline of "+model, 0, "random directions")
	done, err := job.EnsureBaseline(ctx, model, tokens)
	end()
	if err != nil || done.Directions == 0 {
		return err
	}
	scored := ""
	if done.Sets > 0 {
		scored = fmt.Sprintf(" in %d token sets", done.Sets)
	}
	fmt.Fprintf(c.App.Writer, "computed baseline of %s: %d random directions%s, %s tokens, %.1f s\n",
		model, done.Directions, scored, tokens, time.Since(begun).Seconds())
	return nil
}

// enrichAll scores token sets, where any are loaded, for one SAE after the other.
func enrichAll(c *cli.Context, db *saedb.DB, job *statistics.Job, saes string) (any bool, err error) {
	pending, err := statistics.PlanEnrichment(c.Context, db.DB, saes, job.Baseline)
	if err != nil {
		return false, err
	}
	for _, p := range pending {
		if err := ensureBaseline(c, db, job, p.Model, p.Tokens); err != nil {
			return true, err
		}
		begun := time.Now()
		ctx, end := watch(c.Context, p.SAE+", token sets", int64(p.Features), "features")
		err := job.RunEnrichment(ctx, p)
		end()
		if err != nil {
			return true, err
		}
		if p.Sets == 0 {
			fmt.Fprintf(c.App.Writer, "adjusted p- and q-values of %s\n", p.SAE)
			continue
		}
		took := time.Since(begun).Seconds()
		fmt.Fprintf(c.App.Writer, "scored %s: %d features in %d token sets, %.1f s (%.0f scores/s)\n",
			p.SAE, p.Features, p.Sets, took, float64(p.Features*p.Sets)/took)
	}
	return len(pending) > 0, nil
}
