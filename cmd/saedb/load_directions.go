package main

import (
	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/urfave/cli/v2"
)

var loadDirectionsCommand = &cli.Command{
	Name:      "directions",
	Usage:     "load directions that are no SAE: MLP neurons, heads, probes, steering vectors",
	ArgsUsage: "[PATH]",
	Description: "PATH is a file with a matrix [n, d_model] or a vector [d_model]: .npy, .npz, .safetensors, .pt, .pth, .bin.\n" +
		"Or it is a model, a directory or a GGUF file: then the directions are the rows of its MLPs' output weights,\n" +
		"a neuron each, of every layer or of --layer; --neurons takes those of a loaded model, from the files that it was\n" +
		"loaded from. --sql takes directions from a query: a row each, in the column w_dec.\n" +
		"They get the same statistics, views and enrichment as the features of an SAE.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "sql", Usage: "`QUERY` that gives the directions"},
		&cli.BoolFlag{Name: "neurons", Usage: "the MLP neurons of the loaded model, or of --model"},
		&cli.BoolFlag{
			Name: "heads", Usage: "singular directions of what each attention head writes, of the loaded model or that at PATH, each as long " +
				"as its singular value, the largest first: of head h, rows h · d_head on",
		},
		&cli.StringFlag{Name: "tensor", Usage: "`NAME` of the tensor, in a file with several"},
		&cli.BoolFlag{Name: "transposed", Usage: "the tensor is [d_model, n]"},
		&cli.StringFlag{Name: "hook", Usage: "hook `POINT` that they write to, such as blocks.8.hook_resid_post"},
		&cli.IntFlag{Name: "layer", Usage: "`N`: only this layer's neurons or heads; of other directions, the same as --hook blocks.N.hook_resid_post"},
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model"},
		releaseFlag,
		&cli.StringFlag{Name: "name", Usage: "their `NAME` (default: the file's)"},
		decoderFlag,
		replaceFlag,
		copyFlag,
	},
	Action: loadDirections,
}

func loadDirections(c *cli.Context) error {
	if c.NArg() > 1 {
		return wrongUsage("load directions: expected one PATH, found %d", c.NArg())
	}
	wanted := operations.DirectionsWanted{
		Path: c.Args().First(), Neurons: c.Bool("neurons"), Heads: c.Bool("heads"), SQL: c.String("sql"), Tensor: c.String("tensor"), Transposed: c.Bool("transposed"),
		Hook: c.String("hook"), Layer: -1, Model: c.String("model"), Release: c.String("release"), Name: c.String("name"),
		Decoder: c.String("decoder"), Replace: c.Bool("replace"), Copy: c.Bool("copy"),
	}
	if c.IsSet("layer") {
		wanted.Layer = c.Int("layer")
	}
	if err := checkDecoder(c); err != nil {
		return err
	}
	if err := wanted.Check(); err != nil {
		return wrongUsage("%v", err)
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	err = db.LoadAllDirections(c.Context, wanted, func(o loader.Outcome) error {
		report(c, "directions", "rows", o)
		return nil
	})
	if err != nil {
		return err
	}
	return checkpoint(c.Context, db)
}
