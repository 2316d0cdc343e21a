package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/operations"
	"github.com/saedb/saedb/loader"
	"github.com/saedb/saedb/loader/sae"
	"github.com/urfave/cli/v2"
)

var loadCommand = &cli.Command{
	Name:        "load",
	Usage:       "load a model, SAEs, token sets, explanations, a lens, or directions that are no SAE",
	Subcommands: []*cli.Command{loadModelCommand, loadSAECommand, loadSetsCommand, loadDirectionsCommand, loadExplanationsCommand, loadLensCommand},
}

var replaceFlag = &cli.BoolFlag{Name: "replace", Usage: "replace what is loaded under the same name"}

var releaseFlag = &cli.StringFlag{Name: "release", Usage: "`NAME` of the release that they belong to, which stands before theirs: NAME/sae"}

var copyFlag = &cli.BoolFlag{Name: "copy", Usage: "load it also where it is loaded already under another name"}

var decoderFlag = &cli.StringFlag{
	Name: "decoder", Usage: "`SCALE` of the decoder's rows: " + strings.Join(sae.Decoders(), ", "), Value: sae.AsStored,
}

func checkDecoder(c *cli.Context) error {
	if err := operations.CheckDecoder(c.String("decoder")); err != nil {
		return wrongUsage("%s: --%v", c.Command.FullName(), err)
	}
	return nil
}

var loadModelCommand = &cli.Command{
	Name:      "model",
	Usage:     "load a model's unembedding and vocabulary",
	ArgsUsage: "PATH|ORG/NAME[/PATH][@REVISION]",
	Description: "PATH is a Hugging Face directory (config.json, tokenizer.json, model.safetensors, also sharded)\n" +
		"or a GGUF file. Only the unembedding, the final norm and the vocabulary are read. A model of an architecture\n" +
		"that is not known can be read with --unembedding and --norm. ORG/NAME is a model on the Hugging Face Hub, of\n" +
		"which no more than these is downloaded; a path that exists comes first.",
	Flags: append([]cli.Flag{
		&cli.StringFlag{Name: "name", Usage: "the model's `NAME` in SQL (default: the file's or directory's)"},
		&cli.BoolFlag{
			Name: "embedding", Usage: "load the token embedding too, also of a model that is loaded without it; it takes as much disk as the " +
				"unembedding, or none where that is the same matrix, left as it is",
		},
		&cli.StringFlag{
			Name: "attention", Usage: "load W_Q, W_K, W_V and W_O of `LAYERS` too, also of a model that is loaded without them: all, or such as " +
				"0-3,9; a layer takes 4 · n_heads · d_head · d_model · 4 bytes at most (GPT-2 small: 9.4 MB)",
		},
		&cli.StringFlag{
			Name: "mlp", Usage: "load the input weights of the MLP neurons of `LAYERS` too, as --attention: the readers MODEL#mlp_in.LAYER and, where " +
				"MLPs are gated, MODEL#mlp_gate.LAYER; a layer takes d_mlp · d_model · 4 bytes (GPT-2 small: 9.4 MB), gated twice that",
		},
		replaceFlag,
	}, modelFlags...),
	Action: loadModel,
}

var loadSAECommand = &cli.Command{
	Name:      "sae",
	Usage:     "load sparse autoencoders",
	ArgsUsage: "PATH|ORG/NAME[/PATH][@REVISION]...",
	Description: "Each PATH is an SAE's directory or file, or a directory above several. Where one path holds several SAEs,\n" +
		"PATH#PART is one of them. Without --model, an SAE goes to the only model loaded, or to the one that its\n" +
		"configuration names. ORG/NAME/PATH is on the Hugging Face Hub. Without PATH, --release names a published release,\n" +
		"which saedb releases lists, and --layer or --id chooses among its SAEs.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "model", Usage: "`NAME` of the model"},
		releaseFlag,
		&cli.IntFlag{Name: "layer", Usage: "only SAEs of a published release at block `N`"},
		&cli.StringFlag{Name: "id", Usage: "only the SAE of a published release with this `ID`"},
		&cli.StringFlag{Name: "name", Usage: "the SAE's `NAME`, when there is one (default: its directory's)"},
		&cli.StringFlag{Name: "neuronpedia-id", Usage: "`MODEL/SOURCE` on Neuronpedia, when there is one SAE, and its files name none"},
		decoderFlag,
		&cli.StringFlag{Name: "hook", Usage: "hook `POINT` that the decoder of the one SAE writes to, in place of what its files say"},
		&cli.BoolFlag{Name: "encoder", Usage: "load the encoder too, which takes as much disk again, also of an SAE that is loaded without it"},
		&cli.BoolFlag{
			Name: "in-place", Usage: "leave the weights in their files, and read them there from then on: the database takes results alone. " +
				"Without it, an SAE that was loaded so is copied",
		},
		replaceFlag,
		copyFlag,
	},
	Action: loadSAEs,
}

