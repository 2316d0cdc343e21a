package test

import (
	"context"
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
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
	"github.com/saedb/saedb/internal/check"
	schema "github.com/saedb/saedb/sql"
)

// killedStep is a command that is killed, what the database was before it, and what it
// is after it when nobody kills it.
type killedStep struct {
	name          string
	args          []string
	base          string // a database before it
	took          time.Duration
	before, after state
	parts         bool // it commits in parts: between before and after lie states that are sound
	once          bool // what it has done it cannot do again
	note          string
	look          func(t *testing.T, path string) state
}

// state is what the database is: what look says, or stateOf.
func (s *killedStep) state(t *testing.T, path string) state {
	t.Helper()
	if s.look != nil {
		return s.look(t, path)
	}
	return stateOf(t, path)
}

// run runs the step to its end.
func (s *killedStep) run(t *testing.T, db string) {
	t.Helper()
	if r := saedbRun(t, "", append([]string{"--db", db}, s.args...)...); r.code != 0 || r.stderr != "" && r.stderr != s.said(db) {
		t.Fatalf("%s: exit %d: %s", s.name, r.code, r.stderr)
	}
}

// finish runs the step, unless it is done and cannot be done again.
func (s *killedStep) finish(t *testing.T, db string) {
	t.Helper()
	if !s.once || !maps.Equal(s.state(t, db), s.after) {
		s.run(t, db)
	}
}

// said is what the step may write to standard error.
func (s *killedStep) said(db string) string { return strings.ReplaceAll(s.note, "DB", db) }

// state is a hash of each table's content, times left out, and of the names of all
// views.
type state map[string]string

// volatile are the columns that differ from run to run. Numbers of baselines are not used again,
// also where what took one was killed.
var volatile = map[string]string{
	"stored_loads": "loaded_at, seconds", "stored_computations": "computed_at, baseline_id", "stored_token_sets": "loaded_at",
	"stored_baselines": "computed_at, baseline_id", "stored_baseline_statistics": "baseline_id", "stored_baseline_enrichment": "baseline_id",
}

// stateOf opens a database as any client would, and lets saedb check look at all of it.
func stateOf(t *testing.T, path string) state {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return state{}
	}
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatalf("it does not open any more: %v", err)
	}
	defer db.Close()
	var present bool
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'stored_schema'").Scan(&present); err != nil {
		t.Fatal(err)
	}
	if !present {
		return state{} // killed before the first commit
	}
	checker := check.Checker{DB: db.DB, Sample: 4, Note: func(string) {}, Report: func(f check.Finding) { t.Errorf("check: %v", f) }}
	if r, err := checker.Run(t.Context()); err != nil || r.Findings > 0 {
		t.Fatalf("%d findings: %v", r.Findings, err)
	}
	s := state{}
	read := func(what, query string) {
		var hash string
		if err := db.QueryRowContext(t.Context(), query).Scan(&hash); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		s[what] = hash
	}
	for _, table := range schema.Tables() {
		columns := "*"
		if left := volatile[table]; left != "" {
			columns = "* EXCLUDE (" + left + ")"
		}
		read(table, fmt.Sprintf("SELECT count(*) || ' rows ' || coalesce(sum(hash(t)), 0) FROM (SELECT %s FROM %s) t", columns, table))
	}
	read("views", "SELECT coalesce(string_agg(schema_name || '.' || view_name, ' ' ORDER BY schema_name, view_name), '') FROM duckdb_views() WHERE NOT internal")
	return s
}

