package main

import (
	"fmt"

	"github.com/saedb/saedb"
	"github.com/urfave/cli/v2"
)

var matchCommand = &cli.Command{
	Name:      "match",
	Usage:     "match the features of two SAEs one to one, and write the pairs as JSON",
	ArgsUsage: "A B",
	Description: "A and B are words for one SAE each, as for --sae. Each feature of A gets one of B, and none is given twice, so that the sum of\n" +
		"|cosine| of their decoder directions is as high as it can be: the function match_saes. The file has the pairs, features\n" +
		"without a partner on both sides, features of B that are the nearest of several of A, as where the wider SAE A splits them,\n" +
		"and where both SAEs come from: files, SHA-256, revision and scale.",
	Flags: []cli.Flag{
		&cli.Float64Flag{Name: "cosine", Usage: "pair only features with a |cosine| of at least `X`"},
		&cli.BoolFlag{Name: "folded", Usage: "by decoder directions times thresholds, least squared difference (SAE Match); needs both encoders, with thresholds"},
		&cli.StringFlag{Name: "to", Usage: "write `FILE`, in JSON"},
	},
	Action: matchSAEs,
}

func matchSAEs(c *cli.Context) error {
	if c.NArg() != 2 {
		return wrongUsage("match: expected two SAEs, found %d arguments", c.NArg())
	}
	if cosine := c.Float64("cosine"); !(cosine >= 0 && cosine <= 1) {
		return wrongUsage("match: --cosine: expected 0 to 1, found %g", cosine)
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	m, err := db.Match(c.Context, saedb.MatchRequest{
		A: c.Args().Get(0), B: c.Args().Get(1), Cosine: c.Float64("cosine"), Folded: c.Bool("folded"), To: c.String("to"),
	})
	if err != nil {
		return err
	}
	mean := func(of *float64) string {
		if of == nil {
			return "not known"
		}
		return fmt.Sprintf("%.3f", *of)
	}
	fmt.Fprintf(c.App.Writer, "matched %d features of %s with %s by %s: PW-MCC %s, mean of maxima %s; %d and %d without a partner; %d of %s are nearest to several\n",
		m.Matched, m.A.SAE, m.B.SAE, m.By, mean(m.PWMCC), mean(m.MeanOfMaxima), len(m.OnlyA), len(m.OnlyB), len(m.SplitOfB), m.B.SAE)
	if to := c.String("to"); to != "" {
		fmt.Fprintf(c.App.Writer, "wrote %s\n", to)
	}
	return nil
}
