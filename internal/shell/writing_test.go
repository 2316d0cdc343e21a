package shell

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// lookedAt opens a file with the table t to be read first, and gives what makes it
// writable for a shell.
func lookedAt(t *testing.T) (conn *sql.Conn, w *Writer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a file's.db")
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE t AS SELECT 1 AS i; CREATE SEQUENCE s; CREATE SCHEMA r; CREATE VIEW r.v AS FROM main.t"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	if db, err = saedb.Open(t.Context(), path, saedb.Options{ReadFirst: true}); err != nil {
		t.Fatal(err)
	}
	if conn, err = db.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close() })
	return conn, &Writer{Database: db.Name(), Write: db.Write}
}

// TestWritesWhenAStatementNeedsIt: which statements make the file writable is DuckDB's
// to say; all give what they give on a file that is open for writing.
func TestWritesWhenAStatementNeedsIt(t *testing.T) {
	csv := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(csv, []byte("i\n7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		script, want string
		writes       bool
	}{
		{"FROM t", "i\n1\n", false},
		{"EXPLAIN ANALYZE FROM t; PRAGMA database_size; PRAGMA table_info('t'); DESCRIBE t; SUMMARIZE t; SHOW ALL TABLES; PIVOT t ON i USING count(*)", "", false},
		{"SET threads = 1; SET VARIABLE x = 2; CREATE TEMP TABLE u AS FROM t; INSERT INTO u VALUES (2); CREATE TEMP MACRO m() AS 3; SELECT count(*) AS n, m() AS m FROM u", "n,m\n2,3\n", false},
		{"COPY t TO '" + filepath.Join(t.TempDir(), "out.csv") + "'; ATTACH ':memory:' AS other; CREATE TABLE other.t AS FROM t; USE other; CREATE TABLE u AS FROM t; FROM u", "i\n1\n", false},
		{"BEGIN; FROM t; CREATE TEMP TABLE u(i INTEGER); COMMIT; FROM r.v", "i\n1\ni\n1\n", false},
		{"PREPARE p AS INSERT INTO t VALUES (2); FROM t", "i\n1\n", false},
		{"INSERT INTO t VALUES (2); FROM t", "i\n1\n2\n", true},
		{"CREATE TEMP TABLE u AS SELECT 5 AS i; SET VARIABLE x = 6; PREPARE p AS SELECT count(*) AS n FROM t; USE \"a file's\".r; INSERT INTO main.t FROM u; EXECUTE p; SELECT getvariable('x') AS x, i, current_schema() AS s FROM u", "n\n2\nx,i,s\n6,5,r\n", true},
		{"PREPARE p AS INSERT INTO t VALUES (2); EXECUTE p; FROM t", "Count\n1\ni\n1\n2\n", true},
		{"SELECT nextval('s') AS n", "n\n1\n", true},
		{"COPY t FROM '" + csv + "'; FROM t", "i\n1\n7\n", true},
		{"CREATE TABLE u AS SELECT 2 AS i; FROM u", "i\n2\n", true},
		{"CREATE MACRO m() AS 3; SELECT m() AS m", "m\n3\n", true},
		{"DROP VIEW r.v; DROP SCHEMA r; ALTER TABLE t RENAME TO u; FROM u", "i\n1\n", true},
		{"CHECKPOINT; VACUUM", "", true},
		{"BEGIN; FROM t; INSERT INTO t VALUES (2); ROLLBACK; FROM t", "i\n1\ni\n1\n", true},
		{"BEGIN; FROM t; INSERT INTO t VALUES (2); COMMIT; FROM t", "i\n1\ni\n1\n2\n", true},
	} {
		conn, w := lookedAt(t)
		written := 0
		write := w.Write
		w.Write = func(ctx context.Context, conn *sql.Conn) (bool, error) { written++; return write(ctx, conn) }
		var out strings.Builder
		if err := Execute(t.Context(), conn, strings.NewReader(c.script), &out, Options{Format: "csv", Writer: w}); err != nil {
			t.Errorf("%s: %v", c.script, err)
		}
		if c.want != "" && out.String() != c.want {
			t.Errorf("%s: got %q, want %q", c.script, out.String(), c.want)
		}
		if c.writes != (written == 1) || written > 1 {
			t.Errorf("%s: made writable %d times", c.script, written)
		}
	}
}

// TestWritesInATransaction: one that has only read goes on, on the same content; what
// would be lost otherwise is not.
func TestWritesInATransaction(t *testing.T) {
	for script, want := range map[string]string{
		"BEGIN; CREATE TEMP TABLE u(i INTEGER); INSERT INTO t VALUES (2)": "the transaction began while the database was open to be read, and has done more than that since (ROLLBACK; saedb sql --write",
		"BEGIN TRANSACTION READ ONLY; INSERT INTO t VALUES (2)":           "read-only mode",
	} {
		conn, w := lookedAt(t)
		err := Execute(t.Context(), conn, strings.NewReader(script), nil, Options{Writer: w})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", script, err)
		}
		var out strings.Builder
		if err := Execute(t.Context(), conn, strings.NewReader("ROLLBACK; INSERT INTO t VALUES (3); FROM t"), &out, Options{Format: "csv", Writer: w}); err != nil || out.String() != "i\n1\n3\n" {
			t.Errorf("after %s: %q, %v", script, out.String(), err)
		}
	}
	// Another program writes between two statements of a transaction.
	conn, w := lookedAt(t)
	write := w.Write
	w.Write = func(ctx context.Context, conn *sql.Conn) (bool, error) {
		_, err := write(ctx, conn)
		return true, err
	}
	script := "BEGIN; FROM t; INSERT INTO t VALUES (2); COMMIT"
	err := Execute(t.Context(), conn, strings.NewReader(script), nil, Options{Writer: w})
	if err == nil || !strings.Contains(err.Error(), "has changed since the transaction began, which has been rolled back") {
		t.Errorf("got %v", err)
	}
	var out strings.Builder
	if err := Execute(t.Context(), conn, strings.NewReader("FROM t"), &out, Options{Format: "csv"}); err != nil || out.String() != "i\n1\n" {
		t.Errorf("afterwards: %q, %v", out.String(), err)
	}
}

