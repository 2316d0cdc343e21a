package test

import (
	"compress/gzip"
	"database/sql"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	schema "github.com/saedb/saedb/sql"
)

// golden unpacks the database of a version of the schema that scripts/golden-database.sh
// made by a saedb of that version.
func golden(t *testing.T, version int) (path string) {
	t.Helper()
	packed, err := os.Open(fmt.Sprintf("testdata/databases/schema-%d.db.gz", version))
	if err != nil {
		t.Fatalf("%v: scripts/golden-database.sh makes that of the version which is now", err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	return write(t, t.TempDir(), fmt.Sprintf("schema-%d.db", version), content)
}

// plain opens a database with DuckDB alone, which upgrades nothing.
func plain(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// plainly runs statements with DuckDB alone.
func plainly(t *testing.T, path, statements string) {
	t.Helper()
	db := plain(t, path)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// texts is the rows of a query that gives one text a row.
func texts(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		all = append(all, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// anyState is what a database of any version is, as DuckDB alone sees it; where it is of
// this version, saedb check looks at it too.
func anyState(t *testing.T, path string) state {
	t.Helper()
	s := state{}
	db := plain(t, path)
	for _, table := range texts(t, db, "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY table_name") {
		columns := texts(t, db, "SELECT column_name FROM duckdb_columns() WHERE table_name = '"+table+"' ORDER BY column_index")
		rows := texts(t, db, fmt.Sprintf("SELECT count(*) || ' rows ' || coalesce(sum(hash(t)), 0) FROM %s t", table))
		s[table] = strings.Join(columns, " ") + ": " + rows[0]
	}
	s["views"] = strings.Join(texts(t, db, "SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal ORDER BY ALL"), " ")
	version := texts(t, db, "SELECT version::VARCHAR FROM stored_schema")
	db.Close()
	if version[0] == fmt.Sprint(schema.Version) {
		stateOf(t, path)
	}
	return s
}

// layout is every table, view and column with its type and comment, and every macro,
// the views of layers left out.
func layout(t *testing.T, path string) []string {
	t.Helper()
	db := plain(t, path)
	defer db.Close()
	return texts(t, db, `SELECT concat_ws(' ', schema_name, table_name, column_index, column_name, data_type, is_nullable, comment) FROM duckdb_columns()
			WHERE NOT internal AND schema_name = 'main' AND NOT starts_with(table_name, 'layer_')
		UNION ALL SELECT concat_ws(' ', table_name, comment) FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT concat_ws(' ', view_name, comment) FROM duckdb_views() WHERE NOT internal AND schema_name = 'main' AND NOT starts_with(view_name, 'layer_')
		UNION ALL SELECT concat_ws(' ', function_name, macro_definition) FROM duckdb_functions() WHERE NOT internal AND schema_name = 'main' AND macro_definition IS NOT NULL AND function_name <> 'made_definitions'
		UNION ALL SELECT sequence_name FROM duckdb_sequences() ORDER BY ALL`)
}

// figures are the rows of what was computed and loaded, which an upgrade must not change,
// without the columns that older versions of the schema lack. Scores are made again.
func figures(t *testing.T, path string) []string {
	t.Helper()
	db := plain(t, path)
	defer db.Close()
	var all []string
	for _, table := range []string{"stored_statistics", "stored_decoders", "stored_unembeddings", "stored_tokens", "stored_token_sets", "stored_computations"} {
		all = append(all, texts(t, db, "SELECT CAST(t AS VARCHAR) FROM (SELECT COLUMNS(lambda c: "+
			"c NOT IN ('top_share', 'decoder_norm', 'real_size', 'row_hash', 'counted_tokens', 'features', 'scores', 'baseline_id')) FROM "+table+") t ORDER BY ALL")...)
	}
	for _, query := range []string{
		"SELECT load_id || source || sha256 || loaded_at FROM stored_loads ORDER BY ALL", "SELECT model || d_vocab || norm_tensor FROM stored_models ORDER BY ALL",
	} {
		all = append(all, texts(t, db, query)...)
	}
	return all
}

// older are databases of version 1, which grew from day to day before saedb had a
// release.
var older = []struct {
	name string
	make func(t *testing.T) string
}{
	{"with enrichment", func(t *testing.T) string { return golden(t, 1) }},
	{"before token sets", func(t *testing.T) string {
		db := golden(t, 1)
		plainly(t, db, `DROP VIEW enrichment; DROP VIEW golden.enrichment; DROP VIEW release_enrichment; DROP VIEW token_sets; DROP VIEW token_set_members;
			DROP TABLE stored_enrichment; DROP TABLE stored_token_sets; DROP SEQUENCE token_set_ids`)
		plainly(t, db, "CREATE TABLE mine AS SELECT 1 AS x; CREATE VIEW my_view AS SELECT feature, skewness FROM features")
		return db
	}},
	{"with explanations", func(t *testing.T) string {
		db := golden(t, 2)
		plainly(t, db, "UPDATE stored_schema SET version = 1; DELETE FROM stored_contents WHERE starts_with(stored_table, 'stored_explan') OR starts_with(stored_table, 'stored_neuron')")
		return db
	}},
}

// TestUpgrade: a database of every older version becomes what a new one is, with the
// figures that it had; saedb check finds it sound, and everything works on it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	asNew := layout(t, smallDatabase(t))
	for _, old := range older {
		t.Run(old.name, func(t *testing.T) {
			db := old.make(t)
			sets := old.name != "before token sets"
			if !sets { // figures reads them
				plainly(t, db, "CREATE TABLE stored_token_sets(set_id INTEGER)")
			}
			before := figures(t, db)
			if !sets {
				plainly(t, db, "DROP TABLE stored_token_sets")
			}
			untouched := hash(t, db)
			for _, args := range [][]string{{"info"}, {"check"}, {"sets"}, {"sql", "--read-only", "FROM features"}, {"sql", "FROM features"}, {"report"}} {
				expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, args...)...), 1,
					fmt.Sprintf("open database: %s: expected schema version %d, found 1, written by saedb 0.1.0 (saedb --db FILE upgrade", db, schema.Version))
			}
			if hash(t, db) != untouched {
				t.Error("a command that only reads changed the file")
			}

			r := saedbRun(t, "", "--db", db, "upgrade")
			if want := fmt.Sprintf("saedb: note: upgrading %s from schema version 1 to %d\n", db, schema.Version); r.code != 0 || r.stderr != want || !strings.HasSuffix(r.stdout, fmt.Sprintf("has schema version %d\n", schema.Version)) {
				t.Fatalf("exit %d: %s%s", r.code, r.stdout, r.stderr)
			}
			if after := figures(t, db); !slices.Equal(before, after) {
				t.Errorf("%d rows of figures before, %d after, and not the same", len(before), len(after))
			}
			missing, added := difference(asNew, layout(t, db))
			added = slices.DeleteFunc(added, func(line string) bool { return strings.Contains(line, "mine") || strings.Contains(line, "my_view") })
			if len(missing)+len(added) > 0 {
				t.Errorf("unlike a new database: it lacks %q and has %q", missing, added)
			}
			if said := mustRun(t, "--db", db, "check", "--all"); !strings.HasSuffix(said, " is sound\n") {
				t.Error(said)
			}

			// Scores of an older saedb had other definitions: they are gone, and compute makes them.
			if n := count(t, db, "SELECT count(*) FROM enrichment"); n != 0 {
				t.Errorf("%d scores were kept", n)
			}
			for _, step := range [][]string{
				{"sql", "INSERT INTO user_token_sets SELECT 'small', 'last', 299"}, {"compute"}, {"check", "--all"},
				{"load", "directions", "--sql", "SELECT w_dec FROM decoder_directions WHERE feature < 3", "--name", "few"}, {"compute"},
				{"check", "--all"}, {"upgrade"}, {"info"},
			} {
				mustRun(t, append([]string{"--db", db}, step...)...)
			}
			if n := count(t, db, "SELECT count(*) FROM enrichment e JOIN token_sets USING (model, token_set)"); n == 0 ||
				n != count(t, db, "SELECT (SELECT count(*) FROM features) * (SELECT count(*) FROM token_sets)") {
				t.Errorf("%d scores after compute", n)
			}
			if !sets && count(t, db, "SELECT count(*) FROM my_view") != 43 {
				t.Error("a view of a person's own is gone or broken")
			}
		})
	}
}

// difference is the texts of a that are not in b, and those of b that are not in a.
func difference(a, b []string) (missing, added []string) {
	for _, text := range a {
		if !slices.Contains(b, text) {
			missing = append(missing, text)
		}
	}
	for _, text := range b {
		if !slices.Contains(a, text) {
			added = append(added, text)
		}
	}
	return missing, added
}

// TestUpgradedByAnyWriter: a command that writes upgrades before it does its work.
func TestUpgradedByAnyWriter(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"sql", "--write", "SELECT 1"}, {"compute"}, {"load", "sets", "--family", "regex"}} {
		db := golden(t, 1)
		if r := saedbRun(t, "", append([]string{"--db", db}, args...)...); r.code != 0 || !strings.HasPrefix(r.stderr, "saedb: note: upgrading "+db) {
			t.Errorf("%v: exit %d: %s", args, r.code, r.stderr)
		}
		mustRun(t, "--db", db, "check")
	}
}

