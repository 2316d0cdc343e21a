package shell

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/duckdb/duckdb-go/v2"
	"github.com/saedb/saedb/internal/output"
)

func connect(t *testing.T) *sql.Conn {
	t.Helper()
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close() })
	return conn
}

func TestExecute(t *testing.T) {
	for _, test := range []struct {
		script string
		format output.Format
		want   string
	}{
		{"CREATE TABLE t(i INTEGER); SET threads = 1; INSERT INTO t VALUES (1), (2); DELETE FROM t WHERE i = 1", output.Table, "2 rows\n1 row\n"},
		{"CREATE TABLE t AS SELECT i FROM range(1200) r(i)", output.Table, "1,200 rows\n"},
		{"CREATE TABLE t AS SELECT 1 AS i; UPDATE t SET i = 2; FROM t", output.CSV, "i\n2\n"},
		{"SELECT 1 AS a; SELECT 2 AS b", output.JSON, "[{\"a\":1}]\n[{\"b\":2}]\n"},
		{"SELECT 5 AS \"Count\"", output.CSV, "Count\n5\n"},
		{"CREATE TABLE t(\"Count\" BIGINT); INSERT INTO t VALUES (4) RETURNING \"Count\"", output.CSV, "Count\n4\n"},
		{"CREATE TABLE t(\"Count\" BIGINT); WITH x AS (SELECT 4 AS c) INSERT INTO t SELECT c FROM x", output.CSV, ""},
		{"WITH x AS (SELECT 4::BIGINT AS \"Count\") SELECT * FROM x", output.CSV, "Count\n4\n"},
		{"BEGIN; CREATE TABLE t(i INTEGER); ROLLBACK; SELECT count(*) AS n FROM duckdb_tables()", output.CSV, "n\n0\n"},
		{"-- nothing;\n", output.CSV, ""},
		{"", output.JSON, ""},
	} {
		var out strings.Builder
		if err := Execute(t.Context(), connect(t), strings.NewReader(test.script), &out, Options{Format: test.format}); err != nil {
			t.Errorf("%s: %v", test.script, err)
		}
		if out.String() != test.want {
			t.Errorf("%s: got\n%swant\n%s", test.script, out.String(), test.want)
		}
	}
}

func TestExecuteDrawsPlans(t *testing.T) {
	var out strings.Builder
	if err := Execute(t.Context(), connect(t), strings.NewReader("EXPLAIN SELECT 1"), &out, Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "PROJECTION") || strings.Contains(out.String(), `\n`) || strings.Contains(out.String(), "explain_key") {
		t.Errorf("got\n%s", out.String())
	}
}

func TestExecuteStopsAtTheFirstError(t *testing.T) {
	var out strings.Builder
	script := "SELECT 1 AS a;\n-- a comment\n\nSELECT *\nFROM missing; SELECT 2"
	err := Execute(t.Context(), connect(t), strings.NewReader(script), &out, Options{Format: output.CSV})
	var e *StatementError
	if !errors.As(err, &e) || e.Line != 4 {
		t.Fatalf("got %v", err)
	}
	// DuckDB's own layout, with the place under the line.
	const place = "\n\nLINE 2: FROM missing\n             ^"
	if !strings.HasPrefix(err.Error(), "run SQL: statement at line 4: Catalog Error: ") || !strings.HasSuffix(err.Error(), place) {
		t.Errorf("got %v", err)
	}
	if out.String() != "a\n1\n" {
		t.Errorf("printed %q", out.String())
	}
}

func TestExecuteEndsQuietlyWhenNobodyReads(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	read.Close()
	defer write.Close()
	if err := Execute(t.Context(), connect(t), strings.NewReader("FROM range(100000); SELECT * FROM missing"), write, Options{Format: output.CSV}); err != nil {
		t.Errorf("got %v", err)
	}
	if err := Execute(t.Context(), connect(t), strings.NewReader("SELECT 1"), nil, Options{Format: output.CSV}); err != nil {
		t.Errorf("without output: %v", err)
	}
}

// slow takes minutes unless it is cancelled.
const slow = "SELECT count(*) FROM range(1000000000) a(i), range(1000) b(j) WHERE hash(i, j) = 1"

func TestExecuteIsCancelled(t *testing.T) {
	conn := connect(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := Execute(ctx, conn, strings.NewReader(slow), io.Discard, Options{Format: output.CSV})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
	if err := Execute(t.Context(), conn, strings.NewReader("SELECT 1"), io.Discard, Options{Format: output.CSV}); err != nil {
		t.Errorf("the connection was unusable after: %v", err)
	}
}
