package main

import (
	"context"
	"fmt"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/internal/statistics"
	"github.com/urfave/cli/v2"
)

var computeCommand = &cli.Command{
	Name:  "compute",
	Usage: "compute the statistics, and the enrichment in token sets, of every feature that lacks them; or features with features",
	Flags: append([]cli.Flag{
		saeFlag, layerFlag,
		&cli.IntFlag{
			Name: "baseline", DefaultText: "those that there are, or 4096", Value: statistics.KeepBaseline,
			Usage: "hold figures against `N` random directions, computed once a model and choice of tokens; 0 for none",
		},
		&cli.StringFlag{
			Name: "baseline-like", DefaultText: "the kind that there is, or isotropic",
			Usage: "`KIND` of random directions: isotropic, which belong to the model, or sae, with the covariance of each SAE's own unit decoder, which is stricter",
		},
		&cli.StringFlag{Name: "tokens", Usage: "which columns of the unembedding count: `all` (the default), or real, without padding and special tokens"},
		&cli.StringFlag{
			Name: "side", DefaultText: statistics.OutputSide,
			Usage: "`SIDE` of the features: output, what they write; input, which tokens excite them, of SAEs with their encoders and a model with its embedding; or both",
		},
		&cli.StringFlag{Name: "lens", Usage: "what the features come to write through the loaded lens `NAME`, beside what they write directly"},
		&cli.BoolFlag{
			Name:  "rank-correlation",
			Usage: "with --lens: also how far the lens moves each feature over the whole vocabulary, the rank correlation of its logit weights with those through the lens; multiplies and ranks the vocabulary twice more a feature",
		},
	}, pairFlags...),
	Action: computeStatistics,
}

func computeStatistics(c *cli.Context) error {
	if tokens := c.String("tokens"); tokens != "" && tokens != statistics.AllTokens && tokens != statistics.RealTokens {
		return wrongUsage("compute: --tokens: expected all or real, found %q", tokens)
	}
	if err := statistics.CheckSide(c.String("side")); err != nil {
		return wrongUsage("%v", err)
	}
	saes, err := saeWords(c)
	if err != nil {
		return err
	}
	if err := statistics.CheckBaseline(c.Int("baseline")); err != nil {
		return wrongUsage("%v", err)
	}
	if err := statistics.CheckBaselineKind(c.String("baseline-like"), c.Int("baseline")); err != nil {
		return wrongUsage("%v", err)
	}
	pairs, err := pairsAsked(c)
	if err != nil {
		return err
	}
	db, err := openLoaded(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if err := boundBuffers(c.Context, db); err != nil {
		return err
	}
	if pairs {
		return computePairs(c, db)
	}
	outcome, err := db.Compute(c.Context, saedb.ComputeRequest{
		SAEs: saes, Tokens: c.String("tokens"), Baseline: c.Int("baseline"), BaselineLike: c.String("baseline-like"), Side: c.String("side"), Lens: c.String("lens"),
		RankCorrelation: c.Bool("rank-correlation"), Alone: true,
		TakenIn: func(sets []saedb.SetsOutcome) { reportSets(c, sets) },
		Done:    func(done saedb.Computed) { reportComputed(c, done) },
	})
	if err != nil {
		return err
	}
	if !outcome.Changed {
		fmt.Fprintf(c.App.Writer, "nothing to compute: every feature of %d SAEs has its figures\n", outcome.SAEs)
		return nil
	}
	return checkpoint(c.Context, db)
}

// reportComputed says what a computation has done.
func reportComputed(c *cli.Context, done saedb.Computed) {
	took := done.Took.Seconds()
	scored, of := "", done.Of
	if done.Sets > 0 {
		scored = fmt.Sprintf(" in %d token sets", done.Sets)
	}
	if done.Side == statistics.InputSide {
		of = "input side of " + of
	}
	if done.Lens != "" {
		of += " through lens " + done.Lens
	}
	switch {
	case done.Kind == operations.Baseline:
		like := ""
		if done.Like != "" {
			like = " like " + done.Like
		}
		fmt.Fprintf(c.App.Writer, "computed baseline of %s: %d random directions%s%s, %s tokens, %.1f s\n",
			of, done.Features, like, scored, done.Tokens, took)
	case done.Kind == operations.Statistics:
		if done.Sets > 0 {
			scored = " and their enrichment" + scored
		}
		fmt.Fprintf(c.App.Writer, "computed %s: %d features%s, %s tokens, %.1f s (%.0f features/s)\n",
			of, done.Features, scored, done.Tokens, took, float64(done.Features)/took)
	case done.Kind == operations.RankCorrelation:
		fmt.Fprintf(c.App.Writer, "computed rank correlations of %s with the direct logit weights: %d features, %s tokens, %.1f s (%.0f features/s)\n",
			of, done.Features, done.Tokens, took, float64(done.Features)/took)
	case done.Counted:
		fmt.Fprintf(c.App.Writer, "counted the scores of %s by token set\n", of)
	case done.Sets == 0 && c.Int("baseline") == 0:
		fmt.Fprintf(c.App.Writer, "took away p- and q-values of %s, which were against a baseline; ks_p_value is left\n", of)
	case done.Sets == 0:
		fmt.Fprintf(c.App.Writer, "adjusted p- and q-values of %s\n", of)
	default:
		fmt.Fprintf(c.App.Writer, "scored %s: %d features%s, %.1f s (%.0f scores/s)\n",
			of, done.Features, scored, took, float64(done.Features*done.Sets)/took)
	}
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
