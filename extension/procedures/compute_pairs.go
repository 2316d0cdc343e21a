package procedures

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/saedb/saedb/loader/sae"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var (
	// computeLinks is saedb compute --links, computeNeighbours saedb compute --neighbours. They
	// hand out a row for each block of features, as saedb_compute does, and for each pair that
	// is skipped, and why.
	computeLinks = procedure{
		name: "saedb_compute_links", takes: []parameter{{"source", text}, {"target", text}, {"top", integer}, {"database", text}}, first: 2,
		columns: pairColumns, run: computePairs((*operations.Database).ComputeLinks),
	}
	computeNeighbours = procedure{
		name: "saedb_compute_neighbours", takes: []parameter{{"source", text}, {"target", text}, {"top", integer}, {"database", text}},
		columns: pairColumns, run: computePairs((*operations.Database).ComputeNeighbours),
	}
	pairColumns = []capi.Field{
		{Name: "sae", Type: capi.Varchar}, {Name: "other", Type: capi.Varchar}, {Name: "computed", Type: capi.Varchar},
		{Name: "features", Type: capi.Bigint}, {Name: "top", Type: capi.Bigint}, {Name: "seconds", Type: capi.Double}, {Name: "skipped", Type: capi.Varchar},
	}
)

// What those need who multiply features with features elsewhere.
var (
	// pairQueries are the queries of a kind of pair.
	pairQueries = procedure{
		name: "saedb_pair_queries", takes: []parameter{{"kind", text}, {"top", integer}, {"within", flag}}, first: 2,
		columns: []capi.Field{
			{Name: "directions", Type: capi.Varchar}, {Name: "reader", Type: capi.Varchar}, {Name: "selected", Type: capi.Varchar},
			{Name: "rows", Type: capi.Varchar}, {Name: "total", Type: capi.Varchar},
		},
		run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
			q, err := statistics.QueriesOfPair(a.text("kind"), a.integer("top", 0), a.flag("within"))
			if err != nil {
				return err
			}
			return row(q.Directions, q.Reader, q.Select, q.Rows, q.Total)
		},
	}
	// checkLink says why features that are written at one hook point of a model have no direct
	// weights to those that are read at another, NULL where they have.
	checkLink = procedure{
		name: "saedb_check_link", takes: []parameter{{"written", text}, {"read", text}, {"architecture", text}}, first: 3,
		columns: []capi.Field{{Name: "problem", Type: capi.Varchar}},
		run: func(_ context.Context, _ *Host, a arguments, row func(...any) error) error {
			if err := sae.CheckMeets(a.text("written"), a.text("read"), a.text("architecture")); err != nil {
				return row(err.Error())
			}
			return row(nil)
		},
	}
	// neurons is what the name of a reader of an MLP's neurons stands for in a database.
	neurons = procedure{
		name: "saedb_neurons", takes: []parameter{{"reader", text}, {"database", text}}, first: 1,
		columns: []capi.Field{
			{Name: "layer", Type: capi.Bigint}, {Name: "matrix", Type: capi.Varchar}, {Name: "neurons", Type: capi.Bigint}, {Name: "d_model", Type: capi.Bigint},
			{Name: "hook", Type: capi.Varchar}, {Name: "weights", Type: capi.Boolean},
		},
		run: func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
			return h.reading(ctx, a, func(db *operations.Database) error {
				n, hook, weights, err := db.Neurons(ctx, a.text("reader"))
				if err != nil {
					return err
				}
				return row(int64(n.Layer), n.Matrix, int64(n.Count), int64(n.DModel), hook, weights)
			})
		},
	}
	// saeMacros is what makes the macros that know which SAEs words mean, of the table saes.
	saeMacros = procedure{
		name: "saedb_sae_macros", columns: []capi.Field{{Name: "statements", Type: capi.Varchar}},
		run: func(_ context.Context, _ *Host, _ arguments, row func(...any) error) error {
			return row(schema.SAEMacros())
		},
	}
)

// pairsMethod is a method of operations.Database that computes pairs.
type pairsMethod func(*operations.Database, context.Context, operations.PairsRequest) (operations.PairsOutcome, error)

func computePairs(compute pairsMethod) func(context.Context, *Host, arguments, func(...any) error) error {
	return func(ctx context.Context, h *Host, a arguments, row func(...any) error) error {
		return h.within(ctx, a, func(db *operations.Database) error {
			if a.text("top") != "" && a.integer("top", 0) == 0 {
				return unknown("top", a.text("top"), fmt.Sprintf("1 to %d", statistics.MaxTop))
			}
			var skipped error // of a row that is not fetched any more
			_, err := compute(db, ctx, operations.PairsRequest{
				Source: a.text("source"), Target: a.text("target"), Top: a.integer("top", 0),
				Skipped: func(source, target string, why error) {
					if skipped == nil {
						skipped = row(source, target, nil, nil, nil, nil, why.Error())
					}
				},
				Block: func(c operations.ComputedPair) error {
					if skipped != nil {
						return skipped
					}
					a.tell.add(int64(c.Features))
					return row(c.SAE, c.Other, c.Kind, int64(c.Features), int64(c.Top), c.Took.Seconds(), nil)
				},
			})
			return err
		})
	}
}
