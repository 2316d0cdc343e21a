package test

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// extensionClients are the stock clients that the extension is tested in: the version
// of DuckDB that saedb is built with, and the newest.
var extensionClients = []string{"1.5.6", "2.0.0"}

// builtExtension builds the loadable extension, once, and returns its path.
var builtExtension = sync.OnceValues(func() (string, error) {
	if out, err := exec.Command("make", "-C", "..", "extension").CombinedOutput(); err != nil {
		return "", fmt.Errorf("make extension: %v\n%s", err, out)
	}
	return filepath.Abs("../build/extension/saedb.duckdb_extension")
})

// python runs a script in Python with a stock DuckDB of that version, and returns
// what it prints. The script has the client's directory as its first argument.
func python(t *testing.T, version, script string, args ...string) []byte {
	t.Helper()
	interpreter, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	client, err := filepath.Abs(filepath.Join(clients, "duckdb-"+version))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
		t.Skipf("DuckDB %s for Python is not installed; make python-clients installs it", version)
	}
	command := exec.Command(interpreter, append([]string{script, client}, args...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.Bytes())
	}
	return out
}

func extension(t *testing.T) string {
	t.Helper()
	needMake(t)
	path, err := builtExtension()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStaticTLS: what the extension takes of the C library's reserve of thread-local storage
// for libraries that are loaded late, some 1,700 bytes for the whole process, is a pointer or
// two of Go's. PyTorch takes some of it too, and LOAD fails where none is left, which the second
// run shows: that the first has used it up but for less than 32 bytes.
func TestStaticTLS(t *testing.T) {
	library := extension(t)
	f, err := elf.Open(library)
	if err != nil {
		t.Skip("the extension of this system is no ELF file")
	}
	defer f.Close()
	checkStaticTLS(t, "the extension", f)

	dir := t.TempDir()
	source := write(t, dir, "tls.c", []byte("__thread char held[SIZE] __attribute__((tls_model(\"initial-exec\"), aligned(8)));\nchar *hold(void) { return held; }\n"))
	for _, size := range []string{"256", "32", "8"} {
		runIn(t, dir, nil, "cc", "-shared", "-fPIC", "-DSIZE="+size, "-o", "tls-"+size+".so", source)
	}
	for least, want := range map[string]string{"32": `^1[0-9]{3} 1\n$`, "8": "cannot allocate memory in static TLS block\n$"} {
		if got := python(t, "2.0.0", "clients/static_tls.py", library, dir, least); !regexp.MustCompile(want).Match(got) {
			t.Errorf("with room for none of %s bytes: got %q, expected %q", least, got, want)
		}
	}
}

// checkStaticTLS holds a library to the thread-local storage that LOAD finds beside PyTorch.
func checkStaticTLS(t *testing.T, what string, f *elf.File) {
	t.Helper()
	for _, segment := range f.Progs {
		if segment.Type == elf.PT_TLS && segment.Memsz > 16 {
			t.Errorf("%s has %d bytes of thread-local storage, expected 16 at most", what, segment.Memsz)
		}
	}
}

var (
	// The program's error, with the lines that show the place.
	statementError = regexp.MustCompile(`(?m)^saedb: run SQL: statement at line \d+: (.*(?:\n\nLINE .*\n *\^+)?)`)
	manySpaces     = regexp.MustCompile(`\s+`)
	underlined     = regexp.MustCompile(`\^+`) // DuckDB 2 underlines more than one character
)

// TestSQLInExtension runs the scripts of sql/ in stock Python DuckDB with the
// extension loaded: it must give what the program gives, errors included. Python
// writes each result to a Parquet file, which the program prints in its own format.
func TestSQLInExtension(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("sql/*.sql")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in sql/ (%v)", err)
	}
	for _, version := range extensionClients {
		ran := ranInPython(t, version, scripts)
		for _, script := range scripts {
			t.Run(version+"/"+filepath.Base(script), func(t *testing.T) {
				expected, err := os.ReadFile(strings.TrimSuffix(script, ".sql") + ".out")
				if err != nil {
					t.Fatal(err)
				}
				got, want := plainLines(ran[script]), plainLines(string(expected))
				for i := range max(len(got), len(want)) {
					if i >= len(got) || i >= len(want) || got[i] != want[i] {
						t.Fatalf("line %d\n--- got\n%s\n--- expected\n%s", i+1,
							strings.Join(got[min(i, len(got)):min(i+4, len(got))], "\n"), strings.Join(want[min(i, len(want)):min(i+4, len(want))], "\n"))
					}
				}
			})
		}
	}
}

// plainLines is the lines of a script's output, with an error on one, and without what
// the program alone puts before it.
func plainLines(text string) []string {
	return strings.Split(statementError.ReplaceAllStringFunc(text, func(said string) string {
		return manySpaces.ReplaceAllString(statementError.FindStringSubmatch(said)[1], " ")
	}), "\n")
}

// ranInPython is what the program would have printed for each of some scripts, run in Python
// with a stock DuckDB: a line of JSON for a statement says its Parquet file or error. The
// program prints all files at once.
func ranInPython(t *testing.T, version string, scripts []string) map[string]string {
	t.Helper()
	type statement struct{ Script, Statement, Parquet, Error string }
	var all []statement
	var files strings.Builder
	out := python(t, version, "clients/run_sql.py", append([]string{extension(t), example, t.TempDir()}, scripts...)...)
	for scanner := bufio.NewScanner(bytes.NewReader(out)); scanner.Scan(); {
		var s statement
		if err := json.Unmarshal(scanner.Bytes(), &s); err != nil {
			t.Fatalf("%v: %s", err, scanner.Bytes())
		}
		if all = append(all, s); s.Parquet != "" {
			fmt.Fprintf(&files, "%sFROM '%s';\n", marker, s.Parquet)
		}
	}
	r := saedbRun(t, files.String(), "sql", "--format", "markdown")
	results := strings.Split(r.stdout+r.stderr, marked)[1:]
	printed := map[string]string{}
	for _, s := range all {
		said := underlined.ReplaceAllString(manySpaces.ReplaceAllString(s.Error, " "), "^") + "\n"
		if s.Error == "" {
			if len(results) == 0 {
				t.Fatalf("%s: too few results: %s", s.Script, r.stderr)
			}
			said, results = results[0], results[1:]
		}
		printed[s.Script] += strings.TrimLeft(s.Statement, "\n") + said + "\n"
	}
	return printed
}