// killedSteps runs every step once, undisturbed.
func killedSteps(t *testing.T) []*killedStep {
	dir := t.TempDir()
	model := modelOf(t, "gpt2", "")
	narrowSAE(t, filepath.Join(dir, "saes", "blocks.0.hook_resid_pre"), 0, 5000)
	tinySAE(t, filepath.Join(dir, "saes", "blocks.1.hook_resid_pre"), 1)
	narrowSAE(t, filepath.Join(dir, "other", "blocks.1.hook_resid_pre"), 2, 3000)
	steps := []*killedStep{
		{name: "load model", args: []string{"load", "model", model, "--name", "small"}},
		{name: "load sae", args: []string{"load", "sae", filepath.Join(dir, "saes"), "--release", "r"}, parts: true},
		{name: "load directions", args: []string{"load", "directions", "--sql", "SELECT w_dec FROM decoder_directions WHERE release = 'r' AND feature < 20 ORDER BY sae, feature", "--name", "few"}},
		{name: "load sets", args: []string{"load", "sets", "--family", "regex"}},
		{name: "compute", args: []string{"compute"}, parts: true},
		{name: "load sae --replace", args: []string{"load", "sae", filepath.Join(dir, "other", "blocks.1.hook_resid_pre"), "--release", "r", "--replace"}},
		{name: "compute real", args: []string{"compute", "--tokens", "real"}, parts: true},
		{name: "unload sets", args: []string{"unload", "sets", "length_*"}, once: true},
		{name: "unload directions", args: []string{"unload", "directions", "few"}, once: true},
		{name: "unload sae", args: []string{"unload", "sae", "r/blocks.0.*"}, once: true},
		{name: "load model --replace", args: []string{"load", "model", model, "--name", "small", "--processing", "none", "--replace"}},
		{name: "unload model", args: []string{"unload", "model", "small", "--cascade"}, once: true},
	}
	db, loaded := filepath.Join(dir, "whole.db"), filepath.Join(dir, "loaded.db")
	for i, step := range steps {
		if step.name == "unload sets" {
			copyFile(t, db, loaded)
		}
		step.base, step.before = filepath.Join(dir, fmt.Sprintf("before-%d.db", i)), stateOf(t, db)
		if i > 0 {
			copyFile(t, db, step.base)
		}
		begun := time.Now()
		step.run(t, db)
		step.took = time.Since(begun)
		step.after = stateOf(t, db)
	}
	return append(steps, killedUpgrade(t, loaded, dir))
}

// asBefore3 makes the tables what they were before schema version 3.
const asBefore3 = `UPDATE stored_loads SET name = s.short_name FROM stored_saes s WHERE s.sae_id = load_id;
	UPDATE stored_saes SET sae = short_name; ALTER TABLE stored_saes DROP COLUMN short_name; ALTER TABLE stored_saes DROP COLUMN layer;
	ALTER TABLE stored_token_sets DROP COLUMN real_size; ALTER TABLE stored_token_sets DROP COLUMN row_hash;
	ALTER TABLE stored_computations DROP COLUMN counted_tokens; ALTER TABLE stored_computations DROP COLUMN features; ALTER TABLE stored_computations DROP COLUMN scores;
	ALTER TABLE stored_computations DROP COLUMN baseline_id; ALTER TABLE stored_statistics DROP COLUMN top_share; ALTER TABLE stored_statistics DROP COLUMN decoder_norm;
	DROP TABLE stored_baselines; DROP TABLE stored_baseline_statistics; DROP TABLE stored_baseline_enrichment; DROP TABLE stored_significance; DROP TABLE stored_labels; DROP SEQUENCE baseline_ids;
	ALTER TABLE stored_enrichment DROP COLUMN log10_p; ALTER TABLE stored_enrichment DROP COLUMN log10_q_all; ALTER TABLE stored_enrichment RENAME log10_ks_p TO log10_p`

// killedUpgrade is the upgrade of a database of schema version 1, whose loads recorded
// no hashes, so that all that it holds is read.
func killedUpgrade(t *testing.T, whole, dir string) *killedStep {
	t.Helper()
	s := &killedStep{
		name: "upgrade", args: []string{"upgrade"}, base: filepath.Join(dir, "old.db"), look: anyState,
		note: fmt.Sprintf("saedb: note: upgrading DB from schema version 1 to %d\n", schema.Version),
	}
	copyFile(t, whole, s.base)
	plainly(t, s.base, "UPDATE stored_schema SET version = 1; DELETE FROM stored_contents; ALTER TABLE stored_loads DROP COLUMN revision; DROP TABLE user_token_sets; "+asBefore3)
	s.before = s.state(t, s.base)
	db := filepath.Join(dir, "upgraded.db")
	copyFile(t, s.base, db)
	begun := time.Now()
	s.run(t, db)
	s.took = time.Since(begun)
	s.after = s.state(t, db)
	return s
}

// fresh copies the database before a step.
func (s *killedStep) fresh(t *testing.T, dir string) string {
	db := filepath.Join(dir, "killed.db")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if len(s.before) > 0 {
		copyFile(t, s.base, db)
	}
	return db
}

// kill runs the step, kills it after delay, and returns what that left.
func (s *killedStep) kill(t *testing.T, db string, delay time.Duration) state {
	_, stderr, _ := stopAfter(t, syscall.SIGKILL, delay, append([]string{"--db", db}, s.args...)...)
	if stderr != "" && stderr != s.said(db) {
		t.Fatalf("%s on a database after a kill: %s", s.name, stderr)
	}
	return stateAfter(t, db, s)
}

