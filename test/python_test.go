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
		"1.5.6": {"test_saedb.py", "test_process.py"},
		"2.0.0": {"test_saedb.py", "test_process.py"},
	} {
		t.Run(version, func(t *testing.T) {
			path := site + ":" + needClient(t, "duckdb-"+version)
			for _, script := range scripts {
				out := runIn(t, "../python/tests", []string{"PYTHONPATH=" + path}, python, "-W", "error", "-m", "unittest", script)
				if !strings.Contains(out, "\nOK") {
					t.Errorf("%s: %s", script, out)
				}
			}
		})
	}
}

// TestPythonStory is what a person does first: an empty virtual environment, the
// wheel, and the ten lines of README.md, which print the most skewed
// features of the example.
func TestPythonStory(t *testing.T) {
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
