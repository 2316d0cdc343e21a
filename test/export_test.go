package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saedb/saedb"
)

// oddDatabase is a small database with a release and an SAE of names that no path has as
// they are, one that looks like a number, an SAE without a layer, and features without figures.
func oddDatabase(t *testing.T) string {
	t.Helper()
	db := smallDatabase(t)
	dir := t.TempDir()
	tinySAE(t, filepath.Join(dir, "third"), 2)
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "third"), "--release", "2024", "--name", "not computed")
	mustRun(t, "--db", db, "load", "directions", "--sql", "SELECT w_dec FROM decoder_directions WHERE release = 'r' AND feature < 20 ORDER BY sae, feature",
		"--release", "../a=b/c %2F+ü?*'\"[1]", "--name", ".hid den/../..")
	mustRun(t, "--db", db, "compute", "--sae", "[!2n]*")
	return db
}

// TestExportReadsBack: DuckDB, pandas, pyarrow and polars read an export as the rows that the
// views of the database have.
func TestExportReadsBack(t *testing.T) {
	t.Parallel()
	interpreter := clientPython(t)
	for _, c := range []struct {
		name, db, versions string
		tables             []string
	}{
		{"example", example, "1.5.6", []string{"features"}},
		{"odd names", oddDatabase(t), "1.5.6 2.0.0", []string{"features", "feature_tokens", "enrichment"}},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		mustRun(t, "--db", c.db, "export", "--to", dir)
		for _, version := range strings.Fields(c.versions) {
			t.Run(c.name+"/"+version, func(t *testing.T) {
				args := append([]string{"read_export.py", absolute(t, filepath.Join(clients, "duckdb-"+version)), c.db, dir}, c.tables...)
				if out := runIn(t, "clients", nil, interpreter, args...); strings.Count(out, "\n") != len(c.tables) {
					t.Errorf("it compared\n%s", out)
				}
			})
		}
	}
}

// TestExportInPieces: an SAE of more features than are sorted at a time is in several
// files, or parts of one, which are together the rows of the views in their order.
func TestExportInPieces(t *testing.T) {
	t.Parallel()
	inputs, dir := t.TempDir(), filepath.Join(t.TempDir(), "out")
	db := filepath.Join(inputs, "wide.db")
	narrowSAE(t, filepath.Join(inputs, "blocks.1.hook_resid_pre"), 0, 70_000)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(inputs, "blocks.1.hook_resid_pre"), "--release", "r")
	mustRun(t, "--db", db, "load", "sets", "--name", "few", "--sql", "SELECT token_id FROM tokens WHERE token_id < 9")
	mustRun(t, "--db", db, "compute")
	mustRun(t, "--db", db, "export", "--to", dir, "--format", "parquet,csv")
	for table, order := range map[string]string{"features": "feature", "feature_tokens": "feature, direction, rank", "enrichment": "feature"} {
		files, err := filepath.Glob(filepath.Join(dir, table, "release=r", "layer=*", "*.parquet"))
		if err != nil || len(files) != 2 {
			t.Errorf("%s: files %v, %v", table, files, err)
		}
		columns := map[string]string{"features": "sae, feature, skewness", "feature_tokens": "sae, feature, direction, rank, token_id", "enrichment": "sae, feature, token_set, es"}[table]
		for _, from := range []string{
			"read_parquet(['" + strings.Join(files, "', '") + "'])",
			"read_csv('" + filepath.Join(dir, table+".csv") + "', header = true)",
		} {
			query := fmt.Sprintf(`SELECT count(*) AS rows, count(*) FILTER (a.file IS DISTINCT FROM b.file) AS different
				FROM (SELECT row_number() OVER () AS i, (SELECT hash(%[1]s)) AS file FROM %[2]s)  a
				FULL JOIN (SELECT row_number() OVER (ORDER BY %[3]s) AS i, (SELECT hash(%[1]s)) AS file FROM %[4]s) b USING (i)`, "CAST(("+columns+") AS VARCHAR)", from, order, table)
			r := saedbRun(t, "", "--db", db, "sql", "--read-only", "--format", "csv", query)
			rows := 70_000
			if table == "feature_tokens" {
				rows *= 20
			}
			if want := fmt.Sprintf("rows,different\n%d,0\n", rows); r.code != 0 || r.stdout != want {
				t.Errorf("%s: %q %s, want %q", from, r.stdout, r.stderr, want)
			}
		}
	}
}

