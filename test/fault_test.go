package test

import (
	"bytes"
	"context"
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

// The kinds of faults. Calls that write files fail in turn in each of the first; those that ask
// for memory are too many, and fail at random.
var ofFiles, ofMemory = []string{"error", "full", "power"}, []string{"refused", "memory"}

// stuck stands for the exit code of a program that was killed after a minute. Where memory is
// refused while it starts, DuckDB's allocator (jemalloc's malloc_init_hard) waits for ever.
const stuck = -2

// run runs the program with the fault, for what it writes below dir, and returns the calls that
// it made. The first that failed has "!" before it; where the program made fewer, none has.
func (f faulty) run(t *testing.T, dir string, args ...string) (r result, calls []string) {
	t.Helper()
	path, err := supervisor()
	if err != nil {
		t.Skipf("system calls cannot be supervised here: %v", err)
	}
	report := filepath.Join(t.TempDir(), "calls")
	limit := 5 * time.Minute
	if slices.Contains(ofMemory, f.mode) {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	fault := []string{dir + "/", f.mode, strconv.Itoa(f.number), strconv.FormatUint(f.seed, 10), report, program}
	command := exec.CommandContext(ctx, path, slices.Concat(fault, args)...)
	command.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatal(err)
	}
	r = result{stdout: stdout.String(), stderr: stderr.String(), code: command.ProcessState.ExitCode()}
	if ctx.Err() != nil {
		if r.code = stuck; f.mode != "refused" {
			t.Fatalf("it does not end: %s", r.stderr)
		}
	}
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
	// calls are those by which it writes files, undisturbed, and memory those by which it asks for
	// memory.
	calls, memory []string
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
	change(t, bare, "DELETE FROM stored_statistics; DELETE FROM stored_enrichment; DELETE FROM stored_set_enrichment; DELETE FROM stored_computations; DELETE FROM stored_significance; DELETE FROM stored_labels; DELETE FROM stored_baselines; DELETE FROM stored_baseline_statistics; DELETE FROM stored_baseline_enrichment")
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
		{killedStep: &killedStep{name: "restore", args: []string{"restore", bare, "--replace"}, base: base}},
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
// nothing, and all of it where the program has said so. It returns the call that failed, "" where
// the program made fewer calls this time, and the program's exit code.
func (s *faultStep) fail(t *testing.T, f faulty) (failed string, code int) {
	t.Helper()
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	db := s.fresh(t, dir)
	r, calls := f.run(t, dir, s.in(dir, db)...)
	for _, call := range calls {
		if call[0] == '!' {
			failed = call[1:]
		}
	}
	// Where memory runs out, Go's run time ends the program in its own words.
	if strings.Contains(r.stderr, "panic:") || strings.Contains(r.stderr, "goroutine ") && !slices.Contains(ofMemory, f.mode) {
		t.Errorf("%s", r.stderr)
	}
	now := stateAfter(t, db, s.killedStep)
	if r.code == stuck && !maps.Equal(now, s.before) {
		t.Errorf("it does not end, and has begun")
	}
	said := reported.MatchString(r.stdout) || r.code == 0 && f.mode != "power"
	if said && !s.parts && !maps.Equal(now, s.after) {
		t.Errorf("it said %q, and left what was before", r.stdout)
	}
	if s.made == "" {
		return failed, r.code
	}
	made := filepath.Join(dir, s.made)
	if _, err := os.Stat(made); err == nil {
		s.whole(t, made)
	} else if said {
		t.Errorf("it said %q, and %s is not there", r.stdout, s.made)
	}
	return failed, r.code
}

// faultsInTurn are n faults of each step: each call in turn in each mode where n are enough, and
// after that, or otherwise, calls at random of files and of memory alike.
func faultsInTurn(steps []*faultStep, n int, random *rand.Rand) map[*faultStep][]faulty {
	planned := map[*faultStep][]faulty{}
	inTurn := 0
	for _, s := range steps {
		inTurn += len(s.calls) * len(ofFiles)
	}
	if n >= inTurn {
		n -= inTurn
		for _, s := range steps {
			for _, mode := range ofFiles {
				for i := range s.calls {
					planned[s] = append(planned[s], faulty{mode, i + 1, random.Uint64()})
				}
			}
		}
	}
	modes := slices.Concat(ofMemory, ofFiles)
	if len(planned) > 0 {
		modes = ofMemory // those of files are done
	}
	for i := range n {
		s, f := steps[i%len(steps)], faulty{mode: modes[(i/len(steps)+i%len(steps))%len(modes)], seed: random.Uint64()}
		calls := s.calls
		if slices.Contains(ofMemory, f.mode) {
			calls = s.memory
		}
		// A call of each name is as likely, however many there are.
		name := calls[random.IntN(len(calls))]
		if names := slices.Compact(slices.Sorted(slices.Values(calls))); random.IntN(2) == 0 {
			name = names[random.IntN(len(names))]
		}
		for f.number == 0 || calls[f.number-1] != name {
			f.number = random.IntN(len(calls)) + 1
		}
		planned[s] = append(planned[s], f)
	}
	return planned
}

// number is a number of the environment.
func number(t *testing.T, variable string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: expected a whole number, found %q", variable, text)
	}
	return n
}

// TestFaults: whichever write, sync, rename or other call of a command fails, once or from
// there on for want of room, and at whichever the power fails and takes with it what was not
// synced, in part and in any order, what it was to do is done or not begun, what it said is
// done is, and the database opens and is sound; so it is where memory is refused, once or from
// there on. SAEDB_FAULTS says how many faults; make faults has every call of a file in turn in
// every mode, and some of memory, and prints how many there were of each kind.
func TestFaults(t *testing.T) {
	faults := number(t, "SAEDB_FAULTS", 12)
	seed := number(t, "SAEDB_FAULT_SEED", uint64(time.Now().UnixNano()))
	if _, err := supervisor(); err != nil {
		t.Skipf("system calls cannot be supervised here: %v", err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	steps := faultSteps(t)
	for _, s := range steps {
		for mode, calls := range map[string]*[]string{"count": &s.calls, "count-memory": &s.memory} {
			dir := t.TempDir()
			if _, *calls = (faulty{mode: mode}).run(t, dir, s.in(dir, s.fresh(t, dir))...); len(*calls) == 0 {
				t.Fatalf("%s: %s: no calls", s.name, mode)
			}
		}
	}
	planned := faultsInTurn(steps, int(faults), random)
	var lock sync.Mutex
	by := map[string]map[string]int{"operation": {}, "fault": {}, "call": {}, "exit code": {}}
	total := 0
	t.Run("steps", func(t *testing.T) {
		for _, s := range steps {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				kinds := map[string]int{}
				defer func() { t.Logf("faults of each kind: %v", kinds) }()
				for _, f := range planned[s] {
					failed, code := "", 0
					for failed == "" && f.number > 0 && !t.Failed() {
						if failed, code = s.fail(t, f); failed == "" {
							f.number-- // another order of threads has fewer calls
						}
					}
					if t.Failed() {
						t.Fatalf("%s at call %d of %d and %d (%s), seed %d; SAEDB_FAULT_SEED=%d",
							f.mode, f.number, len(s.calls), len(s.memory), failed, f.seed, seed)
					}
					kinds[f.mode+" "+failed]++
					lock.Lock()
					by["operation"][s.name]++
					by["fault"][f.mode]++
					by["call"][failed]++
					if f.mode != "power" {
						by["exit code"][strconv.Itoa(code)]++
					}
					total++
					lock.Unlock()
				}
			})
		}
	})
	t.Logf("%d faults, seed %d", total, seed)
	for _, what := range slices.Sorted(maps.Keys(by)) {
		t.Logf("by %s: %s", what, strings.Trim(fmt.Sprint(by[what]), "map[]"))
	}
}
