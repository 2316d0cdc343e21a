package test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

// sameNames makes a database of two models, with two releases that have the same names of
// SAEs, one of them on each model, and the same name a third time without a release.
// Everything is computed.
func sameNames(t *testing.T) (db string) {
	t.Helper()
	dir := t.TempDir()
	db = filepath.Join(dir, "same.db")
	for layer := range 2 {
		saeAt(t, filepath.Join(dir, "a"), layer, layer, 24)
		saeAt(t, filepath.Join(dir, "b"), layer, layer+7, 20)
	}
	saeAt(t, filepath.Join(dir, "c"), 1, 5, 16)
	model := modelOf(t, "gpt2", "")
	mustRun(t, "--db", db, "load", "model", model, "--name", "one")
	mustRun(t, "--db", db, "load", "model", model, "--name", "two", "--processing", "none")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "a"), "--release", "a", "--model", "one")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "b"), "--release", "b", "--model", "two")
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "c"), "--model", "two")
	for _, name := range []string{"one", "two"} {
		mustRun(t, "--db", db, "load", "sets", "--model", name, "--name", "first", "--sql", "SELECT token_id FROM tokens WHERE model = '"+name+"' AND token_id < 10")
	}
	mustRun(t, "--db", db, "compute")
	return db
}

// saeAt writes an SAE at a layer below dir; SAEs of other seeds have other directions.
func saeAt(t *testing.T, dir string, layer, seed, features int) {
	t.Helper()
	hook := fmt.Sprintf("blocks.%d.hook_resid_pre", layer)
	narrowSAE(t, filepath.Join(dir, hook), seed, features)
	write(t, filepath.Join(dir, hook), "cfg.json", fmt.Appendf(nil,
		`{"architecture": "standard", "d_in": 32, "d_sae": %d, "dtype": "float32", "hook_point": %q}`, features, hook))
}

// TestJoins: every two views that have SAEs, joined on all columns of one name and type that
// say which row is meant, and on (sae, feature) alone, give no row of two SAEs; and as
// many rows as one of them has for the other's.
func TestJoins(t *testing.T) {
	t.Parallel()
	db := openReadOnly(t, sameNames(t))
	views := texts(t, db.DB, `SELECT table_name FROM duckdb_columns() WHERE schema_name = 'main' AND column_name = 'sae'
		AND table_name IN (SELECT view_name FROM duckdb_views() WHERE NOT internal) ORDER BY ALL`)
	if len(views) < 7 {
		t.Fatalf("only %v have SAEs", views)
	}
	for _, view := range views {
		lacks := texts(t, db.DB, fmt.Sprintf(`SELECT unnest(['release', 'model', 'layer']) AS c EXCEPT
			SELECT column_name FROM duckdb_columns() WHERE schema_name = 'main' AND table_name = '%s'`, view))
		if len(lacks) > 0 {
			t.Errorf("%s has sae, and no %v", view, lacks)
		}
	}
	asked := 0
	for _, left := range views {
		for _, right := range views {
			if left >= right {
				continue
			}
			both := fmt.Sprintf("(SELECT sae AS left_sae, model AS left_model, * FROM %s) NATURAL JOIN (SELECT sae AS right_sae, model AS right_model, * FROM %s)", left, right)
			var rows, mixed int
			err := db.QueryRowContext(t.Context(), "SELECT count(*), count(*) FILTER (left_sae <> right_sae OR left_model <> right_model) FROM "+both).Scan(&rows, &mixed)
			if err != nil || mixed > 0 {
				t.Errorf("%s NATURAL JOIN %s: %d of %d rows are of two SAEs (%v)", left, right, mixed, rows, err)
			}
			asked += rows
		}
	}
	if asked == 0 {
		t.Error("no join gave a row")
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM enrichment JOIN features USING (sae, feature)":                                         2*24 + 2*20 + 16,
		"SELECT count(*) FROM enrichment e JOIN features f USING (sae, feature) WHERE e.model <> f.model":            0,
		"SELECT count(*) FROM enrichment JOIN features USING (sae, feature) WHERE token_set = 'first'":               2*24 + 2*20 + 16,
		"SELECT count(*) FROM features NATURAL JOIN enrichment":                                                      2*24 + 2*20 + 16,
		"SELECT count(*) FROM features JOIN saes USING (sae)":                                                        2*24 + 2*20 + 16,
		"SELECT count(*) FROM layer_1":                                                                               24 + 20 + 16,
		"SELECT count(*) FROM a.layer_1":                                                                             24,
		"SELECT count(*) FROM b.enrichment":                                                                          2 * 20,
		"SELECT count(*) FROM local.feature_tokens":                                                                  16 * 20,
		"SELECT count(*) FROM saes WHERE (sae, short_name) = ('blocks.1.hook_resid_pre', 'blocks.1.hook_resid_pre')": 1,
	} {
		if n := count(t, sameFile(db), query); n != want {
			t.Errorf("%s gave %d, expected %d", query, n, want)
		}
	}
}

