package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// business has what docs/bi.md connects with; make bi-clients installs it.
const business = "../build/bi"

var pythonBlock = regexp.MustCompile("(?s)```python\n(.*?)```")

// exportedExample is a directory with the example's export in out.
func exportedExample(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	mustRun(t, "--db", example, "export", "--to", filepath.Join(dir, "out"))
	return dir
}

// businessPython is the Python with duckdb-engine, pandas, polars and nbclient.
func businessPython(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(business, "environment/.complete")); err != nil {
		t.Skip("the environment of docs/bi.md is not installed; make bi-clients installs it")
	}
	return absolute(t, filepath.Join(business, "environment/bin/python"))
}

// TestBIPage runs the Python of docs/bi.md, one block after the other: SQLAlchemy with
// duckdb-engine, DuckDB, pandas, pyarrow and polars on an export.
func TestBIPage(t *testing.T) {
	t.Parallel()
	interpreter, dir := businessPython(t), exportedExample(t)
	page, err := os.ReadFile("../docs/bi.md")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	blocks := pythonBlock.FindAllStringSubmatch(string(page), -1)
	for _, block := range blocks {
		script.WriteString(block[1])
	}
	if len(blocks) != 4 {
		t.Errorf("%d blocks, expected 4", len(blocks))
	}
	out := runIn(t, dir, nil, interpreter, "-c", script.String())
	for _, want := range []string{
		"29      1536      4.205260",            // pandas by SQLAlchemy
		"[(1328, 4.20",                          // SQLAlchemy's own query
		"[(24, 1536), (29, 1536)]",              // Parquet in DuckDB
		"Pearson kurtosis of the logit weights", // a comment, in Parquet
		"\n24576\n",                             // pyarrow: 1,536 features in 16 sets
		"│ 1328    ┆ 4.20",                      // polars
	} {
		if !strings.Contains(out, want) {
			t.Errorf("its output has no %q:\n%s", want, out)
		}
	}
}

// TestSuperset reads the export's database by SQLAlchemy 1.4 and duckdb-engine, which is what
// Superset has.
func TestSuperset(t *testing.T) {
	t.Parallel()
	interpreter, dir := businessPython(t), exportedExample(t)
	out := runIn(t, "clients", []string{"PYTHONPATH=" + absolute(t, filepath.Join(business, "sqlalchemy-1.4"))},
		interpreter, "superset.py", filepath.Join(dir, "out", "results.duckdb"))
	for _, want := range []string{"views attention baseline_enrichment baseline_statistics decoder_directions embeddings encoder_directions enrichment", "release decoder_directions encoder_directions enrichment", "logit_weight FLOAT", "\n29 1536 4.20", "\nread-only\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("its output has no %q:\n%s", want, out)
		}
	}
}

// TestJDBC reads the export's database, and the one that it is of, with DuckDB's JDBC driver.
func TestJDBC(t *testing.T) {
	t.Parallel()
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("no java on this machine")
	}
	var jars []string
	for _, dir := range []string{business + "/jdbc", clients + "/java"} {
		found, err := filepath.Glob(filepath.Join(dir, "duckdb_jdbc-*.jar"))
		if err != nil {
			t.Fatal(err)
		}
		jars = append(jars, found...)
	}
	if len(jars) == 0 {
		t.Skip("DuckDB's JDBC driver is not installed; make bi-clients installs it")
	}
	for _, db := range []string{example, filepath.Join(exportedExample(t), "out", "results.duckdb")} {
		out := runIn(t, ".", nil, java, "-cp", absolute(t, jars[0]), "clients/Jdbc.java", db)
		for _, want := range []string{
			" feature_tokens ", " layer_29 ", "kurtosis DOUBLE: Pearson kurtosis of the logit weights", "\n1328 4.20", "[), ?), ).", "\nread-only\n",
		} {
			if !strings.Contains(out, want) {
				t.Errorf("%s: its output has no %q:\n%s", db, want, out)
			}
		}
	}
}
