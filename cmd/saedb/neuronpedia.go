package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/neuronpedia"
	"github.com/saedb/saedb/internal/operations"
	"github.com/urfave/cli/v2"
)

var neuronpediaCommand = &cli.Command{
	Name:      "neuronpedia",
	Usage:     "print the addresses of Neuronpedia's pages of a list of features, or open them",
	ArgsUsage: "SAE:FEATURES...",
	Description: "SAE is words for one SAE: a name, release/name, layer_N or a glob pattern. FEATURES are numbers and ranges:\n" +
		"saedb neuronpedia blocks.8.hook_resid_pre:12,55-60 layer_9:7\n" +
		"--query takes them from a query instead, which gives the columns sae and feature. A list has at most\n" +
		"150 features, as Neuronpedia allows, and an address that its server takes; more make more lists, an address a line.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "query", Usage: "`QUERY` that gives the features, in order"},
		&cli.StringFlag{Name: "name", Usage: "`NAME` of the list, which its page shows", Value: "saedb"},
		&cli.BoolFlag{Name: "open", Usage: "open them in the browser, too"},
	},
	Action: listOnNeuronpedia,
}

// mostOpened bounds how many pages --open opens: each is a window or tab.
const mostOpened = 10

func listOnNeuronpedia(c *cli.Context) error {
	switch {
	case c.IsSet("query") == c.Args().Present():
		return wrongUsage("neuronpedia: expected SAE:FEATURES or --query, one of them")
	case strings.TrimSpace(c.String("name")) == "":
		return wrongUsage("neuronpedia: --name: the page needs one")
	}
	chosen, err := operations.ParseChoices(c.Args().Slice())
	if err != nil {
		return wrongUsage("%v", err)
	}
	db, err := openLoaded(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	if c.IsSet("query") {
		if chosen, err = operations.QueryChoices(c.Context, db.DB, c.String("query")); err != nil {
			return err
		}
	}
	features, err := operations.OnNeuronpedia(c.Context, db.DB, chosen)
	if err != nil {
		return err
	}
	addresses := neuronpedia.QuickLists(c.String("name"), features)
	for _, address := range addresses {
		fmt.Fprintln(c.App.Writer, address)
	}
	if c.Bool("open") {
		return openPages(c, addresses)
	}
	return nil
}

// openPages opens addresses in the browser that the desktop has.
func openPages(c *cli.Context, addresses []string) error {
	if len(addresses) > mostOpened {
		return &fault.Error{
			Op: "neuronpedia", Subject: "--open", Expected: fmt.Sprintf("at most %d lists", mostOpened), Found: fmt.Sprint(len(addresses)),
			Hint: "choose fewer features, or open the addresses above one by one",
		}
	}
	for _, address := range addresses {
		if err := openPage(c.Context, address, "neuronpedia", "the address is printed above: open it in a browser"); err != nil {
			return err
		}
	}
	return nil
}

// openPage opens an address or a file in the browser that the desktop has, for the
// operation op; hint is what to do where there is none.
func openPage(ctx context.Context, page, op, hint string) error {
	opener := []string{"xdg-open"}
	switch runtime.GOOS {
	case "darwin":
		opener = []string{"open"}
	case "windows":
		opener = []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	command := exec.CommandContext(ctx, opener[0], append(opener[1:], page)...)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Run(); err != nil {
		return &fault.Error{Op: op, Subject: opener[0], Problem: strings.TrimSpace(said.String()), Err: err, Hint: hint}
	}
	return nil
}