// TestWords: words mean the same SAEs everywhere, and what they do not mean is an error
// that says what there is.
func TestWords(t *testing.T) {
	t.Parallel()
	path := sameNames(t)
	db := openReadOnly(t, path)
	all := []string{"a/blocks.0.hook_resid_pre", "a/blocks.1.hook_resid_pre", "b/blocks.0.hook_resid_pre", "b/blocks.1.hook_resid_pre", "blocks.1.hook_resid_pre"}
	for words, want := range map[string][]string{
		"*": all, "a/*": all[:2], "*.1.*": {all[1], all[3], all[4]}, "layer_0": {all[0], all[2]}, "b/layer_1": {all[3]}, "local/layer_1": {all[4]},
		all[1]: {all[1]}, "local/blocks.1.hook_resid_pre": {all[4]}, all[4]: {all[4]},
	} {
		got := texts(t, db.DB, "FROM saes_matching('"+words+"') ORDER BY ALL")
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("%s means %v, expected %v", words, got, want)
		}
	}
	db.Close() // some of what follows opens it to write
	for words, says := range map[string]string{
		"blocks.0.hook_resid_pre": "2 SAEs have the short name blocks.0.hook_resid_pre (name one: a/blocks.0.hook_resid_pre, b/blocks.0.hook_resid_pre)",
		"layer_7":                 "no SAE is at layer_7 (layers: 0, 1)",
		"c/layer_1":               "no SAE is at c/layer_1 (layers: 0, 1)",
		"a/block.0":               "no SAE is called a/block.0 (near it: a/blocks.0.hook_resid_pre, ",
		"nothing*":                "no SAE is called nothing* (near it: ",
	} {
		commands := [][]string{
			{"compute", "--sae", words}, {"unload", "sae", words}, {"plot", "skewness", "--sae", words}, {"neuronpedia", words + ":1"},
			{"sql", "FROM saes_matching('" + words + "')"}, {"sql", "FROM feature_logits('" + words + "', 0)"}, {"sql", "FROM similar_features('" + words + "', 0)"},
		}
		if layer, isLayer := strings.CutPrefix(words, "layer_"); isLayer {
			commands = append(commands, []string{"compute", "--layer", layer}, []string{"plot", "skewness", "--layer", layer})
		}
		for _, command := range commands {
			expectFailure(t, saedbRun(t, "", append([]string{"--db", path}, command...)...), 1, says)
		}
	}
	for _, command := range [][]string{
		{"sql", "FROM feature_logits('layer_0', 0)"}, {"sql", "FROM similar_features('a/*', 0)"}, {"sql", "SELECT sae_named('*')"}, {"neuronpedia", "layer_0:1"},
	} {
		expectFailure(t, saedbRun(t, "", append([]string{"--db", path}, command...)...), 1, "SAEs, and one is needed (name one: a/blocks.0.hook_resid_pre, ")
	}
	for query, says := range map[string]string{
		"FROM feature_logits('a/layer_0', 24)":         "SAE a/blocks.0.hook_resid_pre has no feature 24: it has 0 to 23",
		"FROM similar_features('b/layer_0', -1)":       "SAE b/blocks.0.hook_resid_pre has no feature -1: it has 0 to 19",
		"FROM features_for_token('no such token')":     "no loaded model has a token no such token",
		"FROM b.feature_logits('a/layer_0', 0)":        "no SAE is at b/a/layer_0",
		"FROM a.feature_logits('blocks.2.nothing', 0)": "no SAE is called a/blocks.2.nothing",
	} {
		expectFailure(t, saedbRun(t, "", "--db", path, "sql", query), 1, says)
	}
}

// TestMacrosOfOneSAE: macros answer of the SAE that is named, and of no other of its short name.
func TestMacrosOfOneSAE(t *testing.T) {
	t.Parallel()
	db := openReadOnly(t, sameNames(t))
	for _, sae := range []string{"a/blocks.1.hook_resid_pre", "b/blocks.1.hook_resid_pre", "blocks.1.hook_resid_pre"} {
		want := texts(t, db.DB, "SELECT CAST(round(logit_weight(w_dec, model, 4), 4) AS VARCHAR) FROM decoder_directions WHERE sae = '"+sae+"' AND feature = 3")
		got := texts(t, db.DB, "SELECT CAST(round(CAST(logit_weight AS DOUBLE), 4) AS VARCHAR) FROM feature_logits('"+sae+"', 3) WHERE token_id = 4")
		if len(want) != 1 || !slices.Equal(got, want) {
			t.Errorf("%s: %v, expected %v", sae, got, want)
		}
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM a.feature_logits('layer_1', 3) x JOIN feature_logits('a/blocks.1.hook_resid_pre', 3) y USING (rank, token_id, logit_weight)": 500,
		"SELECT count(*) FROM b.similar_features('layer_1', 3, k := 100) WHERE release = 'b'":                                                              39,
		"SELECT count(*) FROM similar_features('b/layer_1', 3, k := 100) WHERE model = 'two'":                                                              55,
		"SELECT count(DISTINCT sae) FROM features_for_token((SELECT text FROM tokens WHERE token_id = 7 LIMIT 1), k := 1000)":                              5,
		"SELECT count(DISTINCT sae) FROM a.features_for_token((SELECT text FROM tokens WHERE token_id = 7 LIMIT 1), k := 1000)":                            2,
	} {
		if n := count(t, sameFile(db), query); n != want {
			t.Errorf("%s gave %d, expected %d", query, n, want)
		}
	}
}

