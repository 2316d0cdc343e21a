package operations

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
)

// How many are kept of each end where nobody says.
const (
	DefaultLinks      = 32
	DefaultNeighbours = 32
)

// PairsRequest says which features are multiplied with which.
type PairsRequest struct {
	Source string // words for SAEs, "" for all
	Target string // likewise, or of links a reader of neurons; of neighbours, "" for each source itself
	Top    int    // how many are kept of each end, 0 for the usual number
	Alone  bool   // see statistics.Job

	// Skipped is told of pairs that have no product, and why, before anything is computed; Done
	// of each piece that is, and Block of each block of features, which is committed by
	// then; its error ends the computation. Each may be nil.
	Skipped func(source, target string, why error)
	Done    func(ComputedPair)
	Block   func(ComputedPair) error
}

// ComputedPair is a piece of what a computation of pairs has done.
type ComputedPair struct {
	Kind       string // statistics.Outgoing, Incoming or Neighbours
	SAE, Other string // the features of SAE have lists of those of Other; one may be a reader of neurons
	Features   int
	Top        int
	Took       time.Duration
}

// PairsOutcome is what a computation of pairs came to.
type PairsOutcome struct {
	Pairs   int  // that have products
	Skipped int  // that have none
	Changed bool // false where all was there
}

// pairedSAE is what tells whether an SAE has products with another.
type pairedSAE struct {
	name, model, architecture string // the latter of the model
	hook, encoderHook         string
	encoder, weights          bool
}

func (d *Database) pairedSAEs(ctx context.Context, words string) ([]pairedSAE, error) {
	names, err := schema.MatchSAEs(ctx, d.DB, words)
	if err != nil {
		return nil, err
	}
	return schema.Rows(ctx, d.DB, func(s *pairedSAE) []any {
		return []any{&s.name, &s.model, &s.architecture, &s.hook, &s.encoderHook, &s.encoder, &s.weights}
	}, `SELECT s.sae, m.model, m.architecture, coalesce(s.hook, ''), coalesce(s.encoder_hook, ''), s.encoder_hook IS NOT NULL, NOT contains(l.conventions, ?)
		FROM stored_saes s JOIN stored_models m USING (model_id) JOIN stored_loads l ON l.load_id = s.sae_id
		WHERE `+schema.InSAEs("s.sae", names)+` ORDER BY s.release, s.layer, s.sae`, schema.WithoutWeights)
}

// alike returns an error for SAEs whose directions are not of one residual stream, or not here.
func alike(a, b pairedSAE) error {
	switch {
	case a.model != b.model:
		return fmt.Errorf("they are of the models %s and %s", a.model, b.model)
	case !a.weights:
		return fmt.Errorf("the weights of %s are not in this database", a.name)
	case !b.weights:
		return fmt.Errorf("the weights of %s are not in this database", b.name)
	}
	return nil
}

// linked returns an error that says why no feature of a source excites one of a target directly.
func linked(source, target pairedSAE) error {
	if err := alike(source, target); err != nil {
		return err
	}
	if !target.encoder {
		return fmt.Errorf("%s was loaded without its encoder (load sae --encoder adds it)", target.name)
	}
	return sae.CheckMeets(source.hook, target.encoderHook, source.architecture)
}

// ComputeLinks computes the direct weights from the features of the source SAEs to those of the
// target SAEs, both ways: the strongest targets of every source, and the strongest sources of
// every target. A target 'MODEL#mlp_in.LAYER', or mlp_gate, is the neurons of an MLP.
func (d *Database) ComputeLinks(ctx context.Context, r PairsRequest) (PairsOutcome, error) {
	if r.Top == 0 {
		r.Top = DefaultLinks
	}
	if strings.ContainsRune(r.Target, schema.ReaderMark) {
		return d.computeNeuronLinks(ctx, r)
	}
	return d.computePairs(ctx, "compute links", r, linked, func(source, target string) [][3]string {
		return [][3]string{{statistics.Outgoing, source, target}, {statistics.Incoming, target, source}}
	})
}

// ComputeNeighbours computes which decoder directions of the target SAEs are nearest to those of
// the source SAEs, and the other way round; without a target, within each source.
func (d *Database) ComputeNeighbours(ctx context.Context, r PairsRequest) (PairsOutcome, error) {
	if r.Top == 0 {
		r.Top = DefaultNeighbours
	}
	within := r.Target == ""
	if within {
		r.Target = r.Source
	}
	planned := map[[3]string]bool{}
	return d.computePairs(ctx, "compute neighbours", r, alike, func(source, target string) (pairs [][3]string) {
		if within && source != target {
			return nil
		}
		for _, pair := range [][3]string{{statistics.Neighbours, source, target}, {statistics.Neighbours, target, source}} {
			if !planned[pair] {
				planned[pair] = true
				pairs = append(pairs, pair)
			}
		}
		return pairs
	})
}

