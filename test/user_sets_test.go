package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// execute runs statements on a database, as another program would between two of saedb's.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := saedb.Open(t.Context(), path, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// oneLayer is a copy of the example with the SAE of layer 29 alone, whose scores in
// sets take less time.
func oneLayer(t *testing.T) (db string) {
	t.Helper()
	db = filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	execute(t, db, `DELETE FROM stored_saes WHERE block <> 29`)
	return db
}

func contains(t *testing.T, text string, wanted ...string) {
	t.Helper()
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			t.Errorf("%q does not say %q", text, w)
		}
	}
}

// TestUserTokenSets: rows of user_token_sets become token sets with the next
// compute; changed ones are scored anew, others dropped, and q-values follow.
func TestUserTokenSets(t *testing.T) {
	t.Parallel()
	db := oneLayer(t)
	execute(t, db, `INSERT INTO user_token_sets SELECT model, 'closing', token_id FROM tokens WHERE text IN (')', '?)', ').', '),')`,
		`INSERT INTO user_token_sets SELECT model, 'boys', token_id FROM token_set_members WHERE token_set = 'boy_names'`,
		`INSERT INTO user_token_sets SELECT model, 'boys', token_id FROM token_set_members WHERE token_set = 'boy_names' LIMIT 5`)
	contains(t, mustRun(t, "--db", db, "compute"), "from user_token_sets: 2 added, 0 replaced, 0 dropped, 0 unchanged", "in 2 token sets")
	for query, want := range map[string]int{
		`SELECT members FROM token_sets WHERE token_set = 'closing' AND family = 'user'`:      4,
		`SELECT count(*) FROM token_set_members WHERE token_set = 'closing'`:                  4,
		`SELECT count(*) FROM enrichment WHERE token_set = 'closing' AND q_value IS NOT NULL`: 1536,
		// A set with the same tokens as a built-in one has the same scores, ids given twice or not.
		`SELECT count(*) FROM enrichment a JOIN enrichment b USING (sae, feature, es, direction, p_value, auc, size)
			WHERE a.token_set = 'boys' AND b.token_set = 'boy_names'`: 1536,
		`SELECT feature FROM enrichment WHERE token_set = 'closing' AND direction = 'promoted' ORDER BY es DESC, feature LIMIT 1`: 1328,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	compareQValuesOf(t, db, 18*1536)
	contains(t, mustRun(t, "--db", db, "compute"), "nothing to compute")

	execute(t, db, `DELETE FROM user_token_sets WHERE token_set = 'boys'`,
		`INSERT INTO user_token_sets SELECT model, 'closing', token_id FROM tokens WHERE text = '))'`)
	contains(t, mustRun(t, "--db", db, "compute"), "0 added, 1 replaced, 1 dropped", "in 1 token sets")
	if n := count(t, db, `SELECT count(DISTINCT token_set) * 100 + max(size) FILTER (token_set = 'closing') FROM enrichment`); n != 1705 {
		t.Errorf("%d, expected 17 sets, that of closing brackets with 5 tokens", n)
	}
	compareQValuesOf(t, db, 17*1536)

	execute(t, db, `DELETE FROM user_token_sets`)
	contains(t, mustRun(t, "--db", db, "compute"), "0 added, 0 replaced, 1 dropped", "adjusted p- and q-values of smollm2-demo/blocks.29.hook_resid_pre")
	if n := count(t, db, `SELECT count(*) FROM stored_enrichment WHERE sae_id IN (SELECT load_id FROM saes) AND set_id NOT IN (SELECT set_id FROM stored_token_sets)`); n != 0 {
		t.Errorf("%d scores of dropped sets are left", n)
	}
	compareQValuesOf(t, db, 16*1536)
	contains(t, mustRun(t, "--db", db, "compute"), "nothing to compute")
}

// TestUserTokenSetsRefused: a row that makes no sense stops compute before anything
// is changed, and is shown.
func TestUserTokenSetsRefused(t *testing.T) {
	t.Parallel()
	db := oneLayer(t)
	for _, c := range []struct {
		name, insert string
		says         []string
	}{
		{"no such model", `VALUES ('gpt2', 'it''s', 25)`, []string{`('gpt2', 'it''s', 25)`, "no such model", "loaded: smollm2-135m", "DELETE FROM user_token_sets WHERE model = 'gpt2'"}},
		{"no such token", `VALUES ('smollm2-135m', 'mine', 25), ('smollm2-135m', 'mine', 49152)`, []string{
			`('smollm2-135m', 'mine', 49152)`, "at most 49151", "token_id = 49152"}},
		{"negative token", `VALUES ('smollm2-135m', 'mine', -1)`, []string{`('smollm2-135m', 'mine', -1)`}},
		{"no name", `VALUES ('smollm2-135m', '', 25)`, []string{`('smollm2-135m', '', 25)`, "no name"}},
		{"a built-in set's name", `VALUES ('smollm2-135m', 'all_digits', 25)`, []string{`"all_digits"`, "built in", "another name"}},
	} {
		execute(t, db, `DELETE FROM user_token_sets`, `INSERT INTO user_token_sets `+c.insert)
		before := hash(t, db)
		for _, command := range []string{"compute", "load sets"} {
			t.Run(c.name+", "+command, func(t *testing.T) {
				r := saedbRun(t, "", append([]string{"--db", db}, strings.Fields(command)...)...)
				expectFailure(t, r, 1, append([]string{"user_token_sets"}, c.says...)...)
			})
		}
		if hash(t, db) != before {
			t.Errorf("%s: the file was changed", c.name)
		}
	}
}

// TestStockClientMakesASet: Python's DuckDB, which knows nothing of saedb, makes a set.
func TestStockClientMakesASet(t *testing.T) {
	t.Parallel()
	client, err := filepath.Abs(filepath.Join(clients, "duckdb-1.5.6"))
	if err != nil {
		t.Fatal(err)
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
		t.Skip("DuckDB for Python is not installed; make python-clients installs it")
	}
	db := oneLayer(t)
	out, err := exec.Command(python, "-c", `
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
with duckdb.connect(sys.argv[2]) as con:
    con.execute("INSERT INTO user_token_sets SELECT model, 'colons', token_id FROM tokens WHERE text LIKE '%:%'")
`, client, db).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	contains(t, mustRun(t, "--db", db, "compute"), "1 added", "in 1 token sets")
	if n := count(t, db, `SELECT count(*) FROM enrichment WHERE token_set = 'colons'`); n != 1536 {
		t.Errorf("%d scores, expected 1536", n)
	}
}
