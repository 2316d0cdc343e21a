package main

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
	schema "github.com/saedb/saedb/sql"
	"github.com/urfave/cli/v2"
)

// pairFlags are those of what is computed of features with features.
var pairFlags = []cli.Flag{
	&cli.BoolFlag{Name: "links", Usage: "direct weights from the features of the SAEs --from to those of the SAEs --to, which must be loaded with their encoder, in place of statistics"},
	&cli.BoolFlag{Name: "neighbours", Usage: "nearest decoder directions within each of the SAEs --from, or with --to between them and those, both ways, in place of statistics"},
	&cli.StringFlag{Name: "from", DefaultText: "all", Usage: "with --links and --neighbours: the SAEs that `WORDS` mean, as for --sae"},
	&cli.StringFlag{Name: "to", DefaultText: "all, for links", Usage: "with --links and --neighbours: those that `WORDS` mean; with --links also MODEL#mlp_in.LAYER or MODEL#mlp_gate.LAYER, the neurons of an MLP"},
	&cli.IntFlag{
		Name: "top", DefaultText: fmt.Sprint(operations.DefaultLinks),
		Usage: "with --links and --neighbours: keep the `N` strongest of each feature, of links at either end",
	},
}

// pairsAsked tells whether a command line asks for features with features, and refuses flags
// that do not go together.
func pairsAsked(c *cli.Context) (asked bool, err error) {
	links, neighbours := c.Bool("links"), c.Bool("neighbours")
	if links && neighbours {
		return false, wrongUsage("compute: --links or --neighbours, not both")
	}
	only, reason := []string{"from", "to", "top"}, "goes with --links or --neighbours"
	if links || neighbours {
		only, reason = []string{"sae", "layer", "tokens", "baseline", "baseline-like", "side", "lens", "rank-correlation"}, "goes with statistics; --from and --to choose SAEs here"
	}
	for _, name := range only {
		if c.IsSet(name) {
			return false, wrongUsage("compute: --%s %s", name, reason)
		}
	}
	if top := c.Int("top"); c.IsSet("top") && (top < 1 || top > statistics.MaxTop) {
		return false, wrongUsage("compute: --top: expected 1 to %d, found %d", statistics.MaxTop, top)
	}
	return links || neighbours, nil
}

// computePairs computes features with features.
func computePairs(c *cli.Context, db *saedb.DB) error {
	compute, what := (*saedb.DB).ComputeNeighbours, "neighbours"
	if c.Bool("links") {
		compute, what = (*saedb.DB).ComputeLinks, "links"
	}
	outcome, err := compute(db, c.Context, saedb.PairsRequest{
		Source: c.String("from"), Target: c.String("to"), Top: c.Int("top"), Alone: true,
		Skipped: func(source, target string, why error) {
			fmt.Fprintf(c.App.Writer, "skipped %s to %s: %v\n", source, target, why)
		},
		Done: func(done saedb.ComputedPair) { reportPair(c, done) },
	})
	if err != nil {
		return err
	}
	if !outcome.Changed {
		fmt.Fprintf(c.App.Writer, "nothing to compute: %d pairs of SAEs have their %s\n", outcome.Pairs, what)
		return nil
	}
	return checkpoint(c.Context, db)
}

// reportPair says what has been computed of a pair.
func reportPair(c *cli.Context, done saedb.ComputedPair) {
	lists := map[string]string{
		statistics.Outgoing:   "strongest targets",
		statistics.Incoming:   "strongest sources",
		statistics.Neighbours: "nearest directions",
	}
	of := "features"
	if strings.ContainsRune(done.SAE, schema.ReaderMark) {
		of = "neurons"
	}
	fmt.Fprintf(c.App.Writer, "computed %s: the %d %s of each of %d %s in %s, %.1f s\n",
		done.SAE, done.Top, lists[done.Kind], done.Features, of, done.Other, done.Took.Seconds())
}