func (r PairsRequest) checkTop(op string) error {
	if r.Top < 1 || r.Top > statistics.MaxTop {
		return &fault.Error{Op: op, Subject: "top", Expected: fmt.Sprintf("1 to %d", statistics.MaxTop), Found: fmt.Sprint(r.Top)}
	}
	return nil
}

// computePairs computes what each pair of a source and a target that has products asks for.
func (d *Database) computePairs(ctx context.Context, op string, r PairsRequest, have func(source, target pairedSAE) error,
	asked func(source, target string) [][3]string) (outcome PairsOutcome, err error) {
	if err := r.checkTop(op); err != nil {
		return outcome, err
	}
	if err := d.Require(ctx); err != nil {
		return outcome, fault.At(op, "", err)
	}
	var of [2][]pairedSAE
	for i, words := range []string{r.Source, r.Target} {
		if of[i], err = d.pairedSAEs(ctx, words); err != nil {
			return outcome, fault.At(op, "", err)
		}
	}
	plan := pairPlan{request: r}
	for _, source := range of[0] {
		for _, target := range of[1] {
			pairs := asked(source.name, target.name)
			if len(pairs) == 0 {
				continue
			}
			if why := have(source, target); why != nil {
				plan.skip(source.name, target.name, why)
				continue
			}
			plan.outcome.Pairs++
			for _, pair := range pairs {
				p, err := statistics.PlanPair(ctx, d.DB, pair[0], pair[1], pair[2], r.Top)
				if err != nil {
					return plan.outcome, err
				}
				plan.add(p)
			}
		}
	}
	return d.computePlan(ctx, op, "these SAEs", plan)
}

// A pairPlan is what a request for pairs comes to.
type pairPlan struct {
	request PairsRequest
	outcome PairsOutcome
	pending []statistics.Pair // those that lack something
	skipped error             // why the first pair that has no products has none
}

// skip leaves a pair out and tells the request why.
func (p *pairPlan) skip(source, target string, why error) {
	p.outcome.Skipped++
	if p.skipped == nil {
		p.skipped = fmt.Errorf("%s to %s: %w", source, target, why)
	}
	if p.request.Skipped != nil {
		p.request.Skipped(source, target, why)
	}
}

// add takes in a pair, unless all of it is there.
func (p *pairPlan) add(pair statistics.Pair) {
	if pair.Features > 0 {
		p.pending = append(p.pending, pair)
	}
}

// computePlan computes what the pairs of a plan lack; among says of what they are pairs. A plan of
// which every pair was skipped is an error.
func (d *Database) computePlan(ctx context.Context, op, among string, plan pairPlan) (PairsOutcome, error) {
	if plan.outcome.Pairs == 0 && plan.skipped != nil {
		return plan.outcome, &fault.Error{Op: op, Problem: "no pair of " + among + " has products that stand for anything", Err: plan.skipped}
	}
	plan.outcome.Changed = len(plan.pending) > 0
	job, err := d.Job(0)
	if err != nil {
		return plan.outcome, fault.At(op, "", err)
	}
	job.Alone = plan.request.Alone
	known := map[string]bool{}
	for _, p := range plan.pending {
		if err := d.unchanged(ctx, op, known, p.SAE, p.Other); err != nil {
			return plan.outcome, err
		}
		if err := d.computePair(ctx, plan.request, job, p); err != nil {
			return plan.outcome, err
		}
	}
	return plan.outcome, nil
}

// computePair computes what a pair lacks.
func (d *Database) computePair(ctx context.Context, r PairsRequest, job *statistics.Job, p statistics.Pair) error {
	of := ComputedPair{Kind: p.Kind, SAE: p.SAE, Other: p.Other, Features: p.Features, Top: p.Top}
	run := func(ctx context.Context) error { return job.RunPair(ctx, p) }
	return d.inBlocks(ctx, job, fmt.Sprintf("%s, %s %s", p.SAE, p.Kind, p.Other), p.Features, run, func(features int, took time.Duration) error {
		if r.Block == nil {
			return nil
		}
		part := of
		part.Features, part.Took = features, took
		return r.Block(part)
	}, func(took time.Duration) {
		if r.Done != nil {
			of.Took = took
			r.Done(of)
		}
	})
}
