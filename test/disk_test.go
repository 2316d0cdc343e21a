package test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
	t.Parallel() // starts of the program, on a file system of its own
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
		logged         bool // what it stores goes through the log
	}{
		{[]string{"load", "sae", filepath.Join(inputs, "saes")}, `(?m)^loaded sae (\S+): `, "SELECT sae FROM saes ORDER BY sae", false},
		{[]string{"load", "sets", sets}, `(?m)^token sets of model (small): 1 added`, "SELECT model FROM token_sets", true},
	}
	for _, load := range loads {
		inLog, done := 0, false
		for room := int64(0); !done && room < 16<<10; room += 400 {
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
		if !done || inLog == 0 && load.logged {
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
	t.Parallel()
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
