package procedures

import (
	"context"
	"database/sql"
	"time"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/udf/capi"
)

// computeStatistics is saedb compute. It hands out a row for each block of features,
// which is committed by then: an interrupted call loses at most the one under way.
var computeStatistics = procedure{
	name: "saedb_compute", named: []string{"sae", "tokens", "database"},
	columns: []capi.Field{
		{Name: "sae", Type: capi.Varchar}, {Name: "computed", Type: capi.Varchar},
		{Name: "features", Type: capi.Bigint}, {Name: "token_sets", Type: capi.Bigint}, {Name: "seconds", Type: capi.Double},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.within(ctx, a.named["database"], func(db *sql.DB) error {
			if err := requireTables(ctx, db); err != nil {
				return err
			}
			kernel, err := compute.DefaultKernel()
			if err != nil {
				return err
			}
			c := &computation{job: statistics.Job{DB: db, Version: version.Number, Kernel: kernel, Baseline: statistics.KeepBaseline}, row: row}
			if err := c.statistics(ctx, a.named["sae"], a.named["tokens"]); err != nil {
				return err
			}
			return c.enrichment(ctx, a.named["sae"])
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
	pending, err := statistics.PlanEnrichment(ctx, c.job.DB, words, c.job.Baseline)
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