// TestShellPrintsTheLastResultAgain: all of it, in the format of now.
func TestShellPrintsTheLastResultAgain(t *testing.T) {
	const input = ".last\n.maxrows 3\nSELECT i, [i, NULL] AS list FROM range(5) r(i);\n.mode csv\n.last\nCREATE TABLE t(i INTEGER);\n.mode json\n.last\n.maxrows\n.maxrows -1\n.lst\n"
	out, errOut := runShell(t, connect(t), input, Options{})
	const want = `┌───┬───────────┐
│ i │ list      │
├───┼───────────┤
│ 0 │ [0, NULL] │
│ 1 │ [1, NULL] │
│ · │ ·         │
│ 4 │ [4, NULL] │
└───┴───────────┘
5 rows (3 shown)
i,list
0,"[0, NULL]"
1,"[1, NULL]"
2,"[2, NULL]"
3,"[3, NULL]"
4,"[4, NULL]"
[{"i":0,"list":[0,null]},
{"i":1,"list":[1,null]},
{"i":2,"list":[2,null]},
{"i":3,"list":[3,null]},
{"i":4,"list":[4,null]}]
`
	if out != want {
		t.Errorf("got\n%s", out)
	}
	for _, message := range []string{"there is none yet", ".maxrows: expected N, found nothing", "0 for all, found -1", "did you mean .last?"} {
		if !strings.Contains(errOut, message) {
			t.Errorf("%q does not say %q", errOut, message)
		}
	}
	// Tokens and vectors are kept; what is too large to keep is not, and says so.
	_, errOut = runShell(t, connect(t), "SELECT repeat('x', 1000) FROM range(100000);\n.last\n", Options{MaxRows: 2})
	if !strings.Contains(errOut, "100,000 rows are more than is kept (COPY") {
		t.Errorf("messages %q", errOut)
	}
}

// TestLayersThatThereAre: an error about the view of a layer lists those that there are.
func TestLayersThatThereAre(t *testing.T) {
	conn := connect(t)
	const none = "FROM layer_3"
	err := Execute(t.Context(), conn, strings.NewReader(none), nil, Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "\n\nThe layers here: none; FROM saes lists what is loaded") {
		t.Errorf("got %v", err)
	}
	if _, err := conn.ExecContext(t.Context(), "CREATE VIEW layer_10 AS SELECT 1; CREATE VIEW layer_9 AS SELECT 1; CREATE VIEW layer_cake AS SELECT 1; CREATE SCHEMA r; CREATE VIEW r.layer_9 AS SELECT 1"); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{none, "SELECT 1;\nFROM r.layer_10 JOIN layer_9 ON true"} {
		err := Execute(t.Context(), conn, strings.NewReader(text), nil, Options{})
		if err == nil || !strings.HasSuffix(err.Error(), "^\n\nThe layers here: layer_9, layer_10") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
