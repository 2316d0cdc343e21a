package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// environment is a virtual environment with the program's version of DuckDB, NumPy,
// Arrow, pandas and polars; make python-clients makes it.
const environment = clients + "/environment"

// builtWheel builds the Python package, once, and returns the path of its wheel.
var builtWheel = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command("make", "-C", "..", "wheel").CombinedOutput(); err != nil {
		return "", &commandError{"make wheel", out, err}
	}
	wheels, err := filepath.Glob("../build/wheel/saedb-*.whl")
	if err != nil || len(wheels) != 1 {
		return "", &commandError{"make wheel", []byte(strings.Join(wheels, " ")), err}
	}
	return filepath.Abs(wheels[0])
})

type commandError struct {
	command string
	out     []byte
	err     error
}

func (e *commandError) Error() string { return fmt.Sprintf("%s: %v\n%s", e.command, e.err, e.out) }

func wheel(t *testing.T) string {
	t.Helper()
	needMake(t)
	if _, err := os.Stat(filepath.Join(environment, ".complete")); err != nil {
		t.Skip("the Python environment is not installed; make python-clients installs it")
	}
	path, err := builtWheel()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runIn runs a command in a directory and returns what it prints.
func runIn(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), env...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// TestPythonPackage runs the package's own tests on the wheel: with the version of
// DuckDB that saedb is built with, and the newest; those of what it does also with the oldest.
func TestPythonPackage(t *testing.T) {
	built, site := wheel(t), t.TempDir()
	python := absolute(t, filepath.Join(environment, "bin/python"))
	runIn(t, ".", nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	for version, scripts := range map[string][]string{
		"1.3.0": {"test_saedb.py"},
		"1.5.6": {"test_saedb.py", "test_process.py", "test_program.py"},
		"2.0.0": {"test_saedb.py", "test_process.py"},
	} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // most of the time is one thread's
			path := site + ":" + needClient(t, "duckdb-"+version)
			for _, script := range scripts {
				out := runIn(t, "../python/tests", []string{"PYTHONPATH=" + path, "SAEDB_SOURCES=" + absolute(t, "..")}, python, "-W", "error", "-m", "unittest", script)
				if !strings.Contains(out, "\nOK") {
					t.Errorf("%s: %s", script, out)
				}
			}
		})
	}
}

// pythonBlocks are pages whose blocks of Python are run, one after the other, and how many of
// them each has at least.
var pythonBlocks = map[string]int{"docs/python.md": 11, "docs/extension.md": 1}

// TestPythonPages runs the Python of pages as somebody does who has installed the wheels, in a
// directory of their own.
func TestPythonPages(t *testing.T) {
	t.Parallel()
	built, site := wheel(t), t.TempDir()
	needCharts(t)
	python := absolute(t, filepath.Join(environment, "bin/python"))
	runIn(t, ".", nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	examplePackage(t, site)
	for page, least := range pythonBlocks {
		t.Run(page, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", page))
			if err != nil {
				t.Fatal(err)
			}
			blocks := pythonBlock.FindAllStringSubmatch(string(text), -1)
			if len(blocks) < least {
				t.Errorf("%d blocks, expected at least %d", len(blocks), least)
			}
			var script strings.Builder
			for _, block := range blocks {
				script.WriteString(block[1] + "\n")
			}
			runIn(t, t.TempDir(), []string{"PYTHONPATH=" + site}, python, "-W", "error", "-c", script.String())
		})
	}
}

// TestPythonTypes checks the types of the package, and of the pages' Python with them.
func TestPythonTypes(t *testing.T) {
	needMake(t)
	site := filepath.Join(clients, "mypy-2.4.1")
	if _, err := os.Stat(filepath.Join(site, ".complete")); err != nil {
		t.Skip("mypy is not installed; make python-clients installs it")
	}
	checked := t.TempDir()
	args := []string{"-m", "mypy", "--strict", "--cache-dir", t.TempDir(), "--config-file", "pyproject.toml", "-p", "saedb", "-p", "saedb_program", "-p", "saedb_example", "-p", "saedb_spark"}
	for page := range pythonBlocks {
		text, err := os.ReadFile(filepath.Join("..", page))
		if err != nil {
			t.Fatal(err)
		}
		var script strings.Builder
		for _, block := range pythonBlock.FindAllStringSubmatch(string(text), -1) {
			script.WriteString(block[1] + "\n")
		}
		module := strings.TrimSuffix(filepath.Base(page), ".md") + "_page"
		if err := os.WriteFile(filepath.Join(checked, module+".py"), []byte(script.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, "-m", module)
	}
	python := absolute(t, filepath.Join(environment, "bin/python"))
	out := runIn(t, "../python", []string{"PYTHONPATH=" + absolute(t, site), "MYPYPATH=src:example/src:" + checked}, python, args...)
	if !strings.Contains(out, "Success: no issues found") {
		t.Error(out)
	}
}

// TestPythonStory is what a person does first: an empty virtual environment, the
// wheel, and the ten lines of README.md, which print the most skewed
// features of the example.
func TestPythonStory(t *testing.T) {
	t.Parallel()
	built, dir := wheel(t), t.TempDir()
	runIn(t, dir, nil, "python3", "-m", "venv", "venv")
	python := filepath.Join(dir, "venv/bin/python")
	runIn(t, dir, nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-index", "--find-links", absolute(t, filepath.Join(clients, "wheels")), built)
	if err := os.Symlink(absolute(t, "../examples"), filepath.Join(dir, "examples")); err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	packaged, err := os.ReadFile("../python/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(readme), "```python\n")
	script, _, _ = strings.Cut(script, "```")
	if !strings.Contains(string(packaged), script) {
		t.Error("python/README.md shows another story than README.md")
	}
	if n := strings.Count(script, "\n"); n > 11 {
		t.Errorf("the story takes %d lines", n)
	}
	out := runIn(t, dir, nil, python, "-c", script)
	out = progressBar.ReplaceAllString(out, "")
	want := "29 1328 4.21 [')', '?)', ').', '),']\n29 931 3.9 ['\"', '.\"', '\";', '\",']\n"
	if !strings.HasPrefix(out, want) || strings.Count(out, "\n") != 5 {
		t.Errorf("got\n%s\nexpected\n%s…", out, want)
	}
}

// progressBar is what DuckDB shows of a query that takes long.
var progressBar = regexp.MustCompile(`(?m)^.*▕.*\n`)

func absolute(t *testing.T, path string) string {
	t.Helper()
	whole, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}
