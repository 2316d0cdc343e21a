package test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
			text, err := os.ReadFile(script)
			if err != nil {
				t.Fatal(err)
			}
			expected := strings.TrimSuffix(script, ".sql") + ".out"
			var out strings.Builder
			for _, statement := range strings.SplitAfter(string(text), ";\n") {
				if strings.TrimSpace(statement) == "" {
					continue
				}
				r := saedbRun(t, statement, "--db", example, "sql", "--read-only", "--format", "markdown")
				out.WriteString(strings.TrimLeft(statement, "\n") + r.stdout + r.stderr + "\n")
			}
			if *update {
				if err := os.WriteFile(expected, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(expected)
			if err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != string(want) {
				t.Errorf("%s\n--- got\n%s\n--- expected\n%s", script, got, want)
			}
		})
	}
}
