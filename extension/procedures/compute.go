package procedures

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/udf/capi"
)

// computeStatistics is saedb compute. It hands out a row for each block of features,
// which is committed by then: an interrupted call loses at most the one under way.
var computeStatistics = procedure{
	name: "saedb_compute", named: []string{"sae", "tokens", "baseline", "baseline_like", "database"},
	columns: []capi.Field{
		{Name: "sae", Type: capi.Varchar}, {Name: "computed", Type: capi.Varchar},
		{Name: "features", Type: capi.Bigint}, {Name: "token_sets", Type: capi.Bigint}, {Name: "seconds", Type: capi.Double},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		directions, err := a.baseline()
		if err != nil {
			return err
		}
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			job, err := newJob(ctx, db, directions)
			if err != nil {
				return err
			}
			job.BaselineLike = a.named["baseline_like"]
			if err := statistics.CheckBaselineKind(job.BaselineLike, directions); err != nil {
				return err
			}
			c := &computation{job: job, row: row}
			if err := c.statistics(ctx, a.named["sae"], a.named["tokens"]); err != nil {
				return err
			}
			return c.enrichment(ctx, a.named["sae"])
		})
	},
}

// newJob is a job in a database of saedb's, with p-values against so many random directions.
func newJob(ctx context.Context, db *sql.DB, directions int) (statistics.Job, error) {
	if err := requireTables(ctx, db); err != nil {
		return statistics.Job{}, err
	}
	kernel, err := compute.DefaultKernel()
	return statistics.Job{DB: db, Version: version.Number, Kernel: kernel, Baseline: directions}, err
}

// baseline is the named argument that says how many random directions p-values are against:
// by default those that there are.
func (a arguments) baseline() (directions int, err error) {
	text := a.named["baseline"]
	if text == "" {
		return statistics.KeepBaseline, nil
	}
	directions, err = strconv.Atoi(text)
	if err != nil || directions < 0 || statistics.CheckBaseline(directions) != nil {
		return 0, unknown("baseline", text, fmt.Sprintf("0, for none, or a number of random directions from %d", baseline.LeastDirections))
	}
	return directions, nil
}

// makeBaseline makes sure that a model's isotropic baseline is there, with a null for each of its token
// sets, as saedb compute does before features; for those that are computed elsewhere.
var makeBaseline = procedure{
	name: "saedb_baseline", parameters: 1, named: []string{"tokens", "baseline", "database"},
	columns: []capi.Field{{Name: "baseline_id", Type: capi.Bigint}, {Name: "seed", Type: capi.Bigint}, {Name: "directions", Type: capi.Bigint}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		directions, err := a.baseline()
		if err != nil {
			return err
		}
		model, tokens := a.positions[0], a.named["tokens"]
		if tokens == "" {
			tokens = statistics.AllTokens
		}
		if tokens != statistics.AllTokens && tokens != statistics.RealTokens {
			return unknown("tokens", tokens, statistics.AllTokens+" or "+statistics.RealTokens)
		}
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			job, err := newJob(ctx, db, directions)
			if err != nil {
				return err
			}
			if _, err := job.EnsureBaseline(ctx, model, tokens, ""); err != nil {
				return err
			}
			b, err := job.BaselineOf(ctx, model, tokens)
			if err != nil || b.ID == 0 {
				return err
			}
			return row(int64(b.ID), int64(b.Seed), int64(b.Directions))
		})
	},
}

// computation is a job that hands out a row for each block.
type computation struct {
	job   statistics.Job
	row   func(...any) error
	begun time.Time
}

// blocks makes the job's blocks rows of an SAE. An error of row, which is that of a
// query that ended, cancels the job.
func (c *computation) blocks(cancel context.CancelFunc, sae, computed string, sets int) {
	c.begun = time.Now()
	c.job.Done = func(features int) {
		if err := c.row(sae, computed, int64(features), int64(sets), time.Since(c.begun).Seconds()); err != nil {
			cancel()
		}
		c.begun = time.Now()
	}
}

func (c *computation) statistics(ctx context.Context, words, tokens string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pending, _, err := statistics.Plan(ctx, c.job.DB, words, tokens)
	if err != nil {
		return err
	}
	for _, p := range pending {
		c.blocks(cancel, p.SAE, "statistics", p.Sets)
		if err := c.job.Run(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (c *computation) enrichment(ctx context.Context, words string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	pending, err := c.job.PlanEnrichment(ctx, words)
	if err != nil {
		return err
	}
	for _, p := range pending {
		c.blocks(cancel, p.SAE, "enrichment", p.Sets)
		if err := c.job.RunEnrichment(ctx, p); err != nil {
			return err
		}
	}
	return nil
}
