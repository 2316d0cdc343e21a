package test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// stopAfter starts the program and sends it a signal after delay. It reports
// whether the program was still running then.
func stopAfter(t *testing.T, signal os.Signal, delay time.Duration, args ...string) (code int, stderr string, stopped bool) {
	t.Helper()
	command := exec.Command(program, args...)
	var said bytes.Buffer
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { command.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(delay):
		stopped = command.Process.Signal(signal) == nil
		<-ended
	}
	return command.ProcessState.ExitCode(), said.String(), stopped
}

// TestKilled kills a load and a computation at several moments. The database
// opens after each, shows nothing half-loaded, and the next run finishes the work
// with the same figures.
func TestKilled(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "killed.db")
	steps := []struct {
		args     []string
		complete string // a query that counts what is there
		all      int
	}{
		{[]string{"load", "model", exampleModel, "--name", "smollm2-135m"}, "SELECT count(*) FROM stored_unembeddings JOIN stored_tokens USING (model_id, token_id) JOIN models ON model_id = load_id", 49152},
		{[]string{"load", "sae", filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre"), "--release", "smollm2-demo"}, "SELECT count(*) FROM decoder_directions", 1536},
	}
	for _, step := range steps {
		args := append([]string{"--db", db}, step.args...)
		kills := 0
		for delay := 20 * time.Millisecond; ; delay = delay * 3 / 2 {
			_, _, stopped := stopAfter(t, syscall.SIGKILL, delay, args...)
			if !stopped {
				break
			}
			kills++
			if _, err := os.Stat(db); err != nil {
				continue // killed before there was a file
			}
			if tables := count(t, db, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'stored_loads'"); tables == 0 {
				continue // not even the tables: the first load's transaction makes them
			}
			if n := count(t, db, step.complete); n != 0 && n != step.all {
				t.Fatalf("killed after %v: %d rows, expected none or %d", delay, n, step.all)
			}
		}
		t.Logf("%s %s: %d kills", step.args[0], step.args[1], kills)
		if kills == 0 {
			t.Error("it was never killed: it ended too soon")
		}
		if n := count(t, db, step.complete); n != step.all {
			t.Errorf("%d rows, expected %d", n, step.all)
		}
	}
	for _, delay := range []time.Duration{300 * time.Millisecond, 900 * time.Millisecond} {
		stopAfter(t, syscall.SIGKILL, delay, "--db", db, "compute")
		if n := count(t, db, "SELECT count(*) FROM features WHERE (std IS NULL) <> (top_tokens IS NULL)"); n != 0 {
			t.Errorf("%d features with half of their figures", n)
		}
	}
	mustRun(t, "--db", db, "compute")
	// Labels are of token sets, which are loaded into the other alone.
	const figures = "SELECT * EXCLUDE (label) FROM "
	attach := "ATTACH '" + example + "' AS reference (READ_ONLY); SELECT count(*) AS different FROM (" + figures + "features EXCEPT " + figures + "reference.features)"
	r := saedbRun(t, attach, "--db", db, "sql", "--read-only", "--format", "csv")
	if r.code != 0 || r.stdout != "different\n0\n" {
		t.Errorf("compared with an uninterrupted run: %q %s", r.stdout, r.stderr)
	}
}

// TestInterrupted: Ctrl-C ends the program soon, with exit code 130 and one line.
func TestInterrupted(t *testing.T) {
	db := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	begun := time.Now()
	code, stderr, stopped := stopAfter(t, syscall.SIGINT, time.Second, "--db", db, "sql",
		"SELECT count(*) FROM decoder_directions a, decoder_directions b WHERE (logit_stats(list_concat(a.w_dec[:288], b.w_dec[:288]), a.model)).std > 0")
	if !stopped || code != 130 || stderr != "saedb: interrupted; what was finished is kept\n" {
		t.Errorf("exit %d, %q", code, stderr)
	}
	// Left alone it would take hours; a busy machine gets some seconds.
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("it ended %v after the interrupt", took-time.Second)
	}
}