// stateAfter is what a kill left, which must be sound: all of the step or nothing of
// it, or, where it commits in parts, all that was there before it and some of it.
func stateAfter(t *testing.T, db string, s *killedStep) state {
	t.Helper()
	now := s.state(t, db)
	if maps.Equal(now, s.before) || maps.Equal(now, s.after) {
		return now
	}
	if !s.parts {
		t.Errorf("%s: neither the state before it nor after it:\nbefore %v\nnow    %v\nafter  %v", s.name, s.before, now, s.after)
	}
	for table, hash := range s.before {
		if hash == s.after[table] && now[table] != hash {
			t.Errorf("%s: %s was not to change, and is other than before", s.name, table)
		}
	}
	return now
}

// TestKilledAtRandom kills every kind of work at random moments, some of it again
// when it is repeated. After each kill the database opens and saedb check finds it
// sound; nothing that was committed is gone, nothing half-loaded is there; and the
// work, done again, ends in what it ends in undisturbed. Ctrl-C at a random moment
// leaves no less. SAEDB_KILLS says how many
// kills; make crash has 500.
func TestKilledAtRandom(t *testing.T) {
	kills, seed := 50, uint64(time.Now().UnixNano())
	for variable, value := range map[string]func(n uint64){
		"SAEDB_KILLS": func(n uint64) { kills = int(n) }, "SAEDB_KILL_SEED": func(n uint64) { seed = n },
	} {
		if text := os.Getenv(variable); text != "" {
			n, err := strconv.ParseUint(text, 10, 64)
			if err != nil {
				t.Fatalf("%s: expected a whole number, found %q", variable, text)
			}
			value(n)
		}
	}
	random := rand.New(rand.NewPCG(seed, 0))
	steps := killedSteps(t)
	dir := t.TempDir()
	unfinished, partly, done := map[string]int{}, 0, 0
	for trial := 0; done < kills; trial++ {
		if trial > 20*kills {
			t.Fatalf("after %d trials only %v", trial, unfinished)
		}
		step := slices.MinFunc(steps, func(a, b *killedStep) int { return unfinished[a.name] - unfinished[b.name] })
		trialDir := filepath.Join(dir, strconv.Itoa(trial))
		db := step.fresh(t, trialDir)
		for again := true; again && done < kills; again = random.IntN(3) == 0 {
			now := step.kill(t, db, time.Duration(random.Float64()*float64(step.took)))
			if maps.Equal(now, step.after) {
				step.took -= step.took / 10 // it had finished; how long it takes changes with what else runs
				break
			}
			step.took += step.took / 20
			done++
			unfinished[step.name]++
			if !maps.Equal(now, step.before) {
				partly++
			}
		}
		if t.Failed() {
			t.Fatalf("%s, trial %d of seed %d", step.name, trial, seed)
		}
		step.finish(t, db)
		if now := step.state(t, db); !maps.Equal(now, step.after) {
			t.Fatalf("%s, trial %d of seed %d: finished after a kill it is\n%v\nundisturbed it is\n%v", step.name, trial, seed, now, step.after)
		}
		os.RemoveAll(trialDir)
	}
	t.Run("interrupted", func(t *testing.T) {
		stopped := 0
		for i, step := range steps {
			if step.interrupted(t, filepath.Join(dir, "interrupted", strconv.Itoa(i)), time.Duration(random.Float64()*float64(step.took))) {
				stopped++
			}
		}
		t.Logf("%d of %d kinds of work were under way", stopped, len(steps))
	})
	t.Logf("seed %d: %d kills before the end, %d of them with a part committed: %v", seed, done, partly, unfinished)
}

