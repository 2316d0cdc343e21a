package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/figures"
	"github.com/urfave/cli/v2"
)

var plotCommand = &cli.Command{
	Name:        "plot",
	Usage:       "draw a figure, as an HTML page that needs no network, PNG or SVG",
	ArgsUsage:   "NAME [ARGUMENTS]",
	Description: plotDescription(),
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "sae", Usage: "only SAEs whose name, or release/name, matches the glob `PATTERN`"},
		&cli.StringFlag{Name: "out", Usage: "the `FILE` to write: .html, .png or .svg (default: NAME.html here)"},
		&cli.StringFlag{Name: "sql", Usage: "a `QUERY` of your own that gives the columns named above, those in brackets if you like"},
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
	write := plotFormats[filepath.Ext(out)]
	if write == nil {
		return wrongUsage("plot: --out: expected a name that ends in .html, .png or .svg, found %q", out)
	}
	db, err := openDatabase(c, saedb.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	defer db.Functions.During(c.Context)()
	if err := requireTables(c.Context, db, "plot", c.String("db")); err != nil {
		return err
	}
	figure, err := figures.Build(c.Context, db.DB, request)
	if err != nil {
		return err
	}
	database := filepath.Base(c.String("db"))
	if err := writeWhole("plot", out, func(w io.Writer) error { return write(figure, w, database) }); err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "wrote %s\n", out)
	return nil
}

// plotFormats write a figure, by the ending of the file's name.
var plotFormats = map[string]func(f *figures.Figure, w io.Writer, database string) error{
	".html": func(f *figures.Figure, w io.Writer, database string) error { return f.HTML(w, database, saedb.Version) },
	".png": func(f *figures.Figure, w io.Writer, database string) error {
		return f.PNG(w, "saedb "+saedb.Version+", "+database)
	},
	".svg": func(f *figures.Figure, w io.Writer, database string) error {
		return f.SVG(w, "saedb "+saedb.Version+", "+database)
	},
}

// plotRequest reads the command line.
func plotRequest(c *cli.Context) (figures.Request, error) {
	r := figures.Request{Feature: -1, SAE: c.String("sae"), Query: c.String("sql"), Bins: c.Int("bins")}
	if c.NArg() == 0 {
		return r, wrongUsage("plot: which figure? %s", plotNames())
	}
	r.Name = c.Args().First()
	if c.Int("bins") < 0 || c.Int("bins") > 10000 {
		return r, wrongUsage("plot: --bins: expected 1 to 10000, found %d", c.Int("bins"))
	}
	for _, k := range figures.Kinds {
		if k.Name == r.Name {
			return r, plotArguments(&r, c.Args().Tail())
		}
	}
	return r, wrongUsage("plot: no figure %q; there are %s", r.Name, plotNames())
}

// plotArguments reads what comes after the name of the figure.
func plotArguments(r *figures.Request, rest []string) error {
	if len(rest) > 0 {
		return wrongUsage("plot %s: expected no argument, found %q", r.Name, rest[0])
	}
	return nil
}

func plotNames() string {
	var names []string
	for _, k := range figures.Kinds {
		names = append(names, k.Name)
	}
	return strings.Join(names, ", ")
}

// writeWhole writes a file that appears whole or not at all.
func writeWhole(op, path string, write func(io.Writer) error) error {
	partial, err := os.CreateTemp(filepath.Dir(path), ".saedb-*"+filepath.Ext(path))
	if err != nil {
		return fault.At(op, path, err)
	}
	defer os.Remove(partial.Name())
	buffered := bufio.NewWriterSize(partial, 1<<16)
	if err := write(buffered); err != nil {
		partial.Close()
		return err
	}
	if err := buffered.Flush(); err != nil {
		partial.Close()
		return fault.At(op, path, err)
	}
	if err := partial.Chmod(0o644); err != nil {
		partial.Close()
		return fault.At(op, path, err)
	}
	if err := partial.Close(); err != nil {
		return fault.At(op, path, err)
	}
	return fault.At(op, path, os.Rename(partial.Name(), path))
}