// TestUpgradeFails: an upgrade that cannot be made leaves the file as it was.
func TestUpgradeFails(t *testing.T) {
	db := golden(t, 1)
	plainly(t, db, "ALTER TABLE stored_decoders RENAME feature TO number; CREATE TABLE next_stored_models(x INTEGER)")
	before := anyState(t, db)
	r := saedbRun(t, "", "--db", db, "upgrade")
	note, failure, _ := strings.Cut(r.stderr, "\n")
	if !strings.HasPrefix(note, "saedb: note: upgrading") {
		t.Errorf("it said %q", r.stderr)
	}
	expectFailure(t, result{r.code, r.stdout, failure}, 1, "upgrade database: "+db+": from schema version 1 to", "it is as it was")
	if after := anyState(t, db); !maps.Equal(before, after) {
		t.Errorf("before %v\nafter %v", before, after)
	}
}

// TestNewerSchema: a file of a newer saedb is refused, with what to do, and not touched.
func TestNewerSchema(t *testing.T) {
	db := golden(t, schema.Version)
	plainly(t, db, fmt.Sprintf("UPDATE stored_schema SET version = %d, written_by = '9.9.9'", schema.Version+1))
	before := hash(t, db)
	for _, args := range [][]string{
		{"info"}, {"check"}, {"sets"}, {"sql", "SELECT 1"}, {"sql", "--read-only", "SELECT 1"}, {"compute"}, {"load", "sets"}, {"load", "model", exampleModel},
		{"load", "sae", exampleSAEs}, {"plot", "skewness"}, {"report"}, {"serve", "--listen", "127.0.0.1:0"}, {"neuronpedia", "x:1"}, {"upgrade"},
	} {
		expectFailure(t, saedbRun(t, "", append([]string{"--db", db}, args...)...), 1,
			fmt.Sprintf("open database: %s: expected schema version %d, found %d, written by saedb 9.9.9 (use the saedb that wrote it, or a newer one)", db, schema.Version, schema.Version+1))
	}
	if hash(t, db) != before {
		t.Error("the file has changed")
	}
}