// fileSystem mounts a small file system in memory, which only root can.
func fileSystem(t *testing.T, size string) (dir string, remount func(options string)) {
	t.Helper()
	dir = t.TempDir()
	mount := func(args ...string) error {
		out, err := exec.Command("mount", append(args, "-t", "tmpfs", "tmpfs", dir)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%v: %s", err, out)
		}
		return nil
	}
	if err := mount("-o", "size="+size); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	return dir, func(options string) {
		t.Helper()
		if err := mount("-o", "remount,"+options); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCreatedWhole: a database that cannot be written to its end, wherever in the first
// blocks that is, is not there at all, and the next run makes it.
func TestCreatedWhole(t *testing.T) {
	model := modelOf(t, "gpt2", "")
	for _, blocks := range []int{0, 8, 16, 23} { // of 512 bytes; an empty database has 24
		dir := t.TempDir()
		db := filepath.Join(dir, "new.db")
		out, err := exec.Command("sh", "-c", `ulimit -f "$1" && shift && exec "$@"`, "sh", strconv.Itoa(blocks), program, "--db", db, "load", "model", model).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "File too large") {
			t.Errorf("%d blocks: %v, said %q", blocks, err, out)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%d blocks: %v, it left %v", blocks, err, left)
		}
		mustRun(t, "--db", db, "load", "model", model)
	}
}

// TestDiskFull: a load and a computation for which there is no room end with one
// line, and what was there is there; with room again they finish.
func TestDiskFull(t *testing.T) {
	dir, remount := fileSystem(t, "64m")
	inputs := t.TempDir()
	db := filepath.Join(dir, "full.db")
	narrowSAE(t, filepath.Join(inputs, "small"), 1, 3000)
	narrowSAE(t, filepath.Join(inputs, "large"), 0, 40_000)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(inputs, "small"))
	info, err := os.Stat(db)
	if err != nil {
		t.Fatal(err)
	}
	before := stateOf(t, db)
	for _, step := range [][]string{{"load", "sae", filepath.Join(inputs, "large")}, {"compute"}} {
		remount(fmt.Sprintf("size=%dk", info.Size()>>10+64))
		expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, step...)...), 1, "full.db", "No space left on device")
		remount("size=64m")
		now := stateOf(t, db)
		now["stored_computations"] = before["stored_computations"] // that a computation was begun may be there
		if !maps.Equal(now, before) {
			t.Errorf("%v on a full disk left\n%v\nbefore it was\n%v", step, now, before)
		}
	}
	for _, step := range [][]string{{"load", "sae", filepath.Join(inputs, "large")}, {"compute"}, {"check"}} {
		mustRun(t, append([]string{"--db", db}, step...)...)
	}
}

// TestDiskFullLoaded: wherever the room ends, what a load printed as loaded is loaded, and
// nothing else: on the full disk, and once there is room. Where it ends after the last of
// it, the error says where what was loaded is.
func TestDiskFullLoaded(t *testing.T) {
	dir, remount := fileSystem(t, "64m")
	inputs := t.TempDir()
	for layer := range 3 {
		narrowSAE(t, filepath.Join(inputs, "saes", strconv.Itoa(layer)), layer, 2000)
	}
	sets := write(t, inputs, "ids.json", []byte(`{"all": [`+strings.TrimSuffix(strings.Repeat("1, 2, 3, 4, 5, 6, 7, 8, ", 10), ", ")+`]}`))
	empty := filepath.Join(inputs, "empty.db")
	mustRun(t, "--db", empty, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	info, err := os.Stat(empty)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(dir, "full.db")
	loads := []struct {
		args           []string
		printed, query string
	}{
		{[]string{"load", "sae", filepath.Join(inputs, "saes")}, `(?m)^loaded sae (\S+): `, "SELECT sae FROM saes ORDER BY sae"},
		{[]string{"load", "sets", sets}, `(?m)^token sets of model (small): 1 added`, "SELECT model FROM token_sets"},
	}
	for _, load := range loads {
		inLog, done := 0, false
		for room := int64(0); !done && room < 16<<10; room += 200 {
			remount("size=64m")
			copyFile(t, empty, db)
			remount(fmt.Sprintf("size=%dk", info.Size()>>10+room))
			r := saedbRun(t, "", append([]string{"--db", db}, load.args...)...)
			done = r.code == 0
			var printed []string
			for _, match := range regexp.MustCompile(load.printed).FindAllStringSubmatch(r.stdout, -1) {
				printed = append(printed, match[1])
			}
			slices.Sort(printed)
			if !done {
				expectFailure(t, r, 1, "full.db", "No space left on device")
			}
			if strings.Contains(r.stderr, "checkpoint: ") {
				inLog++
				contains(t, r.stderr, "what was reported as done is stored", "full.db.wal")
			}
			for _, mode := range []string{"read-only", "for writing", "with room"} {
				args := []string{"--db", db, "sql", "--format", "csv", load.query}
				switch mode {
				case "read-only":
					args = slices.Insert(args, 3, "--read-only")
				case "with room":
					remount("size=64m")
				}
				if _, stored, _ := strings.Cut(strings.TrimSpace(mustRun(t, args...)), "\n"); stored != strings.Join(printed, "\n") {
					t.Errorf("%v with %d kB, opened %s: printed %q, stored %q", load.args[:2], room, mode, printed, stored)
				}
			}
			for _, file := range []string{db, db + ".wal"} {
				os.Remove(file)
			}
		}
		if !done || inLog == 0 {
			t.Errorf("%v: done %v; the log alone had room for it %d times", load.args[:2], done, inLog)
		}
	}
}

// TestReadOnlyFileSystem: what only reads works there; what writes says why it cannot.
func TestReadOnlyFileSystem(t *testing.T) {
	dir, remount := fileSystem(t, "64m")
	db := filepath.Join(dir, "fixed.db")
	copyFile(t, smallDatabase(t), db)
	remount("ro")
	for _, args := range [][]string{{"compute"}, {"load", "sets", "--family", "regex"}, {"sql", "--write", "SELECT 1"}, {"sql", "CREATE TABLE mine(i INTEGER)"}} {
		expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, args...)...), 1, "fixed.db", "permission denied")
	}
	for _, args := range [][]string{{"info"}, {"check"}, {"sets"}, {"sql", "--read-only", "FROM features LIMIT 1"}} {
		mustRun(t, append([]string{"--db", db}, args...)...)
	}
}

