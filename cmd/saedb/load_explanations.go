package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/progress"
	"github.com/saedb/saedb/loader"
	"github.com/urfave/cli/v2"
)

var loadExplanationsCommand = &cli.Command{
	Name:      "explanations",
	Usage:     "load Neuronpedia's explanations of features",
	ArgsUsage: "FILE...",
	Description: "A FILE is one of Neuronpedia's bulk export, a JSON object a line, plain or compressed with gzip: of explanations, or of\n" +
		"features, of which the highest activation and the density are kept. They go to the SAEs whose neuronpedia_id they\n" +
		"name, loaded before or after, in the views explanations and neuronpedia_features.",
	Flags: []cli.Flag{
		&cli.BoolFlag{Name: "replace", Usage: "drop files loaded before that have the same features by the same explainer"},
	},
	Action: loadExplanations,
}

func loadExplanations(c *cli.Context) error {
	if c.NArg() == 0 {
		return wrongUsage("load explanations: expected at least one FILE")
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	bar := progress.New(os.Stderr, "explanations", int64(c.NArg()), "files")
	defer bar.Finish()
	o, err := db.LoadExplanations(c.Context, loader.ExplanationsRequest{
		Files: c.Args().Slice(), Replace: c.Bool("replace"), Done: func(n int) { bar.Add(int64(n)) },
	})
	bar.Finish()
	if err != nil {
		return err
	}
	reportExplanations(c, o)
	return checkpoint(c.Context, db)
}

// reportExplanations says what a load of explanations did.
func reportExplanations(c *cli.Context, o loader.ExplanationsOutcome) {
	var absent []string
	for _, s := range o.Sources {
		fmt.Fprintf(c.App.Writer, "loaded %s: %d explanations, activations of %d features\n", s.NeuronpediaID, s.Explanations, s.Features)
		if s.SAEs == 0 {
			absent = append(absent, s.NeuronpediaID)
		}
	}
	if absent != nil {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: no SAE is loaded that has the Neuronpedia id %s; the views show its features once one is\n", strings.Join(absent, " or "))
	}
	if o.Unchanged > 0 {
		fmt.Fprintf(c.App.Writer, "already loaded, with the same SHA-256: %s; nothing changed for them\n", numberOfFiles(o.Unchanged))
	}
	if o.Files > 0 {
		fmt.Fprintf(c.App.Writer, "%s, %.1f MB, %.1f s; %d replaced\n", numberOfFiles(o.Files), float64(o.Bytes)/1e6, o.Took.Seconds(), o.Replaced)
	}
}

func numberOfFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}
