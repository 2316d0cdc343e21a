package test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// supervisor builds the program of test/faults, once: the command that it runs has its
// system calls fail.
var supervisor = sync.OnceValues(func() (string, error) {
	if _, err := exec.LookPath("cc"); err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(program), "supervise")
	out, err := exec.Command("cc", "-O1", "-o", path, "faults/supervise.c", "faults/power.c").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%v: %s", err, out)
	}
	return path, nil
})

// faulty is one kind of fault at one call of a command.
type faulty struct {
	mode   string // of supervise.c
	number int
	seed   uint64
}

// run runs the program with the fault, for what it writes below dir, and returns the calls that
// it made.
func (f faulty) run(t *testing.T, dir string, args ...string) (r result, calls []string) {
	t.Helper()
	path, err := supervisor()
	if err != nil {
		t.Skipf("system calls cannot be supervised here: %v", err)
	}
	report := filepath.Join(t.TempDir(), "calls")
	command := exec.Command(path, slices.Concat([]string{dir + "/", f.mode, strconv.Itoa(f.number), strconv.FormatUint(f.seed, 10), report, program}, args)...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	r = result{stdout: stdout.String(), stderr: stderr.String(), code: command.ProcessState.ExitCode()}
	if r.code == 125 {
		t.Skipf("system calls cannot be supervised here: %s", r.stderr)
	}
	return r, strings.Fields(string(read(t, report)))
}

// faultStep is a command whose calls fail, on a database in a directory of its own, beside
// which it may write more.
type faultStep struct {
	*killedStep
	made string // what it writes besides the database, whole or not at all; "" for nothing
	// whole fails the test where what is made is not whole.
	whole func(t *testing.T, path string)
}

// reported is what the program says of what it has done.
var reported = regexp.MustCompile(`(?m)^(loaded|imported|exported|unloaded|token sets of|computed|.* is a copy of) `)

// faultSteps runs every step once, undisturbed.
func faultSteps(t *testing.T) []*faultStep {
	dir := t.TempDir()
	base := smallDatabase(t)
	bare := filepath.Join(dir, "bare.db")
	copyFile(t, base, bare)
	change(t, bare, "DELETE FROM stored_statistics; DELETE FROM stored_enrichment; DELETE FROM stored_computations; DELETE FROM stored_significance; DELETE FROM stored_labels; DELETE FROM stored_baselines; DELETE FROM stored_baseline_statistics; DELETE FROM stored_baseline_enrichment")
	exported := filepath.Join(dir, "exported")
	mustRun(t, "--db", base, "export", "--to", exported, "--format", "parquet")
	narrowSAE(t, filepath.Join(dir, "blocks.2.hook_resid_pre"), 2, 400)
	model := modelOf(t, "gpt2", "")
	before := stateOf(t, base)
	isDatabase := func(t *testing.T, path string) {
		if now := stateOf(t, path); !maps.Equal(now, before) {
			t.Errorf("%s is another database", path)
		}
	}
	isExport := func(t *testing.T, path string) {
		if _, err := os.Stat(filepath.Join(path, "saedb-export.json")); err != nil {
			t.Error(err)
		}
		if n := countCSV(t, filepath.Join(path, "features.csv")); n != 48 {
			t.Errorf("%d features of 48", n)
		}
		if n := count(t, filepath.Join(path, "results.duckdb"), "SELECT count(*) FROM features"); n != 48 {
			t.Errorf("%d features of 48 in results.duckdb", n)
		}
	}
	steps := []*faultStep{
		{killedStep: &killedStep{name: "load model", args: []string{"load", "model", model, "--name", "other", "--processing", "none"}, base: base}},
		{killedStep: &killedStep{name: "load sae", args: []string{"load", "sae", filepath.Join(dir, "blocks.2.hook_resid_pre"), "--release", "s"}, base: base}},
		{killedStep: &killedStep{name: "load sets", args: []string{"load", "sets", "--family", "regex"}, base: base}},
		{killedStep: &killedStep{name: "compute", args: []string{"compute", "--baseline", "200"}, base: bare, parts: true}},
		{killedStep: &killedStep{name: "import", args: []string{"import", "--parquet", exported}, base: bare}},
		{killedStep: &killedStep{name: "unload", args: []string{"unload", "sae", "r/blocks.0.*"}, base: base}},
		{killedStep: &killedStep{name: "compact", args: []string{"compact"}, base: base}},
		{killedStep: &killedStep{name: "upgrade", args: []string{"upgrade"}, base: golden(t, 2), look: upgradedOrNot}},
		{killedStep: &killedStep{name: "export", args: []string{"export", "--to", "DIR/export", "--format", "csv,duckdb"}, base: base}, made: "export", whole: isExport},
		{killedStep: &killedStep{name: "backup", args: []string{"backup", "DIR/copy.db"}, base: base}, made: "copy.db", whole: isDatabase},
	}
	for i, s := range steps {
		s.before = s.state(t, s.base)
		work := filepath.Join(dir, strconv.Itoa(i))
		db := s.fresh(t, work)
		if r := saedbRun(t, "", s.in(work, db)...); r.code != 0 {
			t.Fatalf("%s: %s", s.name, r.stderr)
		}
		s.after = s.state(t, db)
		if s.made != "" {
			s.whole(t, filepath.Join(work, s.made))
		}
	}
	return steps
}

// upgradedOrNot is the state of a database of any schema. Where a loss of power has torn its log,
// the upgrade cuts that first.
func upgradedOrNot(t *testing.T, path string) state {
	t.Helper()
	db, err := sql.Open("duckdb", path+"?access_mode=READ_ONLY") // which connects
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		if !strings.Contains(err.Error(), "Corrupt WAL file") {
			t.Fatal(err)
		}
		if r := saedbRun(t, "", "--db", path, "upgrade"); r.code != 0 || !strings.Contains(r.stderr, "the whole log is kept as") {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
	}
	return anyState(t, path)
}

// in is the command in a directory.
func (s *faultStep) in(dir, db string) []string {
	args := []string{"--db", db}
	for _, arg := range s.args {
		args = append(args, strings.ReplaceAll(arg, "DIR", dir))
	}
	return args
}

// countCSV counts the lines of a file below its header.
func countCSV(t *testing.T, path string) int {
	t.Helper()
	return bytes.Count(read(t, path), []byte("\n")) - 1
}

// fail runs the step with a fault, and holds what is left against what may be: all of it or
// nothing, and all of it where the program has said so.
func (s *faultStep) fail(t *testing.T, f faulty, about string) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	defer func() {
		if t.Failed() {
			t.Log(about)
		}
	}()
	db := s.fresh(t, dir)
	r, _ := f.run(t, dir, s.in(dir, db)...)
	if strings.Contains(r.stderr, "panic") || strings.Contains(r.stderr, "goroutine ") {
		t.Errorf("%s", r.stderr)
	}
	now := stateAfter(t, db, s.killedStep)
	said := reported.MatchString(r.stdout) || r.code == 0 && f.mode != "power"
	if said && !s.parts && !maps.Equal(now, s.after) {
		t.Errorf("it said %q, and left what was before", r.stdout)
	}
	if s.made == "" {
		return
	}
	made := filepath.Join(dir, s.made)
	if _, err := os.Stat(made); err == nil {
		s.whole(t, made)
	} else if said {
		t.Errorf("it said %q, and %s is not there", r.stdout, s.made)
	}
}

