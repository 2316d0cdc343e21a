package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	console = regexp.MustCompile("(?s)```console\n(.*?)```")
	// Times, and the size of an export, differ from run to run.
	volatileText = regexp.MustCompile(`\d+\.\d s( \(\d+ (features|scores)/s\))?|to \S+: \d+\.\d MB`)
)

// pages are those whose commands are run, and how many of them each has at least.
var pages = map[string]int{
	"README.md": 4, "docs/guide.md": 15, "docs/coming-from-saelens.md": 5, "docs/bi.md": 2, "docs/export.md": 3, "docs/links.md": 6, "docs/readers.md": 5, "docs/heads.md": 5,
}

// TestReadme runs the commands of README.md and other pages and compares what they
// print with what stands there, times apart. With -update it writes the output anew.
// Pages round what they show to digits that all kernels share, for the test must
// pass on every processor: scripts/test-cpus.sh documents runs it on each kernel.
func TestReadme(t *testing.T) {
	for page, least := range pages {
		t.Run(page, func(t *testing.T) { runPage(t, page, least) })
	}
}

// pageDirectory is a directory in which the commands of a page run as in a clone
// after make demo.
func pageDirectory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, target := range map[string]string{"bin/saedb": program, "examples": "../examples"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(absolute(t, target), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(t, example, filepath.Join(dir, "demo.db"))
	return dir
}

func runPage(t *testing.T, page string, least int) {
	t.Parallel() // loads and starts of the program are one thread's
	page = filepath.Join("..", page)
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), ".html\n```") {
		needCharts(t) // it draws figures in HTML
	}
	dir := pageDirectory(t)
	commands := 0
	updated := console.ReplaceAllStringFunc(string(text), func(block string) string {
		var shown strings.Builder
		for _, line := range strings.Split(console.FindStringSubmatch(block)[1], "\n") {
			command, ok := strings.CutPrefix(line, "$ ")
			if !ok {
				continue
			}
			commands++
			shell := exec.Command("sh", "-c", command)
			shell.Dir = dir
			out, err := shell.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %v\n%s", command, err, out)
			}
			shown.WriteString(line + "\n" + string(out))
		}
		return "```console\n" + shown.String() + "```"
	})
	if t.Failed() {
		return // neither compared nor written: what failed is no output to show
	}
	if *update {
		if err := os.WriteFile(page, []byte(updated), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if commands < least {
		t.Errorf("only %d commands found", commands)
	}
	if got, want := volatileText.ReplaceAllString(updated, "T"), volatileText.ReplaceAllString(string(text), "T"); got != want {
		t.Errorf("%s shows other output than its commands print; go test ./test -run TestReadme -update writes it%s", page, otherLines(want, got))
	}
}

// TestPagesWithSameNames: the commands of pages run, unchanged, in a database that also has
// another release with the same names of SAEs, and another model with them.
func TestPagesWithSameNames(t *testing.T) {
	t.Parallel()
	same := filepath.Join(t.TempDir(), "same.db")
	copyFile(t, example, same)
	mustRun(t, "--db", same, "load", "sae", filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"), "--release", "second", "--copy")
	mustRun(t, "--db", same, "load", "model", exampleModel, "--name", "other", "--processing", "none")
	mustRun(t, "--db", same, "load", "sae", filepath.Join(exampleSAEs, "blocks.24.hook_resid_pre"), "--release", "elsewhere", "--model", "other")
	mustRun(t, "--db", same, "compute")
	for page := range pages {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(filepath.Join("..", page))
			if err != nil {
				t.Fatal(err)
			}
			dir := pageDirectory(t)
			copyFile(t, same, filepath.Join(dir, "demo.db"))
			for _, block := range console.FindAllStringSubmatch(string(text), -1) {
				for line := range strings.Lines(block[1]) {
					command, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "$ ")
					if !ok {
						continue
					}
					shell := exec.Command("sh", "-c", command)
					shell.Dir = dir
					// An error that says what to do instead is an answer too; a wrong row is none.
					out, err := shell.CombinedOutput()
					if says := string(out); err != nil && !strings.Contains(says, "name one") && !strings.Contains(says, "several models") && !strings.Contains(says, "expected one SAE") {
						t.Errorf("%s: %v\n%s", command, err, out)
					}
				}
			}
		})
	}
}

// otherLines are the lines that one text has and the other has not.
func otherLines(want, got string) string {
	var shown strings.Builder
	list := func(mark, of, in string) {
		for line := range strings.Lines(of) {
			if !strings.Contains(in, line) {
				shown.WriteString("\n" + mark + strings.TrimSuffix(line, "\n"))
			}
		}
	}
	list("- ", want, got)
	list("+ ", got, want)
	return shown.String()
}
