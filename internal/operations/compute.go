package operations

import (
	"context"
	"time"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
)

// ComputeRequest says what is computed.
type ComputeRequest struct {
	SAEs     string // words for them, "" for all
	Tokens   string // statistics.AllTokens or RealTokens; "" for what was computed before, or all
	Baseline int    // how many random directions: statistics.KeepBaseline for those there are, 0 for none
	// What random directions are like: statistics.Isotropic or LikeSAE, "" for what they are.
	BaselineLike string
	Side         string // statistics.OutputSide, InputSide or BothSides; "" for the output
	Alone        bool   // see statistics.Job

	// TakenIn is told of the token sets of the table user_token_sets that changed, before
	// anything is computed, Done of each piece that is, and Block of each block of features
	// or scores, which is committed by then; its error ends the computation. Each may be nil.
	TakenIn func([]loader.SetsOutcome)
	Done    func(Computed)
	Block   func(Computed) error
}

// What is computed.
const (
	Baseline   = "baseline"
	Statistics = "statistics" // and enrichment, where the model has token sets
	Enrichment = "enrichment"
	Input      = "input" // statistics of the input side
)

// Computed is a piece of what a computation has done.
type Computed struct {
	Kind     string
	Of       string // the SAE, or the model of a baseline
	Like     string // the SAE whose directions those of a baseline are like, if any
	Features int    // or random directions
	Sets     int    // token sets that they were scored in; none where only q-values were lacking
	Tokens   string
	Took     time.Duration
}

// ComputeOutcome is what a computation came to.
type ComputeOutcome struct {
	SAEs    int  // that the words mean
	Changed bool // false where all figures were there
}

// Job computes in the database, with p-values against so many random directions.
func (d *Database) Job(baseline int) (*statistics.Job, error) {
	kernel, err := compute.DefaultKernel()
	return &statistics.Job{DB: d.DB, Version: version.Number, Kernel: kernel, Baseline: baseline}, err
}

// Compute computes the figures of every feature that lacks them, and the baselines that they
// are held against.
func (d *Database) Compute(ctx context.Context, r ComputeRequest) (outcome ComputeOutcome, err error) {
	if err := d.Require(ctx); err != nil {
		return outcome, fault.At("compute", "", err)
	}
	if err := statistics.CheckBaselineKind(r.BaselineLike, r.Baseline); err != nil {
		return outcome, err
	}
	if err := statistics.CheckSide(r.Side); err != nil {
		return outcome, err
	}
	job, err := d.Job(r.Baseline)
	if err != nil {
		return outcome, fault.At("compute", "", err)
	}
	job.BaselineLike, job.Alone = r.BaselineLike, r.Alone
	c := &computation{d, r, job}
	if r.Side == statistics.BothSides { // what the input side lacks is said before anything is computed
		if _, _, err := job.PlanInput(ctx, r.SAEs, r.Tokens); err != nil {
			return outcome, err
		}
	}
	if r.Side != statistics.InputSide {
		if err := c.output(ctx, &outcome); err != nil || r.Side != statistics.BothSides {
			return outcome, err
		}
	}
	return outcome, c.input(ctx, &outcome)
}

type computation struct {
	*Database
	ComputeRequest
	job *statistics.Job
}

// output computes the figures of what features write, with their enrichment.
func (c *computation) output(ctx context.Context, outcome *ComputeOutcome) error {
	pending, matched, err := statistics.Plan(ctx, c.DB, c.SAEs, c.Tokens)
	if err != nil {
		return err
	}
	outcome.SAEs = matched
	sets, err := c.Loader().UserSets(ctx)
	if err != nil {
		return err
	}
	if c.TakenIn != nil {
		c.TakenIn(sets)
	}
	for _, p := range pending {
		of := Computed{Kind: Statistics, Of: p.SAE, Features: p.Features, Sets: p.Sets, Tokens: p.Tokens}
		if err := c.piece(ctx, of, p.Model, func(ctx context.Context) error { return c.job.Run(ctx, p) }); err != nil {
			return err
		}
	}
	// Planned now: what was just computed has its scores.
	enrichment, err := c.job.PlanEnrichment(ctx, c.SAEs)
	if err != nil {
		return err
	}
	for _, p := range enrichment {
		of := Computed{Kind: Enrichment, Of: p.SAE, Features: p.Features, Sets: p.Sets, Tokens: p.Tokens}
		if err := c.piece(ctx, of, p.Model, func(ctx context.Context) error { return c.job.RunEnrichment(ctx, p) }); err != nil {
			return err
		}
	}
	outcome.Changed = len(pending)+len(sets)+len(enrichment) > 0
	return nil
}

// input computes the figures of what excites features, of the SAEs with encoders.
func (c *computation) input(ctx context.Context, outcome *ComputeOutcome) error {
	pending, matched, err := c.job.PlanInput(ctx, c.SAEs, c.Tokens)
	if err != nil {
		return err
	}
	outcome.SAEs = max(outcome.SAEs, matched)
	for _, p := range pending {
		of := Computed{Kind: Input, Of: p.SAE, Features: p.Features, Tokens: p.Tokens}
		if err := c.piece(ctx, of, p.Model, func(ctx context.Context) error { return c.job.RunInput(ctx, p) }); err != nil {
			return err
		}
	}
	outcome.Changed = outcome.Changed || len(pending) > 0
	return nil
}

// piece computes what is lacking of an SAE, after its model's baseline.
func (c *computation) piece(ctx context.Context, of Computed, model string, run func(context.Context) error) error {
	like := of.Of
	if of.Kind == Input {
		like = "" // it is held against isotropic directions
	}
	if err := c.baseline(ctx, model, of.Tokens, like); err != nil {
		return err
	}
	what := of.Of
	switch of.Kind {
	case Enrichment:
		what += ", token sets"
	case Input:
		what += ", input side"
	}
	return c.inBlocks(ctx, c.job, what, of.Features, run, func(features int, took time.Duration) error {
		if c.Block == nil {
			return nil
		}
		part := of
		part.Features, part.Took = features, took
		return c.Block(part)
	}, func(took time.Duration) {
		if c.Done != nil {
			of.Took = took
			c.Done(of)
		}
	})
}

// inBlocks runs what computes so many features with a job, with progress. Block is told of each
// block that is committed, and its error ends the computation; done of the end of all.
func (d *Database) inBlocks(ctx context.Context, job *statistics.Job, what string, features int, run func(context.Context) error,
	block func(features int, took time.Duration) error, done func(took time.Duration)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun := time.Now()
	since := begun
	job.Done = func(features int) {
		if err := block(features, time.Since(since)); err != nil {
			cancel(err)
		}
		since = time.Now()
	}
	watched, end := d.watch(ctx, what, int64(features), "features")
	err := run(watched)
	end()
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx) // which is the block's, where it has one
	}
	if err == nil {
		done(time.Since(begun))
	}
	return err
}

func (c *computation) baseline(ctx context.Context, model, tokens, sae string) error {
	begun := time.Now()
	watched, end := c.watch(ctx, "baseline of "+model, 0, "random directions")
	done, err := c.job.EnsureBaseline(watched, model, tokens, sae)
	end()
	if err == nil && done.Directions > 0 && c.Done != nil {
		of := Computed{Kind: Baseline, Of: model, Features: done.Directions, Sets: done.Sets, Tokens: tokens, Took: time.Since(begun)}
		if done.Like {
			of.Like = sae
		}
		c.Done(of)
	}
	return err
}