// TestNamesAreUnique: a second SAE of a name is refused, whatever its model, and so is the
// same SAE under a second name.
func TestNamesAreUnique(t *testing.T) {
	t.Parallel()
	path, dir := sameNames(t), t.TempDir()
	narrowSAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 31, 12)
	before := stateOf(t, path)
	expectFailure(t, saedbRun(t, "", "--db", path, "load", "sae", filepath.Join(dir, "blocks.0.hook_resid_pre"), "--release", "a", "--model", "two"), 1,
		"sae a/blocks.0.hook_resid_pre is already loaded, with other content, from", "--release")
	// The directory b of the database's own files is gone; its decoders are these.
	narrowSAE(t, filepath.Join(dir, "again", "blocks.0.hook_resid_pre"), 0, 24)
	again := []string{"--db", path, "load", "sae", filepath.Join(dir, "again", "blocks.0.hook_resid_pre"), "--release", "c", "--model", "one"}
	expectFailure(t, saedbRun(t, "", again...), 1,
		"the same SAE is loaded already, as a/blocks.0.hook_resid_pre", "load it as c/blocks.0.hook_resid_pre all the same with --copy")
	if after := stateOf(t, path); !maps.Equal(before, after) {
		t.Error("a refused load changed the database")
	}
	mustRun(t, append(again, "--copy")...)
	if n := count(t, path, "SELECT count(*) FROM layer_0 WHERE feature = 0 AND model = 'one'"); n != 2 {
		t.Errorf("%d copies, expected 2", n)
	}
}

// TestReleaseCalledAsTheFile: a release whose schema DuckDB could not tell from the database is
// refused.
func TestReleaseCalledAsTheFile(t *testing.T) {
	db, dir := filepath.Join(t.TempDir(), "demo.db"), t.TempDir()
	tinySAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 0)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", dir, "--release", "Demo"), 1, `release "Demo"`, "the database's file has that name too", "--release")
	mustRun(t, "--db", db, "load", "sae", dir, "--release", "demo-1")
}

// TestOrderOfLoads: names, layers and views follow from each load alone, in whatever order
// they come, and no load changes what an earlier one gave.
func TestOrderOfLoads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	post := filepath.Join(dir, "blocks.1.hook_resid_post")
	narrowSAE(t, post, 9, 8)
	write(t, post, "cfg.json", []byte(`{"architecture": "standard", "d_in": 32, "d_sae": 8, "dtype": "float32", "hook_point": "blocks.1.hook_resid_post"}`))
	tinySAE(t, filepath.Join(dir, "blocks.1.hook_resid_pre"), 1)
	loads := [][]string{
		{"load", "sae", post, "--model", "one"},
		{"load", "sae", post, "--model", "two", "--release", "r"},
		{"load", "sae", filepath.Join(dir, "blocks.1.hook_resid_pre"), "--model", "one"},
		{"load", "directions", "--sql", "SELECT list_resize([1.0], 32, 0.5)", "--name", "probe", "--model", "two", "--release", "r", "--layer", "1"},
	}
	start := filepath.Join(dir, "start.db")
	model := modelOf(t, "gpt2", "")
	mustRun(t, "--db", start, "load", "model", model, "--name", "one")
	mustRun(t, "--db", start, "load", "model", model, "--name", "two", "--processing", "none")
	var first []string
	for i, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {2, 0, 3, 1}, {1, 3, 0, 2}} {
		db := filepath.Join(dir, fmt.Sprintf("order-%d.db", i))
		copyFile(t, start, db)
		var seen []string
		for _, load := range order {
			mustRun(t, append([]string{"--db", db}, loads[load]...)...)
			opened := openReadOnly(t, db)
			now := texts(t, opened.DB, `SELECT concat_ws(' ', sae, release, short_name, model, layer, hook, d_sae) FROM saes
				UNION ALL SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE NOT internal AND view_name <> 'functions' ORDER BY ALL`)
			opened.Close()
			if missing, _ := difference(seen, now); len(missing) > 0 {
				t.Errorf("order %v: load %d took away or changed %q", order, load, missing)
			}
			seen = now
		}
		if first == nil {
			first = seen
		}
		if missing, added := difference(first, seen); len(missing)+len(added) > 0 {
			t.Errorf("order %v: lacks %q and has %q", order, missing, added)
		}
	}
	for _, want := range []string{"blocks.1.hook_resid_post local blocks.1.hook_resid_post one 1 blocks.1.hook_resid_post 8", "r/probe r probe two 1 blocks.1.hook_resid_post 1"} {
		if !slices.Contains(first, want) {
			t.Errorf("expected %q among %q", want, first)
		}
	}
}

// sameFile is the path of an open database.
func sameFile(db *saedb.DB) string {
	var path string
	if err := db.QueryRow("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").Scan(&path); err != nil {
		panic(err)
	}
	return path
}