// clientPython is the Python with pandas, pyarrow and polars.
func clientPython(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(environment, ".complete")); err != nil {
		t.Skip("the Python environment is not installed; make python-clients installs it")
	}
	return absolute(t, filepath.Join(environment, "bin/python"))
}

// different counts rows of the views of results that two databases do not both have.
func different(t *testing.T, a, b string) int {
	t.Helper()
	db, err := saedb.Open(t.Context(), a, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "ATTACH '"+strings.ReplaceAll(b, "'", "''")+"' AS other (READ_ONLY)"); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, view := range []string{"features", "feature_tokens", "enrichment", "token_sets", "tokens", "baseline_statistics", "baseline_enrichment"} {
		var n int
		query := fmt.Sprintf("SELECT (SELECT count(*) FROM (FROM %[1]s EXCEPT ALL FROM other.%[1]s)) + (SELECT count(*) FROM (FROM other.%[1]s EXCEPT ALL FROM %[1]s))", view)
		if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", view, err)
		}
		if n > 0 {
			t.Logf("%s: %d rows differ", view, n)
		}
		sum += n
	}
	return sum
}

// TestExportedDatabase: results.duckdb has the same results, and no weights; what would need
// them says so, or does nothing.
func TestExportedDatabase(t *testing.T) {
	t.Parallel()
	db, dir := oddDatabase(t), filepath.Join(t.TempDir(), "out")
	explained := write(t, t.TempDir(), "batch-0.jsonl", []byte(explanation("1-res", "3", "three", "a model")))
	if r := saedbRun(t, "", "--db", db, "load", "explanations", explained); r.code != 0 { // with a note
		t.Fatal(r.stderr)
	}
	mustRun(t, "--db", db, "export", "--to", dir, "--format", "duckdb")
	results := filepath.Join(dir, "results.duckdb")
	if n := different(t, db, results); n != 0 {
		t.Errorf("%d rows differ", n)
	}
	if n := count(t, results, "SELECT count(w_dec) + (SELECT count(w_u) FROM unembeddings) FROM decoder_directions"); n != 0 {
		t.Errorf("%d weights are in it", n)
	}
	mustRun(t, "--db", results, "check")
	if said := mustRun(t, "--db", results, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute says %q", said)
	}
	expectFailure(t, saedbRun(t, "", "--db", results, "compute", "--tokens", "real"), 1, "its weights are not in this database", "--replace")
	expectFailure(t, saedbRun(t, "", "--db", results, "plot", "feature", "3", "--sae", "*.0.*", "--out", filepath.Join(dir, "f.png")), 1, "its weights are not in this database")
	if n := count(t, results, "SELECT count(*) FROM similar_features('blocks.0.hook_resid_pre', 3)"); n != 0 {
		t.Errorf("%d features are similar to one without weights", n)
	}
	expectFailure(t, saedbRun(t, "", "--db", results, "sql", "SELECT logit_stats(CAST(range(32) AS FLOAT[]), 'small')"), 1, "its unembedding is not in this database")
	// A set that comes later has a number of its own, so that nobody else's scores are its.
	mustRun(t, "--db", results, "load", "sets", "--name", "later", "--sql", "SELECT token_id FROM tokens WHERE token_id BETWEEN 7 AND 30")
	if n := count(t, results, "SELECT count(*) FROM stored_token_sets t JOIN stored_enrichment e USING (set_id) WHERE token_set = 'later'"); n != 0 {
		t.Errorf("a new set has %d scores of another", n)
	}
}