// TestFileRemoved: a database that is removed while it is written to is gone, and
// nothing stands in its place that would look like one.
func TestFileRemoved(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "removed.db")
	copyFile(t, example, db)
	change(t, db, "DELETE FROM stored_statistics")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, program, "--db", db, "compute")
	var said strings.Builder
	command.Stderr = &said
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if err := os.Remove(db); err != nil {
		t.Fatal(err)
	}
	command.Wait()
	if strings.Count(said.String(), "\n") > 1 {
		t.Errorf("it says %q", said.String())
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "info"), 1, "removed.db", "no such file")
	// A log that was left would be taken for the new database's.
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	mustRun(t, "--db", db, "check")
}

// TestOutOfMemory: a computation that has too little memory fails, whether that shows
// when the program starts, when DuckDB asks for a block or in the middle of the work, and
// leaves what a kill may leave; with enough it ends in what it ends in undisturbed.
func TestOutOfMemory(t *testing.T) {
	db := filepath.Join(t.TempDir(), "bounded.db")
	copyFile(t, example, db)
	const sae = demoRelease + "blocks.29.hook_resid_pre"
	forget := fmt.Sprintf("DELETE FROM stored_statistics WHERE sae_id IN (SELECT sae_id FROM stored_saes WHERE sae = '%[1]s'); DELETE FROM stored_enrichment WHERE sae_id IN (SELECT sae_id FROM stored_saes WHERE sae = '%[1]s'); UPDATE stored_computations SET features = 0, scores = 0 WHERE sae_id IN (SELECT sae_id FROM stored_saes WHERE sae = '%[1]s')", sae)
	change(t, db, forget)
	// The least address space that is enough, between these, in MB. Near it, work fails
	// when it has begun.
	enough, little := 4096, 512
	for enough-little > 256 {
		bound := (enough + little) / 2
		command := exec.Command("sh", "-c", `ulimit -v "$1" && shift && exec "$@"`, "sh", strconv.Itoa(bound<<10), program, "--db", db, "compute", "--sae", sae)
		var said strings.Builder
		command.Stderr = &said
		if err := command.Start(); err != nil {
			t.Skipf("no shell: %v", err)
		}
		failed := command.Wait() != nil
		if strings.Contains(said.String(), "ulimit") {
			t.Skipf("memory cannot be bounded here: %s", said.String())
		}
		mustRun(t, "--db", db, "check", "--sample", "1")
		t.Logf("%d MB: failed %v: %.100q", bound, failed, said.String())
		if failed { // Go's run time and C's libraries say why in their own words
			little = bound
		} else {
			enough = bound
			change(t, db, forget)
		}
		if t.Failed() {
			t.Fatalf("after a run with %d MB", bound)
		}
	}
	if enough == 4096 || little == 512 {
		t.Errorf("%d MB are enough and %d too little: expected runs of both kinds", enough, little)
	}
	mustRun(t, "--db", db, "compute")
	r := saedbRun(t, "ATTACH '"+example+"' AS reference (READ_ONLY); SELECT count(*) AS different FROM (FROM features EXCEPT FROM reference.features)",
		"--db", db, "sql", "--read-only", "--format", "csv")
	if r.code != 0 || r.stdout != "different\n0\n" {
		t.Errorf("compared with an uninterrupted run: %q %s", r.stdout, r.stderr)
	}
}
