package test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// volatile are the columns that differ from run to run. Numbers of baselines and of
// pairs are not used again,
// also where what took one was killed.
var volatile = map[string]string{
	"stored_loads": "loaded_at, seconds", "stored_computations": "computed_at, baseline_id", "stored_input_computations": "computed_at, baseline_id", "stored_token_sets": "loaded_at",
	"stored_baselines": "computed_at, baseline_id", "stored_baseline_statistics": "baseline_id", "stored_baseline_enrichment": "baseline_id",
	"stored_sae_pairs": "computed_at, pair_id", "stored_links": "pair_id", "stored_neighbours": "pair_id",
	"stored_neuron_pairs": "computed_at, pair_id", "stored_neuron_links": "pair_id",
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
	encodedSAE(t, filepath.Join(dir, "saes", "blocks.0.hook_resid_pre"), 0, 5000)
	encodedSAE(t, filepath.Join(dir, "saes", "blocks.1.hook_resid_pre"), 1, 24)
	narrowSAE(t, filepath.Join(dir, "other", "blocks.1.hook_resid_pre"), 2, 3000)
	steps := []*killedStep{
		{name: "load model", args: []string{"load", "model", model, "--name", "small", "--embedding", "--mlp", "0"}},
		{name: "load sae", args: []string{"load", "sae", filepath.Join(dir, "saes"), "--release", "r", "--encoder"}, parts: true},
		{name: "load directions", args: []string{"load", "directions", "--sql", "SELECT w_dec FROM decoder_directions WHERE release = 'r' AND feature < 20 ORDER BY sae, feature", "--name", "few"}},
		{name: "load sets", args: []string{"load", "sets", "--family", "regex"}},
		{name: "compute", args: []string{"compute"}, parts: true},
		{name: "compute input side", args: []string{"compute", "--side", "input"}, parts: true},
		{name: "compute neighbours", args: []string{"compute", "--neighbours", "--to", "*", "--top", "3"}, parts: true},
		{name: "compute links to neurons", args: []string{"compute", "--links", "--from", "r/blocks.0.*", "--to", "small#mlp_in.0", "--top", "3"}, parts: true},
		{name: "load sae --replace", args: []string{"load", "sae", filepath.Join(dir, "other", "blocks.1.hook_resid_pre"), "--release", "r", "--replace"}},
		{name: "compute real", args: []string{"compute", "--tokens", "real"}, parts: true},
		{name: "unload sets", args: []string{"unload", "sets", "length_*"}, once: true},
		{name: "unload directions", args: []string{"unload", "directions", "few"}, once: true},
		{name: "unload sae", args: []string{"unload", "sae", "r/blocks.0.*"}, once: true},
		{name: "load model --replace", args: []string{"load", "model", model, "--name", "small", "--processing", "none", "--replace"}},
		{name: "unload model", args: []string{"unload", "model", "small", "--cascade"}, once: true},
	}
	db, loaded := filepath.Join(dir, "whole.db"), filepath.Join(dir, "loaded.db")
	now := stateOf(t, db)
	for i, step := range steps {
		if step.name == "unload sets" {
			copyFile(t, db, loaded)
		}
		step.base, step.before = filepath.Join(dir, fmt.Sprintf("before-%d.db", i)), now
		if i > 0 {
			copyFile(t, db, step.base)
		}
		begun := time.Now()
		step.run(t, db)
		step.took = time.Since(begun)
		now = stateOf(t, db)
		step.after = now
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
	DROP TABLE stored_sae_pairs; DROP TABLE stored_links; DROP TABLE stored_neighbours; DROP TABLE stored_neuron_pairs; DROP TABLE stored_neuron_links;
	DROP TABLE stored_encoders; ALTER TABLE stored_saes DROP COLUMN encoder_hook; DROP TABLE stored_embeddings; DROP TABLE stored_attention; DROP TABLE stored_head_weights;
	DROP TABLE stored_lenses; DROP TABLE stored_lens_matrices; DROP TABLE stored_lens_saes; DROP TABLE stored_lens_correlations; DROP TABLE stored_mlps; DROP TABLE stored_mlp_weights;
	DROP TABLE stored_input_computations; DROP TABLE stored_input_statistics; DROP TABLE stored_input_significance;
	DROP TABLE stored_input_enrichment; DROP TABLE stored_input_labels; DROP TABLE stored_set_enrichment; DROP TABLE stored_input_set_enrichment;
	ALTER TABLE stored_models DROP COLUMN embedding_tensor; ALTER TABLE stored_models DROP COLUMN embedding_sha256; ALTER TABLE stored_models DROP COLUMN embedding_in;
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
// leaves no less. Each kind of work is killed once; SAEDB_KILLS
// says how many kills there are at least, of which make crash has 500.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel() // mostly loads, starts of the program and checks, which are one thread's
	kills, seed := 0, uint64(time.Now().UnixNano())
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
	lacking := func() bool {
		return done < kills || slices.ContainsFunc(steps, func(s *killedStep) bool { return unfinished[s.name] == 0 })
	}
	for trial := 0; lacking(); trial++ {
		if trial > 20*max(kills, len(steps)) {
			t.Fatalf("after %d trials only %v", trial, unfinished)
		}
		step := slices.MinFunc(steps, func(a, b *killedStep) int { return unfinished[a.name] - unfinished[b.name] })
		trialDir := filepath.Join(dir, strconv.Itoa(trial))
		db := step.fresh(t, trialDir)
		for again := true; again && lacking(); again = random.IntN(3) == 0 {
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
