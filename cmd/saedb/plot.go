package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/saedb/saedb/internal/files"
	"github.com/urfave/cli/v2"
)

var plotCommand = &cli.Command{
	Name:        "plot",
	Usage:       "draw a figure, as an HTML page that needs no network, PNG or SVG",
	ArgsUsage:   "NAME [ARGUMENTS]",
	Description: plotDescription(),
	Flags: []cli.Flag{
		saeFlag, layerFlag,
		&cli.StringFlag{Name: "lens", Usage: "what the features come to write through the lens `NAME`, after saedb compute --lens NAME"},
		&cli.StringFlag{Name: "out", Usage: "the `FILE` to write: .html, .png or .svg (default: NAME.html here)"},
		&cli.StringFlag{Name: "sql", Usage: "a `QUERY` of your own that gives the columns named above, those in brackets if you like"},
		&cli.StringSliceFlag{Name: "set", Usage: "a token `SET`: the panels of manhattan, the members of feature"},
		&cli.StringFlag{Name: "score", Usage: "`SCORE` of enrichment: effect, signed, or q, -log10 q below 0 for what is suppressed; unsigned es, drawn as -ln(1-ES), or p, as -log10 p (default: effect for sets, q for manhattan)"},
		&cli.BoolFlag{Name: "unsigned", Usage: "draw -ln(1-ES), as SAELens does, for what is promoted and suppressed alike"},
		&cli.Float64Flag{Name: "label-threshold", Usage: "label points whose `SCORE`, either way, or difference of scores for sets, is greater"},
		&cli.IntFlag{Name: "top-n", Usage: "label at most `N` points a panel (default: 5, 12 for sets, or all above --label-threshold)"},
		&cli.IntFlag{Name: "top-k", Usage: "the `K` features most enriched for the set of feature (default: 4)"},
		&cli.StringFlag{Name: "statistic", Usage: "only this `STATISTIC` by layer: std, skewness or kurtosis"},
		&cli.IntFlag{Name: "bins", Usage: "`NUMBER` of bins of a histogram (default: by Freedman and Diaconis's rule)"},
	},
	Action: plot,
}

func plotDescription() string {
	var b strings.Builder
	for _, k := range figures.Kinds {
		fmt.Fprintf(&b, "%s: %s\n    --sql: %s\n", strings.TrimSpace(k.Name+" "+k.Arguments), k.Shows, k.Columns)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func plot(c *cli.Context) error {
	request, err := plotRequest(c)
	if err != nil {
		return err
	}
	out := c.String("out")
	if out == "" {
		out = request.Name + ".html"
	}
	format := strings.TrimPrefix(filepath.Ext(out), ".")
	if !slices.Contains(figures.Formats, format) {
		return wrongUsage("plot: --out: expected a name that ends in .html, .png or .svg, found %q", out)
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	figure, err := figures.Build(c.Context, db.DB, request)
	if err != nil {
		return err
	}
	database := filepath.Base(c.String("db"))
	if err := files.WriteWhole(out, func(w io.Writer) error { return figure.Write(w, format, database, saedb.Version) }); err != nil {
		return fault.At("plot", out, err)
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\n", out)
	return nil
}

// plotRequest reads the command line.
func plotRequest(c *cli.Context) (figures.Request, error) {
	saes, err := saeWords(c)
	if err != nil {
		return figures.Request{}, err
	}
	r := figures.Request{
		Feature: -1, SAE: saes, Lens: c.String("lens"), Query: c.String("sql"), Sets: c.StringSlice("set"), Score: c.String("score"), Unsigned: c.Bool("unsigned"),
		TopN: c.Int("top-n"), TopK: c.Int("top-k"), Bins: c.Int("bins"), Statistic: c.String("statistic"),
	}
	if c.IsSet("label-threshold") {
		threshold := c.Float64("label-threshold")
		r.LabelThreshold = &threshold
	}
	if c.NArg() == 0 {
		return r, wrongUsage("plot: which figure? %s", strings.Join(figures.Names(), ", "))
	}
	r.Name = c.Args().First()
	if err := r.Check(); err != nil {
		return r, wrongUsage("%v", err)
	}
	if figures.KindOf(r.Name) == nil {
		return r, wrongUsage("plot: %s", noSuch("figure", r.Name, figures.Names()))
	}
	return r, plotArguments(&r, c.Args().Tail())
}

// plotArguments reads what comes after the name of the figure.
func plotArguments(r *figures.Request, rest []string) error {
	own := r.Query != ""
	switch {
	case r.Name == "sets" && len(rest) == 2:
		r.Sets = rest
		return nil
	case r.Name == "sets":
		return wrongUsage("plot sets: expected two token sets, found %d arguments", len(rest))
	case r.Name == "feature" && len(rest) == 1 && !own:
		return plotFeature(r, rest[0])
	case r.Name == "feature" && len(rest) == 0:
		return nil
	case r.Name == "running-sum" && len(rest) == 2 && !own:
		r.Sets = rest[1:]
		return plotFeature(r, rest[0])
	case r.Name == "running-sum" && !own:
		return wrongUsage("plot running-sum: expected a feature's number and a token set, found %d arguments", len(rest))
	case len(rest) > 0:
		return wrongUsage("plot %s: expected no more arguments, found %q", r.Name, rest[0])
	}
	return nil
}

func plotFeature(r *figures.Request, number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 || n > 1<<31-1 {
		return wrongUsage("plot %s: expected a feature's number, found %q", r.Name, number)
	}
	r.Feature = n
	return nil
}