// TestExportRefuses what is there already, unless an export wrote it and --replace is given.
func TestExportRefuses(t *testing.T) {
	t.Parallel()
	db, dir := smallDatabase(t), t.TempDir()
	out := filepath.Join(dir, "out")
	export := func(to string, more ...string) result {
		return saedbRun(t, "", append([]string{"--db", db, "export", "--to", to}, more...)...)
	}
	if err := os.Mkdir(out, 0o755); err != nil {
		t.Fatal(err)
	}
	if r := export(out, "--format", "parquet, csv"); r.code != 0 { // an empty directory is free
		t.Fatal(r.stderr)
	}
	expectFailure(t, export(out), 1, "there already", "--replace writes it anew")
	if r := export(out, "--replace", "--format", "csv"); r.code != 0 {
		t.Fatal(r.stderr)
	}
	if _, err := os.Stat(filepath.Join(out, "features")); !os.IsNotExist(err) {
		t.Errorf("the Parquet files of the replaced export are still there: %v", err)
	}
	write(t, out, "notes.txt", []byte("mine"))
	expectFailure(t, export(out, "--replace"), 1, "an export did not write notes.txt")
	expectFailure(t, export(filepath.Dir(db), "--replace"), 1, "not from an export")
	expectFailure(t, export(db, "--replace"), 1, "no directory")
	expectFailure(t, export(filepath.Join(dir, "no", "such", "out")), 1, "no such file or directory")
	expectFailure(t, export(""), 2, "--to DIRECTORY")
	expectFailure(t, export(out, "--format", "xlsx"), 2, "parquet, csv and duckdb")
	empty := filepath.Join(dir, "empty.db")
	mustRun(t, "--db", empty, "load", "model", modelOf(t, "gpt2", ""))
	expectFailure(t, saedbRun(t, "", "--db", empty, "export", "--to", filepath.Join(dir, "none")), 1, "no SAE is loaded")
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 { // empty.db and out
		t.Errorf("left in the directory: %v, %v", left, err)
	}
}

// TestExportKilled: an export that is killed or interrupted leaves no directory of that
// name, and one that replaces leaves the old one; the next takes away what it left.
func TestExportKilled(t *testing.T) {
	dir := t.TempDir()
	args := func(name string) []string {
		return []string{"--db", example, "export", "--to", filepath.Join(dir, name), "--replace", "--format", "parquet,duckdb"}
	}
	begun := time.Now()
	mustRun(t, args("old")...)
	took := time.Since(begun)
	old, err := os.ReadFile(filepath.Join(dir, "old", "saedb-export.json"))
	if err != nil {
		t.Fatal(err)
	}
	kills := 0
	for part, name := range []string{"new", "old", "new", "old", "new", "old"} {
		if _, _, stopped := stopAfter(t, syscall.SIGKILL, took*time.Duration(part+1)/9, args(name)...); !stopped {
			continue
		}
		kills++
		if _, err := os.Stat(filepath.Join(dir, "new")); name == "new" && !os.IsNotExist(err) {
			t.Errorf("killed in part %d, and there is a directory: %v", part, err)
		}
		if now, err := os.ReadFile(filepath.Join(dir, "old", "saedb-export.json")); err != nil || string(now) != string(old) {
			t.Errorf("killed in part %d, and the export before it is %s, %v", part, now, err)
		}
	}
	if kills < 3 {
		t.Errorf("only %d of 6 were killed before the end", kills)
	}
	code, stderr, stopped := stopAfter(t, syscall.SIGINT, took/3, args("new")...)
	if stopped && (code != 130 || stderr != "saedb: interrupted; what was finished is kept\n") {
		t.Errorf("interrupted: exit %d, %q", code, stderr)
	}
	mustRun(t, args("old")...)
	mustRun(t, args("new")...)
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
	if n := different(t, example, filepath.Join(dir, "new", "results.duckdb")); n != 0 {
		t.Errorf("%d rows differ after the kills", n)
	}
}
