package main

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

// TestFlagsFirst: flags go before what is no flag, those of all commands before the command.
func TestFlagsFirst(t *testing.T) {
	for given, want := range map[string]string{
		"load model PATH --name N --db F":       "--db F load model --name N PATH",
		"load model PATH --name=N --replace X":  "load model --name=N --replace PATH X",
		"--db F info":                           "--db F info",
		"plot sets a b --out c.svg":             "plot --out c.svg sets a b",
		"plot feature --set load 7":             "plot --set load feature 7", // which names a command, too
		"load sae a -- --name b":                "load sae a -- --name b",
		"sql -":                                 "sql -",
		"info --unknown x":                      "info --unknown x",
		"unload sae layer_3 --db":               "--db", // which lacks its value
		"load model PATH --name":                "load model --name",
		"load sets --family regex --family all": "load sets --family regex --family all",
	} {
		got := flagsFirst(newApp(), append([]string{"saedb"}, strings.Fields(given)...))
		if line := strings.Join(got, " "); line != "saedb "+want {
			t.Errorf("%s: %s, want %s", given, line, want)
		}
	}
}

// TestWrongUsage: what no command line can mean is refused before any database is opened, and
// says what was meant.
func TestWrongUsage(t *testing.T) {
	t.Setenv("SAEDB_DB", "")
	app := newApp()
	app.Writer, app.ErrWriter = io.Discard, io.Discard
	for given, want := range map[string]string{
		"inf":                                 `no command "inf": did you mean info?`,
		"load":                                "load: which? model, sae, sets, directions, explanations",
		"load modl":                           `load: no command "modl"; did you mean model? there are model, sae`,
		"info x":                              `info: expected no argument, found "x"`,
		"export x":                            `export: expected no argument, found "x"; the directory is --to's`,
		"version x":                           `version: expected no argument, found "x"`,
		"info":                                "info: which database? saedb --db FILE info",
		"compute --tokens some":               `compute: --tokens: expected all or real, found "some"`,
		"compute --links --neighbours":        "compute: --links or --neighbours, not both",
		"compute --from a":                    "compute: --from goes with --links or --neighbours",
		"compute --links --sae a":             "compute: --sae goes with statistics",
		"compute --links --top 0":             "compute: --top: expected 1 to",
		"compute --layer 3 --sae a":           "compute: --layer or --sae, not both",
		"compute --layer -3":                  "compute: --layer: expected 0 or more, found -3",
		"compute --layr 3":                    "compute: no flag --layr: did you mean --layer?",
		"plot":                                "plot: which figure? skewness, kurtosis",
		"plot skewnes":                        `plot: no figure "skewnes"; did you mean skewness?`,
		"plot sets a":                         "plot sets: expected two token sets, found 1 arguments",
		"plot feature x":                      `plot feature: expected a feature's number, found "x"`,
		"plot running-sum 3":                  "plot running-sum: expected a feature's number and a token set, found 1 arguments",
		"plot layers 3":                       `plot layers: expected no more arguments, found "3"`,
		"plot skewness --out a.pdf":           `plot: --out: expected a name that ends in .html, .png or .svg, found "a.pdf"`,
		"load model PATH --name":              "load model: --name: expected a value, found none",
		"info --db":                           "--db: expected a value, found none",
		"backup":                              "backup: expected one FILE, found 0",
		"load sae a --model m --decoder none": "decoder",
	} {
		err := app.RunContext(context.Background(), flagsFirst(app, append([]string{"saedb"}, strings.Fields(given)...)))
		var wrong *usageError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), want) {
			t.Errorf("saedb %s: %v, want %s", given, err, want)
		}
	}
}

// TestExitCodes: scripts rely on them.
func TestExitCodes(t *testing.T) {
	t.Setenv("SAEDB_DB", "")
	missing := t.TempDir() + "/missing.db"
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		line string
		want int
	}{
		{context.Background(), "--version", exitDone},
		{context.Background(), "nonsense", exitUsage},
		{context.Background(), "--db " + missing + " info", exitFailed},
		{ended, "--db " + missing + " info", exitInterrupted},
	} {
		if got := run(c.ctx, append([]string{"saedb"}, strings.Fields(c.line)...)); got != c.want {
			t.Errorf("saedb %s: exit code %d, want %d", c.line, got, c.want)
		}
	}
}
