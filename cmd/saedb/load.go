package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/sae"
	"github.com/saedb/saedb/udf"
	"github.com/urfave/cli/v2"
)

var loadCommand = &cli.Command{
	Name:        "load",
	Usage:       "load a model, SAEs, token sets, or directions that are no SAE",
	Subcommands: []*cli.Command{loadModelCommand, loadSAECommand, loadSetsCommand, loadDirectionsCommand},
}

var replaceFlag = &cli.BoolFlag{Name: "replace", Usage: "replace what is loaded under the same name"}

var decoderFlag = &cli.StringFlag{
	Name: "decoder", Usage: "`SCALE` of the decoder's rows: " + strings.Join(sae.Decoders(), ", "), Value: sae.AsStored,
}

func checkDecoder(c *cli.Context) error {
	if decoder := c.String("decoder"); !slices.Contains(sae.Decoders(), decoder) {
		return wrongUsage("%s: --decoder: expected one of %s, found %q", c.Command.FullName(), strings.Join(sae.Decoders(), ", "), decoder)
	}
	return nil
}

var loadModelCommand = &cli.Command{
	Name:      "model",
	Usage:     "load a model's unembedding and vocabulary",
	ArgsUsage: "PATH",
	Description: "PATH is a Hugging Face directory (config.json, tokenizer.json, model.safetensors, also sharded)\n" +
		"or a GGUF file. Only the unembedding, the final norm and the vocabulary are read. A model of an architecture\n" +
		"that is not known can be read with --unembedding and --norm.",
	Flags: append([]cli.Flag{
		&cli.StringFlag{Name: "name", Usage: "the model's `NAME` in SQL (default: the file's or directory's)"},
		replaceFlag,
	}, modelFlags...),
	Action: loadModel,
}

var loadSAECommand = &cli.Command{
	Name:      "sae",
	Usage:     "load sparse autoencoders",
	ArgsUsage: "PATH...",
	Description: "Each PATH is an SAE's directory or file, or a directory above several. Where one path holds several SAEs,\n" +
		"PATH#PART is one of them. Without --model, an SAE goes to the only model loaded, or to the one that its\n" +
		"configuration names.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model"},
		&cli.StringFlag{Name: "release", Usage: "`NAME` of the release that they belong to", Value: loader.DefaultRelease},
		&cli.StringFlag{Name: "name", Usage: "the SAE's `NAME`, when there is one (default: its directory's)"},
		decoderFlag,
		replaceFlag,
	},
	Action: loadSAEs,
}

func newLoader(db *saedb.DB) *loader.Loader {
	return &loader.Loader{
		DB: db.DB, Version: saedb.Version, Functions: udf.Documentation(),
		Begin:  func(what string, rows int64) func() { return watch(db, what, rows, "rows") },
		Opened: db.Functions,
	}
}

func loadModel(c *cli.Context) error {
	if c.NArg() != 1 {
		return wrongUsage("load model: expected one PATH, found %d", c.NArg())
	}
	options, err := modelOptions(c)
	if err != nil {
		return err
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	defer db.Functions.During(c.Context)()
	outcome, err := newLoader(db).Model(c.Context, loader.ModelRequest{
		Path: c.Args().First(), Name: c.String("name"), Replace: c.Bool("replace"), Options: options,
	})
	if err != nil {
		return err
	}
	report(c, "model", "tokens", outcome)
	return checkpoint(c.Context, db)
}

func loadSAEs(c *cli.Context) error {
	if c.NArg() == 0 {
		return wrongUsage("load sae: expected at least one PATH")
	}
	if err := checkDecoder(c); err != nil {
		return err
	}
	var paths []string
	for _, root := range c.Args().Slice() {
		found, err := sae.Find(root)
		if err != nil {
			return err
		}
		paths = append(paths, found...)
	}
	if c.IsSet("name") && len(paths) != 1 {
		return wrongUsage("load sae: --name names one SAE, found %d", len(paths))
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	defer db.Functions.During(c.Context)()
	ld := newLoader(db)
	for _, path := range paths {
		outcome, err := ld.SAE(c.Context, loader.SAERequest{
			Path: path, Name: c.String("name"), Model: c.String("model"), Release: c.String("release"), Replace: c.Bool("replace"),
			Decoder: c.String("decoder"),
		})
		if err != nil {
			return err
		}
		report(c, "sae", "features", outcome)
	}
	return checkpoint(c.Context, db)
}

// report says what a load did.
func report(c *cli.Context, kind, unit string, o loader.Outcome) {
	if o.Unchanged {
		fmt.Fprintf(c.App.Writer, "%s %s is already loaded from %s, with the same SHA-256; nothing changed\n", kind, o.Name, o.Source)
		return
	}
	if o.Note != "" {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s\n", o.Note)
	}
	fmt.Fprintf(c.App.Writer, "loaded %s %s: %d %s, %.1f MB, %.1f s\n", kind, o.Name, o.Rows, unit, float64(o.Bytes)/1e6, o.Took.Seconds())
}
