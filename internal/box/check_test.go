package box

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
)

func TestWhatMayBeAsked(t *testing.T) {
	b := open(t, Options{Time: 20 * time.Second, Path: database(t,
		"CREATE VIEW harmful AS FROM checkpoint()",
		"CREATE VIEW behind AS SELECT success FROM harmful",
		"CREATE MACRO logged() AS write_log('x')",
		"CREATE MACRO checkpointed() AS TABLE FROM checkpoint()",
		"CREATE MACRO force_checkpoint() AS TABLE SELECT 1",
		`CREATE VIEW "Harmful AS Name" AS SELECT * FROM enable_logging(storage := 'memory')`,
	)})
	for _, c := range []struct{ query, want string }{
		{"SELECT 1 AS one;", `"one"`},
		{"FROM few -- all", `["9","0"]`},
		{`SELECT "a AS b" AS a FROM "odd AS name" ORDER BY 1 LIMIT 1`, `[["1"]]`},
		{"FROM pivoted", `["`},
		{"SELECT plus(1), plus(n, 2) FROM first_of(1)", `[["2","2"]]`},
		{"WITH f AS (FROM few) SELECT (SELECT count(*) FROM f), unnest(range(1, 3))", `[["10","1"],["10","2"]]`},
		{"SELECT * FROM range(2) a, generate_series(1) b ORDER BY ALL", `["1","1"]`},
		{"SELECT key FROM json_each('{\"a\": 1}')", `[["a"]]`},
		{"SELECT view_name FROM duckdb_views() WHERE view_name = 'few'", `[["few"]]`},
		{"SELECT count(*) FROM information_schema.tables WHERE table_name = 'numbers'", `[["1"]]`},
		{"PIVOT numbers ON rest USING count(*)", `["0","1","0"]`[:4]},
		{"SUMMARIZE few", `"n"`},
		{"SHOW TABLES", `["few"]`},
		{"DESCRIBE numbers", `["n"`},
		{"VALUES (1)", `[["1"]]`},
		{"SELECT * FROM (SELECT 'FROM checkpoint()' AS text)", "checkpoint()"},
		{"SELECT json_serialize_sql('FROM checkpoint()') IS NULL", `[["false"]]`},
		{"SELECT count(*) FROM duckdb_types() WHERE type_name LIKE '%pivot%'", `[["0"]]`},
	} {
		if answer, err := b.Rows(t.Context(), c.query); err != nil || !strings.Contains(string(answer), c.want) {
			t.Errorf("%s: expected %s, found %s, %v", c.query, c.want, answer, err)
		}
	}
	for _, c := range []struct{ query, want string }{
		{"FROM enable_logging(storage='file', storage_path='/tmp/x.csv')", "enable_logging() cannot be used here"},
		{"FROM enable_logging(storage='stdout')", "enable_logging() cannot be used here"},
		{"FROM enable_profiling(format='json', save_location='/tmp/x.json')", "enable_profiling() cannot be used here"},
		{"FROM disable_logging()", "disable_logging() cannot be used here"},
		{"SELECT * FROM checkpoint()", "checkpoint() cannot be used here"},
		{"SELECT * FROM CheckPoint()", "checkpoint() cannot be used here"},
		{`FROM "force_checkpoint"()`, "force_checkpoint() cannot be used here"},
		{"FROM system.main.checkpoint()", "checkpoint() cannot be used here"},
		{"WITH c AS (FROM checkpoint()) SELECT 1", "checkpoint() cannot be used here"},
		{"WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT 1 FROM checkpoint()) FROM c", "checkpoint() cannot be used here"},
		{"SELECT (SELECT count(*) FROM checkpoint())", "checkpoint() cannot be used here"},
		{"SELECT 1 WHERE EXISTS (FROM checkpoint())", "checkpoint() cannot be used here"},
		{"SELECT 1 ORDER BY (SELECT count(*) FROM checkpoint())", "checkpoint() cannot be used here"},
		{"SELECT 1 LIMIT (SELECT count(*) FROM checkpoint())", "checkpoint() cannot be used here"},
		{"SELECT 1 UNION ALL SELECT 1 FROM checkpoint()", "checkpoint() cannot be used here"},
		{"FROM few JOIN checkpoint() c ON true", "checkpoint() cannot be used here"},
		{"FROM few, LATERAL (FROM checkpoint())", "checkpoint() cannot be used here"},
		{"VALUES ((SELECT count(*) FROM checkpoint()))", "checkpoint() cannot be used here"},
		{"SELECT list_transform([1], x -> (SELECT count(*) FROM checkpoint()))", "checkpoint() cannot be used here"},
		{"DESCRIBE FROM checkpoint()", "checkpoint() cannot be used here"},
		{"SUMMARIZE FROM checkpoint()", "checkpoint() cannot be used here"},
		{"PIVOT (FROM checkpoint()) ON success USING count(*)", "checkpoint() cannot be used here"},
		{"PIVOT (FROM checkpoint()) ON success IN (true) USING count(*)", "checkpoint() cannot be used here"},
		{"UNPIVOT (FROM checkpoint()) ON success", "checkpoint() cannot be used here"},
		{"FROM few AT (VERSION => (SELECT count(*) FROM checkpoint()))", "checkpoint() cannot be used here"},
		{"SELECT count(*) FILTER ((SELECT count(*) FROM checkpoint()) > 0) FROM few", "checkpoint() cannot be used here"},
		{"SELECT list(n ORDER BY (SELECT count(*) FROM checkpoint())) FROM few", "checkpoint() cannot be used here"},
		{"SELECT sum(n) OVER (ROWS (SELECT count(*) FROM checkpoint()) PRECEDING) FROM few", "checkpoint() cannot be used here"},
		{"SELECT sum(n) OVER (PARTITION BY (SELECT count(*) FROM checkpoint())) FROM few", "checkpoint() cannot be used here"},
		{"SELECT DISTINCT ON ((SELECT count(*) FROM checkpoint())) n FROM few", "checkpoint() cannot be used here"},
		{"SELECT n FROM few GROUP BY GROUPING SETS ((n, (SELECT count(*) FROM checkpoint())))", "checkpoint() cannot be used here"},
		{"SELECT n FROM few QUALIFY row_number() OVER () > (SELECT count(*) FROM checkpoint())", "checkpoint() cannot be used here"},
		{"FROM range((SELECT count(*) FROM checkpoint()))", "checkpoint() cannot be used here"},
		{"FROM few PIVOT (count(*) + (SELECT count(*) FROM checkpoint()) FOR n IN (1, 2))", "checkpoint() cannot be used here"},
		{"FROM few UNPIVOT (v FOR k IN (n, rest + (SELECT count(*) FROM checkpoint())))", "checkpoint() cannot be used here"},
		{"SELECT * REPLACE ((SELECT count(*) FROM checkpoint()) AS n) FROM few", "checkpoint() cannot be used here"},
		{"SELECT COLUMNS(lambda c: (SELECT count(*) FROM checkpoint()) > 0) FROM few", "checkpoint() cannot be used here"},
		{"SELECT [x FOR x IN [1] IF (SELECT count(*) FROM checkpoint()) > 0]", "checkpoint() cannot be used here"},
		{"SELECT {'a': ARRAY(SELECT success FROM checkpoint())}", "checkpoint() cannot be used here"},
		{"WITH RECURSIVE t(a, b) USING KEY (a) AS (SELECT 1, 2 UNION SELECT a, b FROM t, checkpoint()) FROM t", "checkpoint() cannot be used here"},
		{"SELECT * FROM few POSITIONAL JOIN checkpoint()", "checkpoint() cannot be used here"},
		{"PIVOT (FROM/**/checkpoint/**/()) ON success USING count(*)", "checkpoint() cannot be used here"},
		{`PIVOT (FROM "checkpoint"()) ON success USING count(*)`, "checkpoint() cannot be used here"},
		{`PIVOT (FROM U&"chec\006bpoint"()) ON success USING count(*)`, "NOT IMPLEMENTED"}, // where it is, words do not tell it
		{"WITH x AS (DELETE FROM numbers RETURNING n) FROM x", "A CTE needs a SELECT"},
		{"FROM (INSERT INTO numbers VALUES (1, 2) RETURNING n)", "syntax error"},
		{"FROM (CALL checkpoint())", "syntax error"},
		{"SELECT 1 /*", "unterminated"},
		{"SELECT $$ ", "unterminated"},
		{"SELECT " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000), "memory exhausted"},
		{"SELECT 1" + strings.Repeat("+1", 50000), "Max expression depth"},
		{"SELECT * FROM saedb_cancel()", "saedb_cancel() cannot be used here"},
		{"FROM read_sae('/etc')", "read_sae() cannot be used here"},
		{"FROM duckdb_secrets()", "duckdb_secrets() cannot be used here"},
		{"FROM query('FROM few')", "query() cannot be used here"},
		{"FROM query_table('few')", "query_table() cannot be used here"},
		{"FROM histogram_values('few', n)", "histogram_values() cannot be used here"},
		{"FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))", "json_execute_serialized_sql() cannot be used here"},
		{"SELECT json_serialize_plan('FROM checkpoint()')", "json_serialize_plan() cannot be used here"},
		{"SELECT write_log('x')", "write_log() cannot be used here"},
		{"SELECT main.Write_Log('x')", "cannot be used here"},
		{"FROM harmful", "harmful of the database: checkpoint() cannot be used here"},
		{"FROM Behind", "behind of the database: harmful of the database: checkpoint()"},
		{"SHOW behind", "checkpoint() cannot be used here"},
		{`FROM "Harmful AS Name"`, "enable_logging() cannot be used here"},
		{"SELECT logged()", "logged of the database: write_log()"},
		{"FROM checkpointed()", "checkpointed of the database: checkpoint()"},
		{"FROM force_checkpoint()", "force_checkpoint() cannot be used here"},
		{"PIVOT behind ON success USING count(*)", "behind of the database"},
		{"PIVOT checkpointed() ON success USING count(*)", "checkpointed of the database"},
		{"FROM 'few.csv'", "Permission Error"},
		{"FROM '" + parquetFile("/tmp") + "'", "Permission Error"},
		{"CALL checkpoint()", "only SELECT"},
		{"PRAGMA enable_profiling", "only SELECT"},
		{"SET memory_limit = '10GB'", "only SELECT"},
		{"EXPLAIN ANALYZE SELECT 1", "only SELECT"},
		{"CREATE TEMP TABLE t AS SELECT 1", "only SELECT"},
		{"DROP TABLE numbers", "only SELECT"},
		{"SELECT 1; SELECT 2", "expected one statement, found 2"},
		{"SELECT 1) UNION (SELECT 2", "syntax error"},
		{"SELECT 1\x00) ; FROM checkpoint(", "NUL"},
		{" ; ", "there is no query"},
	} {
		if answer, err := b.Rows(t.Context(), c.query); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.200s: expected %q, found %s, %v", c.query, c.want, answer, err)
		}
	}
	alive(t, b)
	if b.started != 1 {
		t.Errorf("%d processes were needed", b.started)
	}
}

// TestFunctionsAreKnown: each table function that may be used is one, and what DuckDB marks
// as doing more than computing is in one of the two lists: one of a later version fails here.
func TestFunctionsAreKnown(t *testing.T) {
	db, err := saedb.Open(t.Context(), "", saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tables, err := schema.Collect[string](t.Context(), db, `SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range TableFunctions {
		if !slices.Contains(tables, name) {
			t.Errorf("DuckDB has no table function %s", name)
		}
	}
	marked, err := schema.Collect[string](t.Context(), db, `SELECT DISTINCT function_name FROM duckdb_functions() WHERE has_side_effects AND function_type = 'scalar'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range marked {
		if !slices.Contains(refusedFunctions, name) && !slices.Contains(pureFunctions, name) {
			t.Errorf("%s does more than compute, DuckDB says, and is in neither list", name)
		}
	}
	if len(marked) < 10 {
		t.Errorf("only %d functions are marked", len(marked))
	}
}
