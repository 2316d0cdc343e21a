// Package test tests saedb as a person uses it: the program is built, loads the
// example, computes, and is asked; then everything is compared with the golden
// figures, and the file is opened by stock DuckDB clients.
package test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
	htmlfigures "github.com/saedb/saedb/internal/figures"
)

// Paths from this directory.
const (
	exampleModel = "../examples/smollm2-135m/SmolLM2-135M-Instruct.unembedding.gguf"
	exampleSAEs  = "../examples/smollm2-135m/saes"
	clients      = "../build/clients"
	demoRelease  = "smollm2-demo/"         // before the names of the example's SAEs
	shared       = "../../shared/fixtures" // larger fixtures, not part of the project
)

var (
	update  = flag.Bool("update", false, "write the expected output of test/sql and docs anew")
	program string // the built program
	example string // a database with the example loaded and computed
	demoRSS int64  // peak memory of building it, in bytes
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "saedb-test")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program, example = filepath.Join(dir, "saedb"), filepath.Join(dir, "example.db")
		if err := prepare(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

// prepare builds the program and makes the example database with it.
func prepare() error {
	if out, err := exec.Command("go", "build", "-tags", buildTags, "-o", program, "../cmd/saedb").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %v\n%s", err, out)
	}
	for _, args := range [][]string{
		{"load", "model", exampleModel, "--name", "smollm2-135m"},
		{"load", "sae", exampleSAEs, "--release", "smollm2-demo"},
		{"load", "sets", "--family", "regex", "--family", "names"},
		{"compute"},
	} {
		command := exec.Command(program, append([]string{"--db", example}, args...)...)
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("saedb %v: %v\n%s", args, err, out)
		}
		if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
			demoRSS = max(demoRSS, usage.Maxrss<<10)
		}
	}
	return nil
}

// needCharts skips a test of figures in HTML, where the program is built without the
// chart library.
func needCharts(t *testing.T) {
	t.Helper()
	if !htmlfigures.HasCharts() {
		t.Skip("built without the chart library; make test fetches it")
	}
}

// needMake skips a test of what make builds, the extension or the wheel, where there is
// no make.
func needMake(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("make"); err != nil {
		t.Skip("no make on this machine")
	}
}

// result is what a run of the program gave.
type result struct {
	code           int
	stdout, stderr string
}

// saedbRun runs the program with standard input from input.
func saedbRun(t *testing.T, input string, args ...string) result {
	t.Helper()
	return saedbRunIn(t, nil, input, args...)
}

// saedbRunIn is saedbRun in an environment, which is this process's where it is nil.
func saedbRunIn(t *testing.T, environment []string, input string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, args...)
	command.Env = environment
	var stdout, stderr bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = bytes.NewBufferString(input), &stdout, &stderr
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{command.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// openExample opens the example database for reading.
func openExample(t *testing.T) *saedb.DB {
	t.Helper()
	return openReadOnly(t, example)
}

func openReadOnly(t *testing.T, path string) *saedb.DB {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// TestPeakMemory holds the promise for the example: under 700 MB.
func TestPeakMemory(t *testing.T) {
	const bound = 700e6
	t.Logf("peak memory of loading and computing the example: %d MB", demoRSS/1e6)
	if demoRSS == 0 || float64(demoRSS) > bound {
		t.Errorf("peak memory %d bytes, expected at most %.0f", demoRSS, bound)
	}
}
