package operations

import (
	"context"
	"time"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/internal/version"
	"github.com/saedb/saedb/loader"
	schema "github.com/saedb/saedb/sql"
)

// ComputeRequest says what is computed.
type ComputeRequest struct {
	SAEs     string // words for them, "" for all
	Tokens   string // statistics.AllTokens or RealTokens; "" for what was computed before, or all
	Baseline int    // how many random directions: statistics.KeepBaseline for those there are, 0 for none
	// What random directions are like: statistics.Isotropic or LikeSAE, "" for what they are.
	BaselineLike string
	Side         string // statistics.OutputSide, InputSide or BothSides; "" for the output
	Lens         string // name of a lens that the output side is taken through; "" for none
	// RankCorrelation adds the rank correlation of each feature's logit weights with those through
	// Lens, for which the vocabulary is multiplied and ranked twice more a feature.
	RankCorrelation bool
	Alone           bool // see statistics.Job

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
	// RankCorrelation is that of logit weights with those through a lens.
	RankCorrelation = "rank correlation"
)

// Computed is a piece of what a computation has done.
type Computed struct {
	Kind     string
	Side     string // statistics.OutputSide or InputSide
	Lens     string // that the directions go through, if any
	Of       string // the SAE, or the model of a baseline
	Like     string // the SAE whose directions those of a baseline are like, if any
	Features int    // or random directions
	Sets     int    // token sets that they were scored in; none where only q-values were lacking
	Counted  bool   // that only what the scores come to by token set was lacking
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
	if r.RankCorrelation && r.Lens == "" {
		return outcome, &fault.Error{Op: "compute", Problem: "the rank correlation is of logit weights with those through a lens, and none is named", Hint: "--lens NAME"}
	}
	job, err := d.Job(r.Baseline)
	if err != nil {
		return outcome, fault.At("compute", "", err)
	}
	job.BaselineLike, job.Alone = r.BaselineLike, r.Alone
	c := &computation{d, r, job, map[string]bool{}}
	sides := schema.Sides
	if r.Side != statistics.BothSides {
		sides = sides[:1]
		if r.Side == statistics.InputSide {
			sides = schema.Sides[1:]
		}
	}
	if r.Lens != "" {
		through, err := d.through(ctx, r)
		if err != nil {
			return outcome, fault.At("compute", "", err)
		}
		sides = []schema.Side{through}
	}
	for _, side := range sides { // what is wrong is said before anything is done
		if _, _, err := statistics.PlanOf(ctx, d.DB, side, r.SAEs, r.Tokens); err != nil {
			return outcome, err
		}
	}
	sets, err := c.Loader().UserSets(ctx)
	if err != nil {
		return outcome, err
	}
	if c.TakenIn != nil {
		c.TakenIn(sets)
	}
	outcome.Changed = len(sets) > 0
	for _, side := range sides {
		if err := c.side(ctx, side, &outcome); err != nil {
			return outcome, err
		}
	}
	return outcome, nil
}

type computation struct {
	*Database
	ComputeRequest
	job   *statistics.Job
	known map[string]bool // the SAEs whose files are known to be unchanged
}

// side computes the figures of one side of features, with their enrichment.
func (c *computation) side(ctx context.Context, side schema.Side, outcome *ComputeOutcome) error {
	pending, matched, err := statistics.PlanOf(ctx, c.DB, side, c.SAEs, c.Tokens)
	if err != nil {
		return err
	}
	outcome.SAEs = max(outcome.SAEs, matched)
	for _, p := range pending {
		of := Computed{Kind: Statistics, Side: side.Name, Lens: side.Lens.Name, Of: p.SAE, Features: p.Features, Sets: p.Sets, Tokens: p.Tokens}
		if err := c.piece(ctx, p.Side(), of, p.Model, func(ctx context.Context) error { return c.job.Run(ctx, p) }); err != nil {
			return err
		}
	}
	// Planned now: what was just computed has its scores.
	enrichment, err := c.job.PlanEnrichment(ctx, side, c.SAEs)
	if err != nil {
		return err
	}
	for _, p := range enrichment {
		of := Computed{Kind: Enrichment, Side: side.Name, Lens: side.Lens.Name, Of: p.SAE, Features: p.Features, Sets: p.Sets, Tokens: p.Tokens, Counted: p.Counted}
		if err := c.piece(ctx, p.Side(), of, p.Model, func(ctx context.Context) error { return c.job.RunEnrichment(ctx, p) }); err != nil {
			return err
		}
	}
	outcome.Changed = outcome.Changed || len(pending)+len(enrichment) > 0
	if c.RankCorrelation {
		return c.correlations(ctx, side, outcome)
	}
	return nil
}

// correlations computes how far a side's lens moves features that have their figures.
func (c *computation) correlations(ctx context.Context, side schema.Side, outcome *ComputeOutcome) error {
	pending, err := statistics.PlanCorrelations(ctx, c.DB, side, c.SAEs)
	if err != nil {
		return err
	}
	for _, p := range pending {
		of := Computed{Kind: RankCorrelation, Side: side.Name, Lens: side.Lens.Name, Of: p.SAE, Features: p.Features, Tokens: p.Tokens}
		if err := c.unchanged(ctx, "compute", c.known, of.Of); err != nil {
			return err
		}
		if err := c.pieceOf(ctx, of, func(ctx context.Context) error { return c.job.RunCorrelations(ctx, p) }); err != nil {
			return err
		}
	}
	outcome.Changed = outcome.Changed || len(pending) > 0
	return nil
}

// piece computes what is lacking of an SAE, after its model's baseline.
func (c *computation) piece(ctx context.Context, side schema.Side, of Computed, model string, run func(context.Context) error) error {
	if err := c.unchanged(ctx, "compute", c.known, of.Of); err != nil { // which the baseline may be like
		return err
	}
	if err := c.baseline(ctx, side, model, of.Tokens, of.Of); err != nil {
		return err
	}
	return c.pieceOf(ctx, of, run)
}

// pieceOf computes a piece, with progress, and tells of it.
func (c *computation) pieceOf(ctx context.Context, of Computed, run func(context.Context) error) error {
	what := of.Of
	switch of.Kind {
	case Enrichment:
		what += ", token sets"
	case RankCorrelation:
		what += ", rank correlations"
	}
	if of.Side == statistics.InputSide {
		what += ", input side"
	}
	if of.Lens != "" {
		what += ", through " + of.Lens
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

func (c *computation) baseline(ctx context.Context, side schema.Side, model, tokens, sae string) error {
	begun := time.Now()
	watched, end := c.watch(ctx, "baseline of "+schema.ReaderName(model, side.Reader), 0, "random directions")
	done, err := c.job.EnsureBaseline(watched, side, model, tokens, sae)
	end()
	if err == nil && done.Directions > 0 && c.Done != nil {
		of := Computed{Kind: Baseline, Side: side.Name, Lens: side.Lens.Name, Of: model, Features: done.Directions, Sets: done.Sets, Tokens: tokens, Took: time.Since(begun)}
		if done.Like {
			of.Like = sae
		}
		c.Done(of)
	}
	return err
}
