package test

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// logOf makes a change to a database, and returns the file as it was and the log that a
// program would leave that was killed after the change.
func logOf(t *testing.T, db string, change func(db *saedb.DB) error) (file, log []byte) {
	t.Helper()
	opened, err := saedb.Open(t.Context(), db, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Exec("SET checkpoint_threshold = '1TB'"); err != nil {
		t.Fatal(err)
	}
	if err := change(opened); err != nil {
		t.Fatal(err)
	}
	return read(t, db), read(t, db+".wal")
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// TestForeignLog: the log of another database beside a file is refused by whatever opens it,
// and both stay as they are; the database's own log is taken in.
func TestForeignLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	own, other := smallDatabase(t), filepath.Join(dir, "other.db")
	narrowSAE(t, filepath.Join(dir, "first"), 1, 30)
	narrowSAE(t, filepath.Join(dir, "second"), 2, 30)
	mustRun(t, "--db", other, "load", "model", modelOf(t, "gpt2", ""), "--name", "another")
	mustRun(t, "--db", other, "load", "sae", filepath.Join(dir, "first"))
	whole := read(t, own)
	logs := map[string]func(db *saedb.DB) error{
		"an SAE": func(db *saedb.DB) error {
			return db.LoadSAEs(t.Context(), filepath.Join(dir, "second"), saedb.SAERequest{}, func(saedb.Outcome) error { return nil })
		},
		"sets": func(db *saedb.DB) error {
			_, err := db.LoadSets(t.Context(), saedb.SetsRequest{Name: "s", Query: "SELECT 1"})
			return err
		},
		"a table of one's own": func(db *saedb.DB) error {
			_, err := db.Exec("INSERT INTO mine VALUES (3)")
			return err
		},
	}
	if opened, err := saedb.Open(t.Context(), other, saedb.Options{}); err != nil {
		t.Fatal(err)
	} else if _, err := opened.Exec("CREATE TABLE mine (i INTEGER)"); err != nil || opened.Close() != nil {
		t.Fatal(err)
	}
	for name, change := range logs {
		changed := filepath.Join(t.TempDir(), "changed.db")
		copyFile(t, other, changed)
		_, log := logOf(t, changed, change)
		db := write(t, t.TempDir(), "own.db", whole)
		write(t, filepath.Dir(db), "own.db.wal", log)
		for _, args := range [][]string{{"info"}, {"check"}, {"load", "sets", "--name", "n", "--sql", "SELECT 1"}} {
			r := saedbRun(t, "", append([]string{"--db", db}, args...)...)
			if r.code != 1 || !strings.Contains(r.stderr, "own.db.wal: the log ") || !strings.Contains(r.stderr, "move it away") || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("the log of %s, %v: exit %d: %s%s", name, args, r.code, r.stdout, r.stderr)
			}
		}
		if sha256.Sum256(read(t, db)) != sha256.Sum256(whole) || sha256.Sum256(read(t, db+".wal")) != sha256.Sum256(log) {
			t.Errorf("the log of %s: a file was changed", name)
		}
		if err := os.Remove(db + ".wal"); err != nil {
			t.Fatal(err)
		}
		mustRun(t, "--db", db, "check")
	}
	file, log := logOf(t, own, logs["sets"])
	db := write(t, t.TempDir(), "own.db", file)
	write(t, filepath.Dir(db), "own.db.wal", log)
	if said := mustRun(t, "--db", db, "sql", "--format", "csv", "SELECT count(*) FROM token_sets WHERE token_set = 's'"); !strings.HasSuffix(said, "\n1\n") {
		t.Errorf("its own log was not read: %s", said)
	}
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "check")
}

// TestTornLog: a log whose last transaction is on disk in part, as a loss of power leaves it, is
// named by what reads, and cut by what writes, which keeps all of it; what was committed before
// is there.
func TestTornLog(t *testing.T) {
	t.Parallel()
	own := smallDatabase(t)
	set := func(db *saedb.DB, name string) error {
		_, err := db.LoadSets(t.Context(), saedb.SetsRequest{Name: name, Query: "SELECT 1"})
		return err
	}
	var first int
	file, log := logOf(t, own, func(db *saedb.DB) error {
		if err := set(db, "before"); err != nil {
			return err
		}
		first = len(read(t, own+".wal"))
		return set(db, "torn")
	})
	for at := first + 10; at < len(log); at += (len(log) - first) / 3 {
		torn := append([]byte(nil), log...)
		torn[at] ^= 0xff
		db := write(t, t.TempDir(), "torn.db", file)
		write(t, filepath.Dir(db), "torn.db.wal", torn)
		expectFailure(t, saedbRun(t, "", "--db", db, "info"), 1, "torn.db.wal: the log is torn at byte ", "all that was committed before is there")
		r := saedbRun(t, "", "--db", db, "load", "sets", "--name", "after", "--sql", "SELECT 2")
		if r.code != 0 || !strings.Contains(r.stderr, "note: the end of "+db+".wal was torn") {
			t.Fatalf("exit %d: %s", r.code, r.stderr)
		}
		if kept, err := filepath.Glob(db + ".wal.torn-*"); err != nil || len(kept) != 1 || string(read(t, kept[0])) != string(torn) {
			t.Errorf("kept %v, %v", kept, err)
		}
		said := mustRun(t, "--db", db, "sql", "--format", "csv", "SELECT string_agg(token_set, ' ' ORDER BY token_set) FROM token_sets WHERE token_set IN ('before', 'torn', 'after')")
		if !strings.HasSuffix(said, "\nafter before\n") {
			t.Errorf("after it there are %s", said)
		}
		mustRun(t, "--db", db, "check")
	}
}
