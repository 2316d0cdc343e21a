package test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/saedb/saedb"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf"
)

const reference = "../docs/reference.md"

// TestReference: docs/reference.md says what the database says of itself. With
// -update it is written anew.
func TestReference(t *testing.T) {
	got := writeReference(t, openExample(t))
	if *update {
		if err := os.MkdirAll("../docs", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(reference, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Error("docs/reference.md is not what the database says; make docs writes it")
	}
}

// documented is every function and macro.
func documented() []schema.Function { return append(udf.Documentation(), schema.Macros...) }

func writeReference(t *testing.T, db *saedb.DB) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("# Reference\n\nWritten by `make docs` from the comments in the database and the view `functions`.\n\n## Functions\n")
	for _, f := range documented() {
		fmt.Fprintf(&out, "\n### %s\n\n`%s`\n\n%s\n\n```sql\n%s;\n```\n", f.Name, f.Signature, f.Description, f.Example)
	}
	out.WriteString("\n## Views\n\n`layer_N` shows the features at layer N; a schema named after a release holds `features`, `enrichment` and `layer_N` for that release alone.\n")
	writeColumns(t, &out, db, `SELECT v.view_name, v.comment, c.column_name, c.data_type, c.comment
		FROM duckdb_views() v JOIN duckdb_columns() c ON c.table_name = v.view_name AND c.schema_name = v.schema_name
		WHERE v.schema_name = 'main' AND NOT v.internal AND NOT regexp_matches(v.view_name, '^layer_[0-9]+$')
		ORDER BY v.view_oid, c.column_index`)
	out.WriteString("\n## Tables to write to\n\nAll other tables begin with `stored_` and are saedb's own.\n")
	writeColumns(t, &out, db, `SELECT t.table_name, t.comment, c.column_name, c.data_type, c.comment
		FROM duckdb_tables() t JOIN duckdb_columns() c USING (table_oid)
		WHERE t.schema_name = 'main' AND NOT t.internal AND NOT starts_with(t.table_name, 'stored_')
		ORDER BY t.table_oid, c.column_index`)
	return out.String()
}

// writeColumns writes a table of columns for each relation that a query gives.
func writeColumns(t *testing.T, out *strings.Builder, db *saedb.DB, query string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	last := ""
	for rows.Next() {
		var view, about, column, kind, comment string
		if err := rows.Scan(&view, &about, &column, &kind, &comment); err != nil {
			t.Fatal(err)
		}
		if view != last {
			fmt.Fprintf(out, "\n### %s\n\n%s\n\n| column | type | |\n|---|---|---|\n", view, about)
			last = view
		}
		fmt.Fprintf(out, "| `%s` | %s | %s |\n", column, kind, strings.ReplaceAll(comment, "|", "\\|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// TestExamples runs the example of every function's documentation.
func TestExamples(t *testing.T) {
	path := exampleWithLens(t)
	mustRun(t, "--db", path, "compute", "--neighbours", "--from", "layer_14", "--to", "layer_19", "--top", "4")
	t.Chdir("..") // examples name files from the project's root
	db, err := saedb.Open(t.Context(), path, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, f := range documented() {
		t.Run(f.Name, func(t *testing.T) {
			rows, err := db.QueryContext(t.Context(), f.Example)
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Err(); err != nil || n == 0 {
				t.Errorf("%d rows, %v", n, err)
			}
		})
	}
}
