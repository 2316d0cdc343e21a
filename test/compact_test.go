package test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestCompact: after an unload and a compaction a database is as large as one into which
// only the rest was ever loaded, has the same rows, a person's own tables too, and its mode.
func TestCompact(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large, small := filepath.Join(dir, "large"), filepath.Join(dir, "small")
	narrowSAE(t, filepath.Join(large, "blocks.0.hook_resid_pre"), 0, 60_000)
	narrowSAE(t, filepath.Join(small, "blocks.1.hook_resid_pre"), 1, 30_000)
	model := modelOf(t, "gpt2", "")
	db, fresh := filepath.Join(dir, "used.db"), filepath.Join(dir, "fresh.db")
	for _, path := range []string{db, fresh} {
		mustRun(t, "--db", path, "load", "model", model, "--name", "small")
		if path == db {
			mustRun(t, "--db", path, "load", "sae", large, "--release", "gone")
		}
		mustRun(t, "--db", path, "load", "sae", small)
		mustRun(t, "--db", path, "load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id < 9")
		mustRun(t, "--db", path, "compute")
		mustRun(t, "--db", path, "sql", "CREATE TABLE mine AS SELECT range AS x FROM range(1000); CREATE VIEW my_view AS SELECT x FROM mine")
	}
	mustRun(t, "--db", db, "unload", "sae", "gone/*")
	if err := os.Chmod(db, 0o640); err != nil {
		t.Fatal(err)
	}
	before := stateOf(t, db)
	mustRun(t, "--db", db, "compact")
	if after := stateOf(t, db); !maps.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
	used, err := os.Stat(db)
	if err != nil {
		t.Fatal(err)
	}
	never, err := os.Stat(fresh)
	if err != nil {
		t.Fatal(err)
	}
	if ratio := float64(used.Size()) / float64(never.Size()); ratio > 1.05 || used.Mode().Perm() != 0o640 {
		t.Errorf("%d bytes, %.3f of a database that never had more, mode %v", used.Size(), ratio, used.Mode())
	}
	if n := count(t, db, "SELECT count(*) FROM my_view"); n != 1000 {
		t.Errorf("%d rows of a person's own, expected 1000", n)
	}
	if n := count(t, db, "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'gone'"); n != 0 {
		t.Error("the schema of the release that was unloaded is still there")
	}
	if left, err := filepath.Glob(db + ".*"); err != nil || len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	// What comes next works, and gets new numbers.
	mustRun(t, "--db", db, "load", "sae", large, "--release", "back")
	mustRun(t, "--db", db, "load", "sets", "--name", "more", "--sql", "SELECT token_id FROM tokens WHERE token_id < 30")
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "check")
}

// TestCompactKilled: whenever a compaction is killed, the database is there and what it was.
func TestCompactKilled(t *testing.T) {
	t.Parallel() // mostly checks and starts of the program, which are one thread's
	dir := t.TempDir()
	db := filepath.Join(dir, "killed.db")
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	for layer, features := range []int{20_000, 30_000} {
		narrowSAE(t, filepath.Join(dir, "saes", fmt.Sprintf("blocks.%d.hook_resid_pre", layer)), layer, features)
	}
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "saes"), "--release", "r")
	mustRun(t, "--db", db, "load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id < 9")
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "unload", "sae", "layer_0")
	begun := time.Now()
	copied := filepath.Join(dir, "copied.db")
	copyFile(t, db, copied)
	mustRun(t, "--db", copied, "compact")
	took := time.Since(begun)
	before := stateOf(t, db)
	stoppedAll := 0
	for range 12 {
		if _, _, stopped := stopAfter(t, syscall.SIGKILL, time.Duration(rand.Float64()*float64(took)), "--db", db, "compact"); stopped {
			stoppedAll++
		}
		if after := stateOf(t, db); !maps.Equal(before, after) {
			t.Fatalf("before %v\nafter %v", before, after)
		}
	}
	if stoppedAll == 0 {
		t.Error("no compaction was killed before its end")
	}
	mustRun(t, "--db", db, "compact")
	mustRun(t, "--db", db, "check")
}
