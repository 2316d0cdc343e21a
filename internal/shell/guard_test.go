package shell

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
)

// TestGuard: a table of saedb's own is not changed by hand, however its name is
// written; reading it, and any other table of such a name, is free.
func TestGuard(t *testing.T) {
	conn := connect(t)
	const before = `ATTACH ':memory:' AS demo; ATTACH ':memory:' AS other; USE demo;
		CREATE TABLE stored_schema(version INTEGER); CREATE TABLE stored_saes(sae_id INTEGER); CREATE TABLE mine(sae_id INTEGER);
		CREATE SCHEMA release; CREATE TABLE release.stored_mine(i INTEGER);
		CREATE TABLE other.stored_saes(sae_id INTEGER); CREATE TEMP TABLE stored_few(i INTEGER)`
	if _, err := conn.ExecContext(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	refused := []string{
		"INSERT INTO stored_saes VALUES (1)", "insert or replace into STORED_SAES values (1)", `INSERT INTO "stored_saes" VALUES (1)`,
		"INSERT INTO 'stored_saes' VALUES (1)", "INSERT INTO main.stored_saes VALUES (1)", "INSERT INTO demo.stored_saes VALUES (1)",
		`INSERT INTO "Demo" . /* a comment */ "main" . "Stored_Saes" VALUES (1)`, "WITH x AS (SELECT 1 AS i) INSERT INTO stored_saes FROM x",
		"WITH insert AS (SELECT 1 AS i), x AS (FROM stored_saes) DELETE FROM stored_saes USING insert",
		"UPDATE stored_saes SET sae_id = 2", "UPDATE ONLY stored_saes SET sae_id = 2", "DELETE FROM stored_saes", "DELETE -- all\nFROM\n\tstored_saes AS s WHERE true",
		"TRUNCATE stored_saes", "TRUNCATE TABLE stored_saes",
		"MERGE INTO stored_saes USING (SELECT 1 AS i) s ON i = sae_id WHEN MATCHED THEN DELETE",
		"DROP TABLE stored_saes", "DROP TABLE IF EXISTS main.stored_saes CASCADE", "INSERT INTO E'stored_saes' VALUES (1)", "INSERT INTO $$stored_saes$$ VALUES (1)",
		"ALTER TABLE stored_saes ADD COLUMN j INTEGER", "ALTER TABLE IF EXISTS stored_saes RENAME TO others",
		"CREATE OR REPLACE TABLE stored_saes AS SELECT 1", "CREATE TABLE stored_new(i INTEGER)", "CREATE TABLE IF NOT EXISTS stored_few(i INTEGER)",
		"CREATE OR REPLACE VIEW stored_saes AS SELECT 1", "CREATE UNIQUE INDEX i ON stored_saes(sae_id)", "CREATE INDEX IF NOT EXISTS i ON main.stored_saes(sae_id)",
		"COPY stored_saes FROM 'x.csv'", "COPY stored_saes (sae_id) FROM 'x.csv' (HEADER)", "COPY main.stored_saes FROM 'x.csv'",
		"EXPLAIN ANALYZE DELETE FROM stored_saes", "EXPLAIN (FORMAT json) DELETE FROM stored_saes", "PREPARE p AS DELETE FROM stored_saes",
	}
	for _, text := range refused {
		err := guard(t.Context(), conn, text)
		var e *fault.Error
		if !errors.As(err, &e) || !strings.Contains(e.Op, "change ") || !strings.Contains(e.Hint, "saedb unload") {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for _, text := range []string{
		"FROM stored_saes", "SELECT * FROM stored_saes WHERE 'DELETE FROM stored_saes' = $$DROP TABLE stored_saes$$ -- DELETE FROM stored_saes",
		"INSERT INTO mine FROM stored_saes", "WITH x AS (FROM stored_saes) INSERT INTO mine FROM x", "UPDATE mine SET sae_id = (SELECT max(sae_id) FROM stored_saes)",
		"DELETE FROM mine USING stored_saes", "CREATE TABLE copied AS FROM stored_saes", "CREATE TEMP TABLE stored_here AS FROM stored_saes",
		"INSERT INTO stored_few VALUES (1)", "DROP TABLE stored_few", "INSERT INTO other.stored_saes VALUES (1)", "DELETE FROM other.main.stored_saes",
		"INSERT INTO temp.stored_few VALUES (1)", "INSERT INTO release.stored_mine VALUES (1)", "INSERT INTO demo.release.stored_mine VALUES (1)",
		"COPY stored_saes TO 'x.csv'", "COPY (FROM stored_saes) TO 'x.csv'", "COPY stored_saes (sae_id) TO 'x.csv'", "EXPLAIN FROM stored_saes",
		"PREPARE p AS FROM stored_saes", "DROP SCHEMA release CASCADE", "CREATE INDEX stored_index ON mine(sae_id)", "CREATE SCHEMA stored_schema",
		"DESCRIBE stored_saes", "CREATE VIEW latest AS FROM stored_saes", "CREATE MACRO stored_macro() AS TABLE FROM stored_saes", "ALTER VIEW latest RENAME TO last",
		"", "(", ")", "DROP", "CREATE INDEX", "EXPLAIN (", "COPY", "WITH x AS (", "INSERT OR", "'",
	} {
		if err := guard(t.Context(), conn, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	// What DuckDB takes of these must leave the table as it is.
	if _, err := conn.ExecContext(t.Context(), "USE other"); err != nil {
		t.Fatal(err)
	}
	if err := guard(t.Context(), conn, "DELETE FROM stored_saes"); err != nil {
		t.Errorf("of a database that saedb did not write: %v", err)
	}
}

// TestGuardKnowsDuckDBsNames: DuckDB itself takes the names above for the table, so
// that the guard looks where DuckDB does.
func TestGuardKnowsDuckDBsNames(t *testing.T) {
	for _, name := range []string{"stored_saes", "STORED_SAES", `"stored_saes"`, "'stored_saes'", "main.stored_saes", "memory.stored_saes", `"Memory" . /* */ "main" . "Stored_Saes"`, "ONLY stored_saes", "E'stored_saes'", "$x$stored_saes$x$"} {
		conn := connect(t)
		if _, err := conn.ExecContext(t.Context(), "CREATE TABLE stored_saes AS SELECT 1 AS i; CREATE TABLE stored_schema(i INTEGER)"); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("DELETE FROM %s", name)
		_, err := conn.ExecContext(t.Context(), text)
		var rows int
		if err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM stored_saes").Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if refused := guard(t.Context(), conn, text) != nil; !refused && (err == nil || rows == 0) {
			t.Errorf("%s: DuckDB runs it and the guard lets it pass", text)
		}
		if err == nil && rows != 0 {
			t.Errorf("%s: it deleted nothing", text)
		}
	}
}

func FuzzChanged(f *testing.F) {
	for _, text := range []string{"WITH x AS (SELECT 1) INSERT OR REPLACE INTO a.b.c VALUES ('x')", "COPY t (a) FROM 'x'", "EXPLAIN (ANALYZE) PREPARE p(INT) AS DELETE FROM ONLY (t)", "CREATE INDEX ON", "DROP SCHEMA IF EXISTS"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if found, ok := changed(text); ok && len(found.name) == 0 {
			t.Error("a target without a name")
		}
	})
}