func loadModel(c *cli.Context) error {
	if c.NArg() != 1 {
		return wrongUsage("load model: expected one PATH, found %d", c.NArg())
	}
	options, err := modelOptions(c)
	if err == nil {
		err = requireName(c)
	}
	if err != nil {
		return err
	}
	request, err := hubOf(c).ModelRequest(c.Context, c.Args().First(), loader.ModelRequest{
		Name: c.String("name"), Replace: c.Bool("replace"), Tokenizer: c.String("tokenizer"), Options: options,
	})
	if err != nil {
		return err
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	outcome, err := db.LoadModel(c.Context, request)
	if err != nil {
		return err
	}
	report(c, "model", "tokens", outcome)
	return checkpoint(c.Context, db)
}

func loadSAEs(c *cli.Context) error {
	switch published := c.IsSet("layer") || c.IsSet("id"); {
	case c.NArg() == 0 && !c.IsSet("release"):
		return wrongUsage("load sae: expected at least one PATH, or --release with the name of a published one")
	case c.NArg() > 0 && published:
		return wrongUsage("load sae: --layer and --id choose from a published release, and go with --release alone")
	case c.IsSet("neuronpedia-id") && !operations.IsNeuronpediaID(c.String("neuronpedia-id")):
		return wrongUsage("load sae: --neuronpedia-id: expected MODEL/SOURCE, such as gpt2-small/8-res-jb, found %q", c.String("neuronpedia-id"))
	case c.IsSet("layer") && c.Int("layer") < 0:
		return wrongUsage("load sae: --layer: expected 0 or more, found %d", c.Int("layer"))
	}
	if err := checkDecoder(c); err != nil {
		return err
	}
	if err := requireName(c); err != nil {
		return err
	}
	wanted := operations.SAEsWanted{Paths: c.Args().Slice(), Release: c.String("release"), ID: c.String("id"), Layer: -1}
	if c.IsSet("layer") {
		wanted.Layer = c.Int("layer")
	}
	requests, err := hubOf(c).SAERequests(c.Context, wanted)
	if err != nil {
		return explained(c, err)
	}
	for _, flag := range []string{"name", "hook", "neuronpedia-id"} {
		if c.IsSet(flag) && len(requests) != 1 {
			return wrongUsage("load sae: --%s is of one SAE, found %d", flag, len(requests))
		}
	}
	requests, err = operations.ForEach("", requests, loader.SAERequest{
		Name: c.String("name"), Hook: c.String("hook"), Known: sae.Published{NeuronpediaID: c.String("neuronpedia-id")},
		Model: c.String("model"), Release: c.String("release"), Decoder: c.String("decoder"), Encoder: c.Bool("encoder"), Replace: c.Bool("replace"), Copy: c.Bool("copy"),
		InPlace: c.Bool("in-place"),
	})
	if err != nil {
		return err
	}
	db, err := openDatabase(c, saedb.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	for _, r := range requests {
		outcome, err := db.LoadSAE(c.Context, r)
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
		fmt.Fprintf(c.App.Writer, "%s %s is already loaded from %s, with the same SHA-256; %s\n", kind, o.Name, o.Source, cmp.Or(o.Now, "nothing changed"))
		return
	}
	if o.Note != "" {
		fmt.Fprintf(c.App.ErrWriter, "saedb: note: %s\n", o.Note)
	}
	fmt.Fprintf(c.App.Writer, "loaded %s %s: %d %s, %.1f MB, %.1f s\n", kind, o.Name, o.Rows, unit, float64(o.Bytes)/1e6, o.Took.Seconds())
}
