package main

import (
	"fmt"
	"os"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/model"
	"github.com/saedb/saedb/loader/sae"
	"github.com/urfave/cli/v2"
)

var loadDirectionsCommand = &cli.Command{
	Name:      "directions",
	Usage:     "load directions that are no SAE: MLP neurons, probes, steering vectors",
	ArgsUsage: "[PATH]",
	Description: "PATH is a file with a matrix [n, d_model] or a vector [d_model]: .npy, .npz, .safetensors, .pt, .pth, .bin.\n" +
		"Or it is a model, a directory or a GGUF file: then the directions are the rows of its MLPs' output weights,\n" +
		"a neuron each, of every layer or of --layer; --neurons takes those of a loaded model, from the files that it was\n" +
		"loaded from. --sql takes directions from a query: a row each, in the column w_dec.\n" +
		"They get the same statistics, views and enrichment as the features of an SAE.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "sql", Usage: "`QUERY` that gives the directions"},
		&cli.BoolFlag{Name: "neurons", Usage: "the MLP neurons of the loaded model, or of --model"},
		&cli.StringFlag{Name: "tensor", Usage: "`NAME` of the tensor, in a file with several"},
		&cli.BoolFlag{Name: "transposed", Usage: "the tensor is [d_model, n]"},
		&cli.StringFlag{Name: "hook", Usage: "hook `POINT` that they write to, such as blocks.8.hook_resid_post"},
		&cli.IntFlag{Name: "layer", Usage: "`N`: only this layer's neurons; of other directions, the same as --hook blocks.N.hook_resid_post"},
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
	query, neurons := c.IsSet("sql"), c.Bool("neurons")
	sources := c.NArg()
	for _, given := range []bool{query, neurons} {
		if given {
			sources++
		}
	}
	switch {
	case sources != 1:
		return wrongUsage("load directions: expected one PATH, --neurons or --sql, found %d of them", sources)
	case query && !c.IsSet("name"):
		return wrongUsage("load directions: --sql needs --name")
	case query && (c.IsSet("tensor") || c.IsSet("transposed") || c.IsSet("decoder")):
		return wrongUsage("load directions: --tensor, --transposed and --decoder go with a PATH")
	case c.IsSet("hook") && c.IsSet("layer"):
		return wrongUsage("load directions: --hook names the layer: leave out --layer")
	}
	if err := checkDecoder(c); err != nil {
		return err
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	switch path := c.Args().First(); {
	case query:
		err = reported(c)(db.LoadQuery(c.Context, loader.QueryRequest{
			SQL: c.String("sql"), Name: c.String("name"), Model: c.String("model"), Release: c.String("release"),
			Hook: hookOf(c), Replace: c.Bool("replace"), Copy: c.Bool("copy"),
		}))
	case neurons || isModel(path):
		err = loadNeurons(c, db, path)
	default:
		err = reported(c)(db.LoadDirections(c.Context, loader.DirectionsRequest{
			Directions: sae.Directions{Path: path, Tensor: c.String("tensor"), Transposed: c.Bool("transposed"), Hook: hookOf(c)},
			Name:       c.String("name"), Model: c.String("model"), Release: c.String("release"), Decoder: c.String("decoder"), Replace: c.Bool("replace"), Copy: c.Bool("copy"),
		}))
	}
	if err != nil {
		return err
	}
	return checkpoint(c.Context, db)
}

// reported says what a load of directions did.
func reported(c *cli.Context) func(loader.Outcome, error) error {
	return func(o loader.Outcome, err error) error {
		if err == nil {
			report(c, "directions", "rows", o)
		}
		return err
	}
}

// hookOf is the hook point that the flags name, "" for none.
func hookOf(c *cli.Context) string {
	if c.IsSet("layer") {
		return fmt.Sprintf("blocks.%d.hook_resid_post", c.Int("layer"))
	}
	return c.String("hook")
}

// isModel reports whether a path is a model and no file of directions.
func isModel(path string) bool {
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || model.IsGGUF(path))
}

// loadNeurons loads the neurons of all layers, or of the one asked for.
func loadNeurons(c *cli.Context, db *saedb.DB, path string) error {
	if c.IsSet("tensor") || c.IsSet("transposed") || c.IsSet("hook") || c.IsSet("name") {
		return wrongUsage("load directions: --tensor, --transposed, --hook and --name do not go with a model")
	}
	layers := []int{c.Int("layer")}
	if !c.IsSet("layer") {
		n, err := db.NeuronLayers(c.Context, path, c.String("model"))
		if err != nil {
			return err
		}
		layers = layers[:0]
		for layer := range n {
			layers = append(layers, layer)
		}
	}
	for _, layer := range layers {
		err := reported(c)(db.LoadNeurons(c.Context, loader.NeuronsRequest{
			Path: path, Layer: layer, Model: c.String("model"), Release: c.String("release"), Decoder: c.String("decoder"), Replace: c.Bool("replace"), Copy: c.Bool("copy"),
		}))
		if err != nil {
			return err
		}
	}
	return nil
}
