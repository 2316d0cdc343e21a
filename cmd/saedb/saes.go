package main

import (
	schema "github.com/saedb/saedb/sql"
	"github.com/urfave/cli/v2"
)

// The flags that choose SAEs, the same words everywhere: those of the macro saes_matching.
var (
	saeFlag = &cli.StringFlag{
		Name:  "sae",
		Usage: "only the SAEs that `WORDS` mean: a name, release/name, layer_N, release/layer_N or a glob pattern",
	}
	layerFlag = &cli.IntFlag{Name: "layer", Usage: "only the SAEs at layer `N`"}
)

// saeWords are the words of the flags, "" where none is given.
func saeWords(c *cli.Context) (string, error) {
	switch {
	case !c.IsSet("layer"):
		return c.String("sae"), nil
	case c.IsSet("sae"):
		return "", wrongUsage("%s: --layer or --sae, not both: --sae RELEASE/layer_N is a layer of a release", c.Command.FullName())
	case c.Int("layer") < 0:
		return "", wrongUsage("%s: --layer: expected 0 or more, found %d", c.Command.FullName(), c.Int("layer"))
	}
	return schema.AtLayer(c.Int("layer")), nil
}
