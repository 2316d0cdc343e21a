package test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// readWithClient is what a person with a stock DuckDB does: open the file, and
// attach it under another name, read the views, and look at the comments.
const readWithClient = `
import sys
sys.path.insert(0, sys.argv[1])
import duckdb

con = duckdb.connect(sys.argv[2], read_only=True)
assert con.execute("SELECT count(*) FROM features").fetchone()[0] == 9216
rows = con.execute("SELECT feature, skewness, kurtosis, top_tokens FROM layer_29 WHERE skewness > 1 ORDER BY kurtosis DESC LIMIT 10").fetchall()
assert len(rows) == 10 and all(len(r[3]) == 10 for r in rows), rows
assert rows == con.execute("SELECT feature, skewness, kurtosis, top_tokens FROM \"smollm2-demo\".layer_29 WHERE skewness > 1 ORDER BY kurtosis DESC LIMIT 10").fetchall()
enriched = con.execute("SELECT token_set, es, direction, p_value, q_value FROM enrichment WHERE layer = 29 AND feature = 63 ORDER BY es DESC").fetchall()
assert len(enriched) == 16 and all(0 < r[1] <= 1 and 0 <= r[3] <= r[4] <= 1 for r in enriched), enriched
for view, n in {"tokens": 49152, "models": 1, "saes": 6, "loads": 7, "layer_4": 1536, "load_files": 19, "feature_tokens": 9216 * 20,
                "decoder_directions": 9216, "unembeddings": 49152, "token_sets": 16, "enrichment": 9216 * 16,
                '"smollm2-demo".enrichment': 9216 * 16}.items():
    found = con.execute(f"SELECT count(*) FROM {view}").fetchone()[0]
    assert found == n, (view, found, n)
assert con.execute("SELECT count(*) FROM functions").fetchone()[0] >= 10
missing = con.execute("""
    SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL
    UNION ALL SELECT table_name, NULL FROM duckdb_tables() WHERE NOT internal AND comment IS NULL
    UNION ALL SELECT view_name, NULL FROM duckdb_views() WHERE NOT internal AND comment IS NULL""").fetchall()
assert not missing, missing
con.close()

# Attached under another name, views of the same schema resolve from 1.2 on, those that
# reach another schema from 1.5 on; before, the first do after USE.
version = tuple(int(v) for v in duckdb.__version__.split(".")[:2])
con = duckdb.connect()
con.execute(f"ATTACH '{sys.argv[2]}' AS other (READ_ONLY)")
if version >= (1, 2):
    for view, n in {"layer_29": 1536, "enrichment": 9216 * 16, "feature_tokens": 9216 * 20, "loads": 7}.items():
        assert con.execute(f"SELECT count(*) FROM other.{view}").fetchone()[0] == n, view
if version >= (1, 5):
    assert con.execute('SELECT count(*) FROM other."smollm2-demo".layer_29').fetchone()[0] == 1536
con.execute("USE other")
assert con.execute("SELECT count(*) FROM layer_29").fetchone()[0] == 1536
print(duckdb.__version__)
`

// TestStockClients opens the database, and an export of it, with every version of
// Python's DuckDB that is installed: from 1.0.0, the oldest that reads its files, to the newest.
func TestStockClients(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	installed, err := filepath.Glob(filepath.Join(clients, "duckdb-*", ".complete"))
	if err != nil || len(installed) == 0 {
		t.Skip("DuckDB for Python is not installed; make python-clients installs it")
	}
	dir := filepath.Join(t.TempDir(), "out")
	mustRun(t, "--db", example, "export", "--to", dir, "--format", "duckdb")
	for _, complete := range installed {
		client := absolute(t, filepath.Dir(complete))
		version := strings.TrimPrefix(filepath.Base(client), "duckdb-")
		for name, db := range map[string]string{"database": example, "export": filepath.Join(dir, "results.duckdb")} {
			t.Run(version+"/"+name, func(t *testing.T) {
				out, err := exec.Command(python, "-c", readWithClient, client, db).CombinedOutput()
				if err != nil || string(out) != version+"\n" {
					t.Errorf("%v\n%s", err, out)
				}
			})
		}
	}
}
