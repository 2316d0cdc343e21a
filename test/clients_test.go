package test

import (
	"os"
	"os/exec"
	"path/filepath"
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

# Attached under another name, views of the same schema resolve from 1.2 on.
if tuple(int(v) for v in duckdb.__version__.split(".")[:2]) >= (1, 2):
    con = duckdb.connect()
    con.execute(f"ATTACH '{sys.argv[2]}' AS other (READ_ONLY)")
    assert con.execute("SELECT count(*) FROM other.layer_29").fetchone()[0] == 1536
print(duckdb.__version__)
`

// TestStockClients opens the database with Python's DuckDB: the version that
// saedb is built with, and 1.0.0, the oldest that reads its files.
func TestStockClients(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	for _, version := range []string{"1.0.0", "1.5.6"} {
		t.Run(version, func(t *testing.T) {
			client, err := filepath.Abs(filepath.Join(clients, "duckdb-"+version))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
				t.Skipf("DuckDB %s for Python is not installed; make python-clients installs it", version)
			}
			out, err := exec.Command(python, "-c", readWithClient, client, example).CombinedOutput()
			if err != nil || string(out) != version+"\n" {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