// TestGoldenDatabase: what saedb of this version of the schema once wrote is laid out as
// what it writes now, and sound. When the layout must change, raise schema.Version, write
// the migration, and let scripts/golden-database.sh keep a database of the new version.
func TestGoldenDatabase(t *testing.T) {
	t.Parallel()
	db := golden(t, schema.Version)
	missing, added := difference(layout(t, smallDatabase(t)), layout(t, db))
	onlyTables := func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool {
			return !strings.HasPrefix(line, "main stored_") && !strings.HasPrefix(line, "main user_")
		})
	}
	if missing, added = onlyTables(missing), onlyTables(added); len(missing)+len(added) > 0 {
		t.Errorf("its tables lack %q and have %q: has the schema changed, and not its version?", missing, added)
	}
	if said := mustRun(t, "--db", db, "check", "--all"); !strings.HasSuffix(said, " is sound\n") {
		t.Error(said)
	}
	if said := mustRun(t, "--db", db, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute says %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM features JOIN explanations USING (sae, feature)"); n != 1 {
		t.Errorf("%d explained features, expected 1", n)
	}
}

// readUpgraded is what a stock client reads of an upgraded database.
const readUpgraded = `
import sys
sys.path.insert(0, sys.argv[1])
import duckdb

con = duckdb.connect(sys.argv[2], read_only=True)
for view, n in {"features": 40, "layer_8": 40, "golden.layer_8": 40, "enrichment": 160, "golden.enrichment": 160, "tokens": 300, "models": 1, "saes": 1, "loads": 2,
                "decoder_directions": 40, "feature_tokens": 800, "explanations": 0, "user_token_sets": 0, "neuronpedia_features": 0}.items():
    found = con.execute(f"SELECT count(*) FROM {view}").fetchone()[0]
    assert found == n, (view, found, n)
assert con.execute("SELECT count(*) FROM features WHERE len(top_tokens) = 10 AND kurtosis > 1").fetchone()[0] == 40
assert con.execute("SELECT revision FROM loads").fetchall() == [(None,), (None,)]
print(duckdb.__version__)
`

// TestStockClientsOfUpgraded: an upgraded database is one that any client reads.
func TestStockClientsOfUpgraded(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	db := golden(t, 1)
	if r := saedbRun(t, "", "--db", db, "compute"); r.code != 0 { // which upgrades it, and says so
		t.Fatal(r.stderr)
	}
	for _, version := range []string{"1.0.0", "1.5.6", "2.0.0"} {
		client, err := filepath.Abs(filepath.Join(clients, "duckdb-"+version))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
			t.Skipf("DuckDB %s for Python is not installed; make python-clients installs it", version)
		}
		if out, err := exec.Command(python, "-c", readUpgraded, client, db).CombinedOutput(); err != nil || string(out) != version+"\n" {
			t.Errorf("%s: %v\n%s", version, err, out)
		}
	}
}
