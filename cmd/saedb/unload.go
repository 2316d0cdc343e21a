package main

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/loader"
	"github.com/urfave/cli/v2"
)

var unloadCommand = &cli.Command{
	Name:  "unload",
	Usage: "take out SAEs, directions, models, token sets, explanations or lenses that were loaded",
	Description: "All that is named goes, with what was computed of it, or nothing does. The space is used again by what is loaded\n" +
		"next; saedb compact gives it back.",
	Subcommands: []*cli.Command{
		unloadVerb(loader.UnloadSAE, "WORDS...", "take out SAEs, with their statistics and scores", nil),
		unloadVerb(loader.UnloadModel, "NAME...", "take out models, with their token sets", []cli.Flag{
			&cli.BoolFlag{Name: "cascade", Usage: "with the SAEs and lenses that are loaded for them"},
		}),
		unloadVerb(loader.UnloadSets, "[NAME...]", "take out token sets, with the scores in them", []cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "`NAME` of the model, where several have a set of that name"},
			&cli.StringSliceFlag{Name: "family", Usage: "only sets of the family `F`, all of them where none is named"},
		}),
		unloadVerb(loader.UnloadDirections, "WORDS...", "take out directions that are no SAE's", nil),
		unloadVerb(loader.UnloadLens, "NAME...", "take out lenses, with what was computed through them", nil),
		unloadVerb(loader.UnloadExplanations, "FILE...", "take out explanations, by the names of their files", nil),
	},
}

func unloadVerb(kind, arguments, usage string, flags []cli.Flag) *cli.Command {
	what := "Each is a name or a glob pattern."
	if arguments == "WORDS..." {
		what = "WORDS are a name, release/name, layer_N, release/layer_N or a glob pattern."
	}
	return &cli.Command{
		Name: kind, Usage: usage, ArgsUsage: arguments, Description: what, Flags: flags,
		Action: func(c *cli.Context) error { return unload(c, kind) },
	}
}

func unload(c *cli.Context, kind string) error {
	if !c.Args().Present() && len(c.StringSlice("family")) == 0 {
		return wrongUsage("unload %s: which? expected %s", kind, c.Command.ArgsUsage)
	}
	db, err := openDatabase(c, saedb.Options{MustExist: true})
	if err != nil {
		return err
	}
	defer db.Close()
	gone, err := db.Unload(c.Context, loader.UnloadRequest{
		Kind: kind, Names: c.Args().Slice(), Model: c.String("model"), Families: c.StringSlice("family"), Cascade: c.Bool("cascade"),
	})
	if err != nil {
		return err
	}
	if err := checkpoint(c.Context, db); err != nil {
		return err
	}
	for _, g := range gone {
		what := strings.TrimSuffix("unloaded "+g.Kind+" "+g.Name+", with "+g.With, ", with ")
		fmt.Fprintln(c.App.Writer, what)
	}
	if kind == loader.UnloadSets {
		fmt.Fprintln(c.App.Writer, "saedb compute adjusts the q-values of the sets that are left")
	}
	return nil
}
