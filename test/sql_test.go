package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	schema "github.com/saedb/saedb/sql"
)

// TestSQL runs the scripts of sql/ and compares what they print with the file
// beside them: statements and results, errors included. With -update it writes
// those files anew, which is for reading before committing.
func TestSQL(t *testing.T) {
	scripts, err := filepath.Glob("sql/*.sql")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts in sql/ (%v)", err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			t.Parallel() // starts of the program are one thread's
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			expected := strings.TrimSuffix(script, ".sql") + ".out"
			out := ran(t, string(text))
			if *update {
				if err := os.WriteFile(expected, []byte(out), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if out != string(want) {
				t.Errorf("%s\n--- got\n%s\n--- expected\n%s", script, out, want)
			}
		})
	}
}

// marker is a statement that is nowhere else, and marked what it prints: where one statement's
// result ends.
const (
	marker = `SELECT 0 AS "next statement"; `
	marked = "| next statement |\n| ---: |\n| 0 |\n"
)

// ran is the statements of a script, each with what it prints. The program ends with the first
// that fails, and is run again from the next, with as many lines before it as the script has.
func ran(t *testing.T, script string) string {
	t.Helper()
	statements := strings.SplitAfter(strings.TrimSuffix(script, "\n")+"\n", ";\n")
	statements = statements[:len(statements)-1] // what follows the last semicolon, which is nothing
	var out strings.Builder
	for done := 0; done < len(statements); {
		lines := strings.Count(strings.Join(statements[:done], ""), "\n")
		input := strings.Repeat("\n", lines) + marker + strings.Join(statements[done:], marker)
		r := saedbRun(t, input, "--db", example, "sql", "--read-only", "--format", "markdown")
		results := strings.Split(r.stdout, marked)[1:]
		if len(results) == 0 || r.code == 0 && len(results) < len(statements)-done {
			t.Fatalf("expected results of %d statements, found %d: %s", len(statements)-done, len(results), r.stderr)
		}
		for i, result := range results {
			if i == len(results)-1 {
				result += r.stderr
			}
			out.WriteString(strings.TrimLeft(statements[done+i], "\n") + result + "\n")
		}
		done += len(results)
	}
	return out.String()
}

// TestSQLScripts asks for a script in sql/ for each function that the view functions has, and for
// each view.
func TestSQLScripts(t *testing.T) {
	names, err := schema.Rows(t.Context(), openExample(t), func(name *string) []any { return []any{name} }, `
		SELECT name FROM functions UNION ALL
		SELECT 'view_' || view_name FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' AND view_name NOT SIMILAR TO 'layer_[0-9]+'`)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join("sql", name+".sql")); err != nil {
			t.Errorf("there is no script for %s", name)
		}
	}
}
