package test

import (
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const clientExamples = "../examples/clients"

// shellAnswers are the tables that the program prints for the shell's example, one
// after the other, as CSV. The other examples ask the same.
func shellAnswers(t *testing.T) [][]string {
	t.Helper()
	script, err := os.ReadFile(clientExamples + "/shell/features.sql")
	if err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(string(script), "LOAD 'build/extension/saedb.duckdb_extension';\n")
	if !found {
		t.Fatal("features.sql loads no extension")
	}
	ran := saedbRun(t, before+after, "--db", example, "sql", "--read-only", "--format", "csv")
	if ran.code != 0 {
		t.Fatal(ran.stderr)
	}
	return parseCSV(t, ran.stdout)
}

func parseCSV(t *testing.T, text string) [][]string {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(text))
	reader.FieldsPerRecord = -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return rows
}

// expectedOfClients is what an example prints of them: from the views, which any
// client reads, and from the functions.
func expectedOfClients(t *testing.T) (views, functions string) {
	t.Helper()
	rows := shellAnswers(t)
	if len(rows) != 6+2+6+4 {
		t.Fatalf("the shell's example has %d rows: %q", len(rows), rows)
	}
	lines := func(rows [][]string, format func(row []string) string) (text string) {
		for _, row := range rows {
			text += format(row) + "\n"
		}
		return text
	}
	decimals := func(text string, n int) string {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return strconv.FormatFloat(x, 'f', n, 64)
	}
	views = "most skewed features of layer 29:\n" + lines(rows[1:6], func(row []string) string {
		return fmt.Sprintf("%6s %s %s", row[0], decimals(row[1], 2), row[2])
	})
	functions = fmt.Sprintf("features 63 + 1328: skewness %s\n", decimals(rows[7][0], 2)) +
		lines(rows[9:14], func(row []string) string { return fmt.Sprintf("%6s %s", decimals(row[0], 2), row[1]) }) +
		"enriched in:\n" +
		lines(rows[15:], func(row []string) string { return fmt.Sprintf("%6s %s, %s", decimals(row[0], 3), row[1], row[2]) })
	return views, functions
}

func compareOutput(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nthe program says\n%s", got, want)
	}
}

// needClient skips the test when the client is not installed.
func needClient(t *testing.T, name string) string {
	t.Helper()
	dir := absolute(t, filepath.Join(clients, name))
	if _, err := os.Stat(filepath.Join(dir, ".complete")); err != nil {
		t.Skipf("the client %s is not installed; make python-clients clients installs them", name)
	}
	return dir
}

// oldExtension is the extension for DuckDB before 1.3 from PyPI, whose platform has
// another name: the same library with another footer.
var oldExtension = sync.OnceValues(func() (string, error) {
	path := "build/extension/gcc4/saedb.duckdb_extension"
	out, err := exec.Command("make", "-C", "..", "extension", "EXTENSION="+path, "PLATFORM=linux_amd64_gcc4").CombinedOutput()
	if err != nil {
		return "", &commandError{"make extension", out, err}
	}
	return filepath.Abs("../" + path)
})

// TestExampleOfPandas: from the oldest DuckDB that reads a database, over the oldest
// ones that load the extension, to the newest.
func TestExampleOfPandas(t *testing.T) {
	t.Parallel()
	views, functions := expectedOfClients(t)
	python := absolute(t, filepath.Join(environment, "bin/python"))
	for _, version := range []string{"1.0.0", "1.2.0", "1.3.0", "1.5.6", "2.0.0", "2.0.1"} {
		t.Run(version, func(t *testing.T) {
			needClient(t, "environment")
			path := []string{"PYTHONPATH=" + needClient(t, "duckdb-"+version)}
			arguments, want := []string{clientExamples + "/python/with_pandas.py", example}, views
			switch version {
			case "1.0.0": // has no C API for extensions
			case "1.2.0":
				built, err := oldExtension()
				if err != nil {
					t.Fatal(err)
				}
				arguments, want = append(arguments, built), views+functions
			default:
				arguments, want = append(arguments, extension(t)), views+functions
			}
			compareOutput(t, runIn(t, ".", path, python, arguments...), want)
		})
	}
}

// TestExampleOfPolars runs on the wheel.
func TestExampleOfPolars(t *testing.T) {
	t.Parallel()
	views, functions := expectedOfClients(t)
	built, site := wheel(t), t.TempDir()
	python := absolute(t, filepath.Join(environment, "bin/python"))
	runIn(t, ".", nil, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, built)
	for _, version := range []string{"1.3.0", "1.5.6", "2.0.0", "2.0.1"} {
		t.Run(version, func(t *testing.T) {
			path := []string{"PYTHONPATH=" + site + ":" + needClient(t, "duckdb-"+version)}
			compareOutput(t, runIn(t, ".", path, python, clientExamples+"/python/with_polars.py", example), views+functions)
		})
	}
}

func TestExampleOfNode(t *testing.T) {
	installed, dir := needClient(t, "node"), t.TempDir()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("no Node.js on this machine")
	}
	// A module is looked for beside the file that imports it.
	copyFile(t, clientExamples+"/node/features.mjs", filepath.Join(dir, "features.mjs"))
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	views, functions := expectedOfClients(t)
	compareOutput(t, runIn(t, dir, nil, "node", "features.mjs", example), views)
	compareOutput(t, runIn(t, dir, nil, "node", "features.mjs", example, extension(t)), views+functions)
}

func TestExampleOfJava(t *testing.T) {
	t.Parallel()
	installed := needClient(t, "java")
	views, functions := expectedOfClients(t)
	java := []string{"-Duser.language=en", "-cp", installed + "/*", clientExamples + "/java/Features.java", example}
	compareOutput(t, runIn(t, ".", nil, "java", java...), views)
	compareOutput(t, runIn(t, ".", nil, "java", append(java, extension(t))...), views+functions)
}

func TestExampleOfShell(t *testing.T) {
	installed := needClient(t, "shell")
	extension(t) // features.sql loads it
	script, err := os.Open(clientExamples + "/shell/features.sql")
	if err != nil {
		t.Fatal(err)
	}
	defer script.Close()
	command := exec.Command(filepath.Join(installed, "duckdb_cli/duckdb"), "-csv", "-unsigned", "-readonly", example)
	command.Dir, command.Stdin = "..", script
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, want := parseCSV(t, string(out)), shellAnswers(t)
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got\n%q\nthe program says\n%q", got, want)
	}
}

func TestExampleOfGo(t *testing.T) {
	t.Parallel()
	views, functions := expectedOfClients(t)
	compareOutput(t, runIn(t, ".", nil, "go", "run", clientExamples+"/go", example), views+functions)
}

// TestExamplesReadme: the page shows what they print.
func TestExamplesReadme(t *testing.T) {
	readme, err := os.ReadFile(clientExamples + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	views, functions := expectedOfClients(t)
	if !strings.Contains(string(readme), "```\n"+views+functions+"```\n") {
		t.Errorf("examples/clients/README.md does not show\n%s%s", views, functions)
	}
}
