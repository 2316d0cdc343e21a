package procedures

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
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
