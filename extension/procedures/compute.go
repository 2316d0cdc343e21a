package procedures

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/saedb/saedb/internal/baseline"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// computeStatistics is saedb compute. It hands out a row for each block of features,
// which is committed by then: an interrupted call loses at most the one under way.
var computeStatistics = procedure{
	name: "saedb_compute", takes: []parameter{{"sae", text}, {"layer", integer}, {"tokens", text}, {"baseline", text}, {"baseline_like", text}, {"side", text}, {"lens", text}, {"rank_correlation", flag}, {"database", text}},
	columns: []capi.Field{
		{Name: "sae", Type: capi.Varchar}, {Name: "computed", Type: capi.Varchar},
		{Name: "features", Type: capi.Bigint}, {Name: "token_sets", Type: capi.Bigint}, {Name: "seconds", Type: capi.Double},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		directions, err := a.baseline()
		if err != nil {
			return err
		}
		saes, err := a.saes()
		if err != nil {
			return err
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			_, err := db.Compute(ctx, operations.ComputeRequest{
				SAEs: saes, Tokens: a.text("tokens"), Baseline: directions, BaselineLike: a.text("baseline_like"), Side: a.text("side"), Lens: a.text("lens"), RankCorrelation: a.flag("rank_correlation"),
				Block: func(c operations.Computed) error {
					a.tell.add(int64(c.Features))
					kind := c.Kind
					if c.Side == statistics.InputSide {
						kind = c.Side + " " + kind
					}
					if c.Lens != "" {
						kind += " through " + c.Lens
					}
					return row(c.Of, kind, int64(c.Features), int64(c.Sets), c.Took.Seconds())
				},
			})
			return err
		})
	},
}

// saes are the words for SAEs that arguments give.
func (a arguments) saes() (string, error) {
	switch {
	case a.text("layer") == "":
		return a.text("sae"), nil
	case a.text("sae") != "":
		return "", &fault.Error{Problem: "layer or sae, not both", Hint: "RELEASE/layer_N is a layer of a release"}
	}
	return schema.AtLayer(a.integer("layer", 0)), nil
}

// baseline is the named argument that says how many random directions p-values are against:
// by default those that there are.
func (a arguments) baseline() (directions int, err error) {
	given := a.text("baseline")
	if given == "" {
		return statistics.KeepBaseline, nil
	}
	directions, err = strconv.Atoi(given)
	if err != nil || directions < 0 || statistics.CheckBaseline(directions) != nil {
		return 0, unknown("baseline", given, fmt.Sprintf("0, for none, or a number of random directions from %d", baseline.LeastDirections))
	}
	return directions, nil
}

// side is the named argument that says which side of features.
func (a arguments) side() (schema.Side, error) {
	side, known := schema.SideNamed(a.text("side"))
	if !known {
		return side, unknown("side", a.text("side"), schema.Output.Name+" or "+schema.Input.Name)
	}
	return side, nil
}

// makeBaseline makes sure that a model's baseline of a side is there, with a null for each of its token
// sets, as saedb compute does before features; for those that are computed elsewhere. It is the isotropic one, or that
// like the SAE like; and of what is written at a hook point, through a lens.
var makeBaseline = procedure{
	name: "saedb_baseline", first: 1,
	takes: []parameter{{"model", text}, {"tokens", text}, {"baseline", text}, {"side", text}, {"like", text}, {"lens", text}, {"hook", text}, {"database", text}},
	columns: []capi.Field{
		{Name: "baseline_id", Type: capi.Bigint}, {Name: "seed", Type: capi.Bigint}, {Name: "directions", Type: capi.Bigint}, {Name: "lens_layer", Type: capi.Bigint},
	},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		directions, err := a.baseline()
		if err != nil {
			return err
		}
		side, err := a.side()
		if err != nil {
			return err
		}
		if a.text("lens") != "" && side.Name != schema.Output.Name {
			return &fault.Error{Subject: "lens", Problem: "a lens is of what features write: it goes with side " + schema.Output.Name}
		}
		model, tokens := a.text("model"), cmp.Or(a.text("tokens"), statistics.AllTokens)
		if tokens != statistics.AllTokens && tokens != statistics.RealTokens {
			return unknown("tokens", tokens, statistics.AllTokens+" or "+statistics.RealTokens)
		}
		return h.within(ctx, a, func(db *operations.Database) error {
			if err := db.Require(ctx); err != nil {
				return err
			}
			var layer any
			if lens := a.text("lens"); lens != "" {
				if side, err = db.ThroughLens(ctx, lens, model, a.text("hook")); err != nil {
					return err
				}
				layer = int64(side.Lens.Layer)
			}
			job, err := db.Job(directions)
			if err != nil {
				return err
			}
			if a.text("like") != "" {
				job.BaselineLike = statistics.LikeSAE
			}
			if _, err := job.EnsureBaseline(ctx, side, model, tokens, a.text("like")); err != nil {
				return err
			}
			b, err := job.BaselineOf(ctx, side, model, tokens, a.text("like"))
			if err != nil || b.ID == 0 {
				return err
			}
			return row(int64(b.ID), int64(b.Seed), int64(b.Directions), layer)
		})
	},
}

// lensLayer is the block behind which what is written at a hook point begins in a lens.
var lensLayer = procedure{
	name: "saedb_lens_layer", takes: []parameter{{"lens", text}, {"model", text}, {"hook", text}, {"database", text}}, first: 3,
	columns: []capi.Field{{Name: "lens_layer", Type: capi.Bigint}},
	run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.reading(ctx, a, func(db *operations.Database) error {
			side, err := db.ThroughLens(ctx, a.text("lens"), a.text("model"), a.text("hook"))
			if err != nil {
				return err
			}
			return row(int64(side.Lens.Layer))
		})
	},
}
