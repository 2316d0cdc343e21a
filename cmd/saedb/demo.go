package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

var demoCommand = &cli.Command{
	Name:  "demo",
	Usage: "load the example, compute, ask, and write a report to look at",
	Description: "The example, a small real model's unembedding and six SAEs, is in the Python package saedb-example and in\n" +
		"a clone of saedb. No network is needed. The database is demo.db, or the one that --db names; the report is written\n" +
		"beside it. The second time everything is there already, and only the questions are left.",
	Flags: []cli.Flag{
		&cli.StringFlag{Name: "example", Usage: "`DIRECTORY` of the example (default: that of the Python package, or of the clone that this is run in)", EnvVars: []string{"SAEDB_EXAMPLE"}},
		&cli.BoolFlag{Name: "open", Usage: "open the report in the browser (default: in a terminal on a desktop)"},
	},
	Action: demo,
}

// Files of the example, in its directory.
const (
	demoModel = "SmolLM2-135M-Instruct.unembedding.gguf"
	demoSAEs  = "saes"
)

// demoQuestions are asked, in order, with what each is about.
var demoQuestions = []struct{ about, query string }{
	{"The most telling features of the last two layers: skewed towards a few tokens", `
SELECT layer, feature, label, role, round(skewness, 2) AS skewness, round(kurtosis, 1) AS kurtosis,
       top_tokens[:5] AS promotes, bottom_tokens[:3] AS suppresses
FROM features WHERE layer >= 24 AND skewness > 1 ORDER BY features.kurtosis DESC LIMIT 10`},
	{"Layer by layer", `
SELECT layer, count(*) AS features, round(median(std), 4) AS median_std, round(median(skewness), 3) AS median_skewness,
       round(quantile_cont(kurtosis, 0.95), 2) AS kurtosis_95, count(*) FILTER (skewness > 1) AS skewed, count(*) FILTER (log_sparsity < -9) AS dead
FROM features GROUP BY layer ORDER BY layer`},
	{"By layer, how many features write some set of tokens beyond chance (q < 0.05), and at most how many of as many random directions would", `
SELECT layer, features, beyond_chance, round(expected_by_chance, 1) AS expected_by_chance FROM layers`},
	{"What they are about: the largest effects of the last layer beyond chance, over all token sets", `
SELECT token_set, s.size, feature, round(effect, 3) AS effect, q_value, label
FROM strongest_sets('smollm2-demo/layer_29', k := 10) s JOIN layer_29 USING (feature) ORDER BY effect DESC`},
}

func demo(c *cli.Context) error {
	example, err := findExample(c.String("example"))
	if err != nil {
		return err
	}
	db := cmp.Or(c.String("db"), "demo.db")
	report := strings.TrimSuffix(db, filepath.Ext(db)) + "-report.html"
	saedb := func(args ...string) error {
		args = append([]string{c.App.Name, "--db", db}, args...)
		return c.App.RunContext(c.Context, flagsFirst(c.App, args))
	}
	for _, step := range [][]string{
		{"load", "model", filepath.Join(example, demoModel), "--name", "smollm2-135m"},
		{"load", "sae", filepath.Join(example, demoSAEs), "--release", "smollm2-demo"},
		{"load", "sets"},
		{"compute"},
	} {
		if err := saedb(step...); err != nil {
			return err
		}
	}
	for _, question := range demoQuestions {
		fmt.Fprintf(c.App.Writer, "\n%s\n", question.about)
		if err := saedb("sql", "--read-only", question.query); err != nil {
			return err
		}
	}
	fmt.Fprintln(c.App.Writer)
	if err := saedb("report", "--out", report); err != nil {
		return err
	}
	return lookAt(c, db, report)
}

// lookAt opens the report where that is wanted and says what to try next.
func lookAt(c *cli.Context, db, report string) error {
	asked := c.IsSet("open")
	wanted := c.Bool("open") || !asked && onDesktop()
	var failed error
	if wanted {
		failed = openPage(c.Context, report, "demo", "the report is written: open "+report+" in a browser")
	}
	if !wanted || failed != nil {
		fmt.Fprintf(c.App.Writer, "\nLook at it: open %s in a browser; it needs no network.\n", report)
	}
	command := os.Args[0] + " --db " + db
	fmt.Fprintf(c.App.Writer, `
Try next:
  %[1]s plot skew-kurtosis
  %[1]s sql "SELECT layer, feature, logit_weight FROM feature_tokens WHERE text = ' three' AND direction = 'promoted' ORDER BY logit_weight DESC LIMIT 5"
  %[1]s serve
`, command)
	if asked {
		return failed
	}
	return nil
}

// onDesktop says whether somebody looks at a terminal of a desktop, on which a page can
// be opened.
func onDesktop() bool {
	if !term.IsTerminal(int(os.Stdout.Fd())) || os.Getenv("SSH_CONNECTION") != "" {
		return false
	}
	return runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DISPLAY") != "" || os.Getenv("WAYLAND_DISPLAY") != ""
}

// findExample returns the directory of the example: the one given, or that of a clone
// in whose top directory this is run.
func findExample(given string) (string, error) {
	directory := cmp.Or(given, filepath.Join("examples", "smollm2-135m"))
	if _, err := os.Stat(filepath.Join(directory, demoModel)); err != nil {
		return "", &fault.Error{
			Op: "demo", Subject: directory, Expected: "the example, with " + demoModel, Found: "none there",
			Hint: "pip install saedb-example brings it; or run this in the top of a clone of saedb, or give its directory with --example",
		}
	}
	return directory, nil
}
