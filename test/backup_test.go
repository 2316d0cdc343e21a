package test

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// onlyFiles makes sure that nothing else is left in a directory.
func onlyFiles(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	if strings.Join(found, " ") != strings.Join(names, " ") {
		t.Errorf("%s has %v, expected %v", dir, found, names)
	}
}

// damagedWeights is the content of a database's file with a bit of a weight flipped.
func damagedWeights(t *testing.T, db string, content []byte) []byte {
	t.Helper()
	var stored []byte
	said := mustRun(t, "--db", db, "sql", "--read-only", "--format", "csv", "SELECT unnest(w_dec[:8]) FROM stored_decoders WHERE feature = 5 ORDER BY sae_id LIMIT 8")
	for _, text := range strings.Fields(said)[1:] {
		weight, err := strconv.ParseFloat(text, 32)
		if err != nil {
			t.Fatal(err)
		}
		stored = binary.LittleEndian.AppendUint32(stored, math.Float32bits(float32(weight)))
	}
	at := bytes.Index(content, stored)
	if at < 0 {
		t.Fatal("no decoder direction is in the file as it is")
	}
	damaged := bytes.Clone(content)
	damaged[at] ^= 0x10
	return damaged
}

// TestBackup: a copy is what the database is, its log taken in, while others read it; it
// replaces nothing unasked, and what cannot be copied leaves what was there.
func TestBackup(t *testing.T) {
	t.Parallel()
	db, dir := smallDatabase(t), t.TempDir()
	copied := filepath.Join(dir, "copy.db")
	reader, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	said := mustRun(t, "--db", db, "backup", copied)
	if err := reader.QueryRow("SELECT count(*) FROM features").Scan(new(int)); err != nil {
		t.Error(err)
	}
	reader.Close()
	contains(t, said, "copy.db is a copy of ", "compared and checked")
	onlyFiles(t, dir, "copy.db")
	if !maps.Equal(stateOf(t, copied), stateOf(t, db)) {
		t.Error("the copy has other contents")
	}
	mustRun(t, "--db", copied, "check")

	first := read(t, copied)
	expectFailure(t, saedbRun(t, "", "--db", db, "backup", copied), 1, "copy.db", "there already")
	expectFailure(t, saedbRun(t, "", "--db", db, "backup", db, "--replace"), 1, "the file that is to be copied")
	expectFailure(t, saedbRun(t, "", "--db", filepath.Join(dir, "none.db"), "backup", copied, "--replace"), 1, "none.db", "no such file")
	write(t, dir, "other.db.wal", []byte("a log"))
	expectFailure(t, saedbRun(t, "", "--db", db, "backup", filepath.Join(dir, "other.db")), 1, "other.db.wal", "move it away")
	os.Remove(filepath.Join(dir, "other.db.wal"))

	// A log, as a program leaves it that was killed.
	file, log := logOf(t, db, func(db *saedb.DB) error {
		_, err := db.LoadSets(t.Context(), saedb.SetsRequest{Name: "logged", Query: "SELECT 1"})
		return err
	})
	logged := write(t, t.TempDir(), "logged.db", file)
	write(t, filepath.Dir(logged), "logged.db.wal", log)
	mustRun(t, "--db", logged, "backup", copied, "--replace")
	onlyFiles(t, dir, "copy.db")
	if !bytes.Equal(read(t, logged+".wal"), log) || !bytes.Equal(read(t, logged), file) {
		t.Error("what was copied was changed")
	}
	if said := mustRun(t, "--db", copied, "sql", "--format", "csv", "SELECT count(*) FROM token_sets WHERE token_set = 'logged'"); !strings.HasSuffix(said, "\n1\n") {
		t.Errorf("the copy lacks what was in the log: %s", said)
	}

	// Damage, a database that is written to, and one of an older schema.
	second := read(t, copied)
	damaged := damagedWeights(t, db, first)
	broken := write(t, t.TempDir(), "broken.db", damaged)
	expectFailure(t, saedbRun(t, "", "--db", broken, "backup", copied, "--replace"), 1, "the database is damaged, and was not copied", "orrupt")
	change(t, db, "UPDATE stored_decoders SET w_dec = list_transform(w_dec, x -> 2 * x) WHERE feature = 3")
	expectFailure(t, saedbRun(t, "", "--db", db, "backup", copied, "--replace"), 1, "the database is damaged, and was not copied", "feature 3")
	writer, err := saedb.Open(t.Context(), logged, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r := saedbRun(t, "", "--db", logged, "backup", copied, "--replace"); r.code != 1 || !strings.Contains(r.stderr, "has it open to write") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	writer.Close()
	if !bytes.Equal(read(t, copied), second) {
		t.Error("a backup that failed changed the one that was there")
	}
	onlyFiles(t, dir, "copy.db")
	for _, version := range []int{1, 2} {
		path := golden(t, version)
		mustRun(t, "--db", path, "backup", copied, "--replace")
		if !bytes.Equal(read(t, copied), read(t, path)) {
			t.Errorf("the copy of %s is another", path)
		}
	}
}

// TestRestore: a database takes the place of another, damaged or not, only where the copy is
// sound and nobody has the other open.
func TestRestore(t *testing.T) {
	t.Parallel()
	db, dir := smallDatabase(t), t.TempDir()
	copied := filepath.Join(dir, "copy.db")
	mustRun(t, "--db", db, "backup", copied)
	whole := read(t, copied)
	before := stateOf(t, db)
	onlyFiles(t, filepath.Dir(db), "blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre", "small.db")

	expectFailure(t, saedbRun(t, "", "--db", db, "restore", copied), 1, "small.db", "there already")
	reader, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "restore", copied, "--replace"), 1, "small.db", "another program has it open")
	reader.Close()
	damaged := damagedWeights(t, db, whole)
	expectFailure(t, saedbRun(t, "", "--db", db, "restore", write(t, dir, "bad.db", damaged), "--replace"), 1, "orrupt")
	if !maps.Equal(stateOf(t, db), before) {
		t.Error("a restore that failed changed the database")
	}

	write(t, filepath.Dir(db), "small.db", damaged)
	mustRun(t, "--db", db, "restore", copied, "--replace")
	if !maps.Equal(stateOf(t, db), before) || !bytes.Equal(read(t, copied), whole) {
		t.Error("what was restored is not what was copied")
	}
	mustRun(t, "--db", db, "check")

	// The log of what is replaced must not be taken for the new file's.
	file, log := logOf(t, db, func(db *saedb.DB) error {
		_, err := db.LoadSets(t.Context(), saedb.SetsRequest{Name: "logged", Query: "SELECT 1"})
		return err
	})
	write(t, filepath.Dir(db), "small.db", file)
	write(t, filepath.Dir(db), "small.db.wal", log)
	mustRun(t, "--db", db, "restore", copied, "--replace")
	onlyFiles(t, filepath.Dir(db), "blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre", "small.db")
	if !maps.Equal(stateOf(t, db), before) {
		t.Error("the old log was taken in")
	}
	mustRun(t, "--db", filepath.Join(dir, "new.db"), "restore", copied)
	mustRun(t, "--db", filepath.Join(dir, "new.db"), "check")
}