// TestFaults: whichever write, sync, rename or other call of a command fails, once or from
// there on for want of room, and at whichever the power fails and takes with it what was not
// synced, in part and in any order, what it was to do is done or not begun, what it said is
// done is, and the database opens and is sound. SAEDB_FAULTS says how many faults; make faults
// has 2,000, and prints each, and how many there were of each kind.
func TestFaults(t *testing.T) {
	faults, seed := 12, uint64(time.Now().UnixNano())
	if text := os.Getenv("SAEDB_FAULTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("SAEDB_FAULTS: expected a number, found %q", text)
		}
		faults = n
	}
	if text := os.Getenv("SAEDB_FAULT_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SAEDB_FAULT_SEED: expected a number, found %q", text)
		}
		seed = n
	}
	if _, err := supervisor(); err != nil {
		t.Skipf("system calls cannot be supervised here: %v", err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	steps := faultSteps(t)
	calls := map[string][]string{}
	for _, s := range steps {
		dir := t.TempDir()
		_, calls[s.name] = faulty{mode: "count"}.run(t, dir, s.in(dir, s.fresh(t, dir))...)
		if len(calls[s.name]) == 0 {
			t.Fatalf("%s writes nothing", s.name)
		}
	}
	modes := []string{"error", "full", "power"}
	injected := map[string]map[string]int{}
	next := map[string]int{} // call of a step and mode that fails next, each in turn
	for i := range faults {
		s := steps[i%len(steps)]
		mode := modes[i/len(steps)%len(modes)]
		all := calls[s.name]
		key := s.name + " " + mode
		f := faulty{mode: mode, number: next[key]%len(all) + 1, seed: random.Uint64()}
		if faults < len(all)*len(modes)*len(steps) { // too few for all: at random
			f.number = random.IntN(len(all)) + 1
		}
		next[key]++
		about := fmt.Sprintf("%s, %s at call %d of %d (%s), seed %d; SAEDB_FAULT_SEED=%d", s.name, mode, f.number, len(all), all[f.number-1], f.seed, seed)
		if faults > 100 {
			t.Log(about) // for who watches
		}
		s.fail(t, f, about)
		if injected[key] == nil {
			injected[key] = map[string]int{}
		}
		injected[key][all[f.number-1]]++
		if t.Failed() {
			t.FailNow()
		}
	}
	for _, key := range slices.Sorted(maps.Keys(injected)) {
		total := 0
		for _, n := range injected[key] {
			total += n
		}
		t.Logf("%s: %d faults, %v", key, total, injected[key])
	}
	t.Logf("%d faults, seed %d; calls of each step: %v", faults, seed, counts(calls))
}

func counts(calls map[string][]string) map[string]int {
	n := map[string]int{}
	for name, all := range calls {
		n[name] = len(all)
	}
	return n
}
