package main

import (
	"github.com/saedb/saedb"
	"github.com/urfave/cli/v2"
)

var loadLensCommand = &cli.Command{
	Name:      "lens",
	Usage:     "load a lens: matrices that lead from behind each block of a model to behind its last",
	ArgsUsage: "PATH|ORG/NAME[/PATH][@REVISION]",
	Description: "PATH is a Jacobian lens (a .pt file, as Anthropic's reference, Neuronpedia and TransformerLens write it), the directory\n" +
		"of a tuned lens (params.pt and config.json), or a file with a matrix for each layer: .safetensors, .npz, .npy, .pt.\n" +
		"ORG/NAME/PATH is on the Hugging Face Hub. saedb compute --lens NAME then computes what features write through it.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "name", Usage: "the lens's `NAME` (default: its file's or directory's)"},
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model, also where the lens was fitted on another"},
		&cli.BoolFlag{Name: "transposed", Usage: "of matrices by layer: rows are multiplied by them, h·M, and not M·h"},
		replaceFlag,
	},
	Action: loadLens,
}

func loadLens(c *cli.Context) error {
	if c.NArg() != 1 {
		return wrongUsage("load lens: expected one PATH, found %d", c.NArg())
	}
	if err := requireName(c); err != nil {
		return err
	}
	request, err := hubOf(c).LensRequest(c.Context, c.Args().First(), saedb.LensRequest{
		Name: c.String("name"), Model: c.String("model"), Transposed: c.Bool("transposed"), Replace: c.Bool("replace"),
	})
	if err != nil {
		return err
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	outcome, err := db.LoadLens(c.Context, request)
	if err != nil {
		return err
	}
	report(c, "lens", "layers", outcome)
	return checkpoint(c.Context, db)
}
