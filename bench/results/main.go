// Command results runs benchmarks and writes what they print into bench/RESULTS.md, each with the
// machine, the date, the commit and the command, so that no figure there is older than it says:
//
//	go run ./bench/results              # those that need nothing installed
//	go run ./bench/results pairs lens   # these
//
// A section has a part of each processor that its benchmark ran on, a new one first: a run takes the place
// of the one before it on a processor of the same kind. What stands outside these parts is by hand and is left.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/saedb/saedb/bench/measure"
)

const page = "bench/RESULTS.md"

// A section is a benchmark's part of the page.
type section struct {
	name, title string
	command     []string
	installed   bool // whether it needs what bench/README.md says to install
}

var sections = []section{
	{name: "kernel", title: "The fused pass against sgemm", command: []string{"go", "run", "./bench/kernel"}},
	{name: "saedb", title: "The whole job", command: []string{"go", "run", "./bench/peers", "-only", "saedb"}},
	{name: "peers", title: "The whole job against SAELens and PyTorch", command: []string{"go", "run", "./bench/peers"}, installed: true},
	{name: "duckdb", title: "Against DuckDB alone", command: []string{"go", "run", "./bench/duckdb"}},
	{name: "enrichment", title: "Enrichment", command: []string{"go", "run", "./bench/enrichment"}, installed: true},
	{name: "pairs", title: "Features with features", command: []string{"go", "run", "./bench/pairs"}},
	{name: "lens", title: "Through a lens", command: []string{"go", "run", "./bench/lens"}},
	{name: "explorer", title: "The explorer", command: []string{"go", "run", "./bench/explorer"}},
	{name: "first", title: "First answers", command: []string{"go", "run", "./bench/first"}},
	{name: "inplace", title: "Weights that stay in their files", command: []string{"go", "run", "./bench/inplace"}},
	{name: "serve", title: "The explorer under load", command: []string{"go", "run", "./bench/serve"}},
	{name: "extension", title: "Inside Python", command: []string{"go", "run", "./bench/extension"}, installed: true},
	{name: "calibration", title: "Calibration", command: []string{"go", "run", "./bench/calibration"}},
	{name: "ladder", title: "The ladder", command: []string{"go", "run", "./bench/ladder"}},
}

func main() {
	flag.Parse()
	measure.Main("results", run(flag.Args()))
}

func run(names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			var there []string
			for _, s := range sections {
				there = append(there, s.name)
			}
			return fmt.Errorf("expected names of benchmarks (%s), found %q", strings.Join(there, ", "), name)
		}
	}
	// Before the first section is written, which changes a file of the commit.
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return fmt.Errorf("git describe: %w", err)
	}
	var failed error
	for _, s := range sections {
		if len(names) == 0 && s.installed || len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		if err := s.write(strings.TrimSpace(string(commit))); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", s.name, err))
		}
	}
	return failed
}

// write runs the benchmark and puts what it printed on the page. One that fails leaves the page
// as it was.
func (s section) write(commit string) error {
	fmt.Fprintf(os.Stderr, "== %s\n", s.name)
	command := exec.Command(s.command[0], s.command[1:]...)
	var printed bytes.Buffer
	command.Stdout, command.Stderr = io.MultiWriter(&printed, os.Stderr), os.Stderr
	machine, begun := measure.Machine(), time.Now().UTC()
	if err := command.Run(); err != nil {
		return err
	}
	text, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	written := fmt.Sprintf("%s, commit %s, `%s`, in %v;\n%s.\n\n```text\n%s\n```\n", begun.Format("2006-01-02 15:04 MST"),
		commit, strings.Join(s.command, " "), time.Since(begun).Round(time.Second), machine, strings.TrimSpace(printed.String()))
	return os.WriteFile(page, []byte(s.into(string(text), measure.Processor(), written)), 0o644)
}

// into returns the page with what was written on a processor in place of what stood there of it.
func (s section) into(text, processor, written string) string {
	begin, end := fmt.Sprintf("<!-- written by go run ./bench/results %s, %s -->\n", s.name, processor), "<!-- end of what was written -->\n"
	block := begin + "\n" + written + "\n" + end
	if before, after, found := strings.Cut(text, begin); found {
		if _, after, found = strings.Cut(after, end); found {
			return before + block + after
		}
	}
	heading := "## " + s.title + "\n"
	if before, after, found := strings.Cut(text, "\n"+heading); found {
		return before + "\n" + heading + "\n" + block + after
	}
	if before, after, found := strings.Cut(text, "\n## To measure again\n"); found {
		return before + "\n" + heading + "\n" + block + "\n## To measure again\n" + after
	}
	return strings.TrimRight(text, "\n") + "\n\n" + heading + "\n" + block
}
