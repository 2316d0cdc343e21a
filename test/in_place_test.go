package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	schema "github.com/saedb/saedb/sql"
)

// inPlaceDatabase is a database of a small model and two SAEs with encoders in saes, which a load
// with these flags brings, and all that is computed of them.
func inPlaceDatabase(t *testing.T, model, saes, lens, name string, flags ...string) string {
	t.Helper()
	db := filepath.Join(t.TempDir(), name)
	for _, args := range [][]string{
		{"load", "model", model, "--name", "small", "--embedding", "--mlp", "0"},
		append([]string{"load", "sae", saes, "--release", "r", "--encoder"}, flags...),
		{"load", "sets", "--family", "regex"},
		{"load", "lens", lens},
		{"compute", "--side", "both", "--baseline", "200", "--baseline-like", "sae"},
		{"compute", "--lens", "random", "--baseline", "200", "--baseline-like", "sae", "--rank-correlation"},
		{"compute", "--neighbours", "--to", "*", "--top", "3"},
		{"compute", "--links", "--from", "r/blocks.0.*", "--to", "r/blocks.1.*", "--top", "3"},
		{"compute", "--links", "--from", "r/blocks.0.*", "--to", "small#mlp_in.0", "--top", "3"},
	} {
		mustRun(t, append([]string{"--db", db}, args...)...)
	}
	return db
}

// inPlaceFiles writes a model, two SAEs and a lens.
func inPlaceFiles(t *testing.T) (model, saes, lens string) {
	t.Helper()
	saes = filepath.Join(t.TempDir(), "saes")
	encodedSAE(t, filepath.Join(saes, "blocks.0.hook_resid_pre"), 0, 2500) // more than a vector of DuckDB's
	encodedSAE(t, filepath.Join(saes, "blocks.1.hook_resid_pre"), 1, 24)
	return modelOf(t, "gpt2", ""), saes, lensFile(t, "random", []int{-1, 0}, randomBits)
}

// figureTables are those whose rows are computed.
var figureTables = []string{
	"stored_statistics", "stored_significance", "stored_labels", "stored_enrichment", "stored_input_statistics", "stored_input_significance", "stored_input_labels",
	"stored_input_enrichment", "stored_set_enrichment", "stored_input_set_enrichment", "stored_baseline_statistics", "stored_baseline_enrichment", "stored_links", "stored_neighbours", "stored_neuron_links", "stored_lens_correlations",
}

// sameRows compares the rows of a query in two databases.
func sameRows(t *testing.T, of, other, query string) {
	t.Helper()
	r := mustRun(t, "--db", of, "sql", "--read-only", "--format", "csv", query)
	if want := mustRun(t, "--db", other, "sql", "--read-only", "--format", "csv", query); r != want || strings.Count(want, "\n") < 2 {
		t.Errorf("%s:\n%.600s\nof weights in the database\n%.600s", query, r, want)
	}
}

// TestInPlace holds all that is computed of SAEs whose weights stay in their files against what a
// load that copies them gives: the same bits.
func TestInPlace(t *testing.T) {
	t.Parallel()
	model, saes, lens := inPlaceFiles(t)
	placed, copied := inPlaceDatabase(t, model, saes, lens, "placed.db", "--in-place"), inPlaceDatabase(t, model, saes, lens, "copied.db")
	differences := make([]string, len(figureTables))
	for i, table := range figureTables {
		differences[i] = fmt.Sprintf(`SELECT '%[1]s' AS t, (SELECT count(*) FROM c.%[1]s) > 0 AS filled, (SELECT count(*) FROM (FROM c.%[1]s EXCEPT ALL FROM p.%[1]s)) + (SELECT count(*) FROM (FROM p.%[1]s EXCEPT ALL FROM c.%[1]s)) AS n`, table)
	}
	said := mustRun(t, "sql", "--format", "csv", fmt.Sprintf("ATTACH %s AS c (READ_ONLY); ATTACH %s AS p (READ_ONLY); SELECT t, filled, n FROM (%s) WHERE n > 0 OR NOT filled AND NOT t LIKE '%%labels'",
		schema.Literal(copied), schema.Literal(placed), strings.Join(differences, " UNION ALL ")))
	if said != "t,filled,n\n" {
		t.Errorf("other figures, or none:\n%s", said)
	}
	for _, query := range []string{
		"SELECT * EXCLUDE (encoder_norm, encoder_decoder_cosine) FROM features ORDER BY sae, feature",
		"FROM enrichment ORDER BY ALL", "SELECT * EXCLUDE encoder_decoder_cosine FROM sae_health ORDER BY sae",
		"FROM decoder_directions_of('layer_0') ORDER BY feature", "FROM encoder_directions_of('layer_0') ORDER BY feature",
		"FROM feature_logits('layer_0', 2499) ORDER BY rank", "FROM token_differences('layer_0', 7, 'layer_1', 3)", "FROM features_for_token((SELECT token FROM tokens WHERE token_id = 3), k := 30)",
		"FROM similar_features('layer_1', 3, k := 3)", "FROM match_saes('layer_0', 'layer_1') ORDER BY ALL", "FROM feature_families(cosine := 0.9) ORDER BY ALL LIMIT 20",
		"SELECT reader_row('layer_0#decoder', (i * 977 % 2500)::INTEGER) AS d, reader_row('layer_0#encoder', (i * i % 2500)::INTEGER) AS e FROM range(3000) t(i)",
		"SELECT top_features(reader_row('layer_1#decoder', 3), 'layer_0#encoder', 5) AS top",
	} {
		sameRows(t, placed, copied, query)
	}
	if said := mustRun(t, "--db", placed, "sql", "--format", "csv", "SELECT (SELECT count(w_dec) FROM decoder_directions), (SELECT count(w_enc) FROM encoder_directions), (SELECT count(encoder_norm) FROM features)"); !strings.HasSuffix(said, "\n0,0,0\n") {
		t.Errorf("views have weights: %s", said)
	}
	if said := mustRun(t, "--db", placed, "sql", "--format", "csv", "SELECT path, decoder, layout FROM stored_in_place ORDER BY sae_id LIMIT 1"); !strings.Contains(said, "blocks.0.hook_resid_pre,as-stored,") || !strings.Contains(said, "sae_weights.safetensors: tensor W_dec: F32 [2500 32]") {
		t.Errorf("it records %s", said)
	}
	said = mustRun(t, "--db", placed, "check")
	if want := mustRun(t, "--db", copied, "check"); strings.ReplaceAll(said, "placed.db", "copied.db") != strings.ReplaceAll(want, filepath.Dir(copied), filepath.Dir(placed)) || !strings.Contains(want, " is sound") {
		t.Errorf("check says %q\nof weights in the database %q", said, want)
	}
	t.Run("figures and export", func(t *testing.T) { inPlaceResults(t, model, saes, placed, copied) })
	t.Run("stock clients", func(t *testing.T) { inPlaceStock(t, placed) })
	mustRun(t, "--db", placed, "unload", "sae", "*")
	if said := mustRun(t, "--db", placed, "sql", "--format", "csv", "SELECT (SELECT count(*) FROM stored_in_place) + (SELECT count(*) FROM stored_weight_files) AS n"); said != "n\n0\n" {
		t.Errorf("unloaded, it has %s", said)
	}
	mustRun(t, "--db", placed, "check")
}

// inPlaceResults holds what leaves a database against what leaves one with the weights.
func inPlaceResults(t *testing.T, model, saes, placed, copied string) {
	var results []string
	for _, db := range []string{placed, copied} {
		dir := filepath.Join(t.TempDir(), "out")
		mustRun(t, "--db", db, "export", "--to", dir, "--format", "duckdb")
		results = append(results, filepath.Join(dir, "results.duckdb"))
		mustRun(t, "--db", results[len(results)-1], "check")
	}
	sameRows(t, results[0], results[1], "SELECT * EXCLUDE loaded_at FROM (SELECT table_name, estimated_size, NULL AS loaded_at FROM duckdb_tables()) ORDER BY ALL")
	sameRows(t, results[0], results[1], "FROM features ORDER BY sae, feature")
	expectFailure(t, saedbRun(t, "", "--db", results[0], "sql", "--read-only", "SELECT reader_row('layer_0#decoder', 1)"), 1, "its decoder is not in this database, which has results alone")
	// Results come to features whose weights are there, of a lens whose matrices are not.
	parquet := filepath.Join(t.TempDir(), "parquet")
	mustRun(t, "--db", placed, "export", "--to", parquet)
	for _, flags := range [][]string{{"--in-place"}, nil} {
		db := filepath.Join(t.TempDir(), "imported.db")
		mustRun(t, "--db", db, "load", "model", model, "--name", "small", "--embedding", "--mlp", "0")
		mustRun(t, append([]string{"--db", db, "load", "sae", saes, "--release", "r", "--encoder"}, flags...)...)
		if said := mustRun(t, "--db", db, "import", "--parquet", parquet); !strings.Contains(said, "0 of them without weights") {
			t.Errorf("import says %s", said)
		}
		sameRows(t, db, copied, "SELECT * EXCLUDE (encoder_norm, encoder_decoder_cosine) FROM features ORDER BY sae, feature")
		if said := mustRun(t, "--db", db, "check"); !strings.Contains(said, "statistics of 64 features computed again") {
			t.Errorf("check says %s", said)
		}
	}
	for _, kind := range [][]string{{"layers"}, {"feature", "3"}, {"running-sum", "3", "starts_with_space"}} {
		var drawn []string
		for _, db := range []string{placed, copied} {
			to := filepath.Join(t.TempDir(), "figure.svg")
			mustRun(t, append([]string{"--db", db, "plot", "--sae", "layer_0", "--out", to}, kind...)...)
			content, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			drawn = append(drawn, strings.ReplaceAll(string(content), filepath.Base(db), ""))
		}
		if drawn[0] != drawn[1] {
			t.Errorf("the figure %s is another one", kind[0])
		}
	}
}

// inPlaceStock opens the database with stock clients. The oldest does not read columns of lists that are
// all NULL, and says so.
func inPlaceStock(t *testing.T, db string) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3 on this machine")
	}
	const weights = `
print(con.execute("SELECT count(*), count(skewness), count(top_tokens), count(encoder_norm) FROM features").fetchone(),
      con.execute("SELECT count(*), count(w_dec) FROM decoder_directions").fetchone(),
      con.execute("SELECT count(*) FROM similar_features('layer_1', 3, k := 3)").fetchone(), con.execute("SELECT count(*) FROM sae_health").fetchone())
try:
    con.execute("FROM decoder_directions_of('layer_0')").fetchall()
except duckdb.Error as e:
    print("reader_row" in str(e))
`
	for version, all := range map[string]bool{"1.0.0": false, "1.2.0": true, "2.0.1": true} {
		client := absolute(t, filepath.Join(clients, "duckdb-"+version))
		if _, err := os.Stat(filepath.Join(client, ".complete")); err != nil {
			t.Skipf("DuckDB %s for Python is not installed; make python-clients installs it", version)
		}
		code, want := `
import sys
sys.path.insert(0, sys.argv[1])
import duckdb
con = duckdb.connect(sys.argv[2], read_only=True)
print(con.execute("SELECT count(*) > 0 FROM enrichment").fetchone(),
      con.execute("SELECT count(*) FROM (SELECT feature, skewness, top_tokens FROM layer_1)").fetchone())
`, "(True,) (24,)\n"
		if all {
			code, want = code+weights, want+"(2524, 2524, 2524, 0) (2524, 0) (3,) (2,)\nTrue\n"
		}
		out, err := exec.Command(python, "-c", code, client, db).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("DuckDB %s: %v\n%s\nexpected %s", version, err, out, want)
		}
	}
}

// TestInPlaceChanged changes the file under a database, and puts it back.
func TestInPlaceChanged(t *testing.T) {
	t.Parallel()
	model, saes, _ := inPlaceFiles(t)
	db := filepath.Join(t.TempDir(), "placed.db")
	mustRun(t, "--db", db, "load", "model", model, "--name", "small")
	mustRun(t, "--db", db, "load", "sae", saes, "--in-place")
	const name = "blocks.0.hook_resid_pre"
	mustRun(t, "--db", db, "compute", "--sae", "blocks.1.hook_resid_pre", "--baseline", "0")
	file := filepath.Join(saes, name, "sae_weights.safetensors")
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put := func(content []byte, modified time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(file, content, 0o644), os.Chtimes(file, modified, modified)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := slices.Clone(content)
	changed[len(changed)-1] ^= 0x01
	refused := func(says ...string) {
		t.Helper()
		says = append(says, file, "the weights of SAE "+name+" stay in this file")
		expectFailure(t, saedbRun(t, "", "--db", db, "compute"), 1, says...)
		if said := mustRun(t, "--db", db, "sql", "--format", "csv", "SELECT count(*), count(skewness) FROM features"); said != "count_star(),count(skewness)\n2524,24\n" {
			t.Errorf("what is computed says %q", said)
		}
	}
	// A change that leaves size and time as they were is found by the hash, once a compute.
	put(changed, info.ModTime())
	refused("it has changed since it was loaded", "expected ", "with SHA-256 ", "found SHA-256 ", "put it back as it was, or load it again with --replace")
	put(changed, time.Now())
	refused("it has changed since it was loaded")
	read := []string{"--db", db, "sql", "--read-only", "SELECT top_features(random_direction(1, 1, 32), '" + name + "#decoder')"}
	expectFailure(t, saedbRun(t, "", read...), 1, "top_features: "+file, "it has changed since it was loaded")
	if r := saedbRun(t, "", "--db", db, "check"); r.code != 3 || !strings.Contains(r.stdout, "stored_weight_files: SAE "+name+": "+file+": it has changed since it was loaded") {
		t.Errorf("check of a changed file: exit %d: %s", r.code, r.stdout)
	}
	put(content[:len(content)-4], time.Now())
	refused("it has changed since it was loaded", fmt.Sprintf("found %d bytes", len(content)-4))
	if err := os.Rename(filepath.Join(saes, name), filepath.Join(saes, "moved")); err != nil {
		t.Fatal(err)
	}
	expectFailure(t, saedbRun(t, "", "--db", db, "compute"), 1, filepath.Join(saes, name), "the weights of SAE "+name+" stay in this file", "it is not there", "put it back, or load it from where it is now, with saedb load sae PATH --in-place")
	if r := saedbRun(t, "", "--db", db, "check"); r.code != 0 || strings.Count(r.stdout, "which is not there") != 1 {
		t.Errorf("check of a file that is gone: exit %d: %s", r.code, r.stdout)
	}
	file = filepath.Join(saes, "moved", "sae_weights.safetensors")
	put(content, time.Now())
	if said := mustRun(t, "--db", db, "load", "sae", filepath.Join(saes, "moved"), "--name", name, "--in-place"); !strings.Contains(said, "its weights are read from "+filepath.Join(saes, "moved")+" from now on") {
		t.Errorf("loaded from another place: %s", said)
	}
	mustRun(t, "--db", db, "compute", "--baseline", "0")
	put(content, time.Now().Add(time.Minute)) // copied back: other times, the same content
	mustRun(t, read...)
	mustRun(t, "--db", db, "check")
}

// TestInPlaceAndBack loads what is loaded already the other way, under another name, and what
// cannot stay in its files.
func TestInPlaceAndBack(t *testing.T) {
	t.Parallel()
	model, saes, _ := inPlaceFiles(t)
	one := filepath.Join(saes, "blocks.0.hook_resid_pre")
	db := filepath.Join(t.TempDir(), "placed.db")
	load := func(args ...string) string {
		return mustRun(t, append([]string{"--db", db, "load", "sae", one}, args...)...)
	}
	rows := func() string {
		return mustRun(t, "--db", db, "sql", "--read-only", "--format", "csv", "SELECT (SELECT count(w_dec) FROM stored_decoders), (SELECT count(w_enc) FROM stored_encoders), (SELECT count(*) FROM stored_encoders), (SELECT count(*) FROM stored_statistics), (SELECT count(*) FROM stored_in_place)")
	}
	expect := func(said, want string) {
		t.Helper()
		if !strings.HasSuffix(said, want+"\n") {
			t.Errorf("found %q, expected %q", said, want)
		}
	}
	mustRun(t, "--db", db, "load", "model", model, "--name", "small")
	load("--in-place", "--decoder", "unit-norm")
	mustRun(t, "--db", db, "compute", "--baseline", "0")
	expect(rows(), "0,0,0,2500,1")
	expect(load("--in-place", "--decoder", "unit-norm"), "with the same SHA-256; nothing changed")
	expect(load("--in-place", "--decoder", "unit-norm", "--encoder"), "its encoder is loaded now")
	expect(rows(), "0,0,2500,2500,1")
	expectFailure(t, saedbRun(t, "", "--db", db, "sql", "FROM similar_features('layer_0', 3)"), 1, "the weights of blocks.0.hook_resid_pre stay in "+one, "saedb compute --neighbours stores it, load sae without --in-place copies")
	expectFailure(t, saedbRun(t, "", "--db", db, "sql", "FROM relative_decoder_norms('blocks.0.hook_resid_pre')"), 1, "the weights of blocks.0.hook_resid_pre stay in "+one, "load sae without --in-place copies them")
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", one, "--name", "again", "--in-place", "--decoder", "unit-norm"), 1, "the same SAE is loaded already, as blocks.0.hook_resid_pre")
	expectFailure(t, saedbRun(t, "", "--db", db, "load", "sae", one, "--name", "again", "--decoder", "unit-norm"), 1, "the same SAE is loaded already, as blocks.0.hook_resid_pre")
	directions := mustRun(t, "--db", db, "sql", "--format", "csv", "FROM decoder_directions_of('layer_0') ORDER BY feature")
	expect(load("--decoder", "unit-norm"), "its weights are in the database now")
	expect(rows(), "2500,2500,2500,2500,0")
	if now := mustRun(t, "--db", db, "sql", "--format", "csv", "FROM decoder_directions ORDER BY feature"); now != directions {
		t.Errorf("the weights in the database are others than in the file")
	}
	expect(load("--in-place", "--decoder", "unit-norm"), "its weights are in the database, and stay there; saedb unload sae takes them out")
	expect(rows(), "2500,2500,2500,2500,0")
	expect(mustRun(t, "--db", db, "compute", "--baseline", "0"), "nothing to compute: every feature of 1 SAEs has its figures")
	mustRun(t, "--db", db, "check")
	mlp := filepath.Join(saes, "mlp")
	encodedSAE(t, mlp, 0, 24)
	r := saedbRun(t, "", "--db", db, "load", "sae", mlp, "--in-place", "--hook", "blocks.0.attn.hook_z")
	expectFailure(t, r, 1, "its weights cannot stay there", "found one that is multiplied with a matrix of the model")
}

// TestInPlaceKilled kills the load at every moment: all of it is there or nothing.
func TestInPlaceKilled(t *testing.T) {
	t.Parallel()
	model, saes, _ := inPlaceFiles(t)
	base := filepath.Join(t.TempDir(), "base.db")
	mustRun(t, "--db", base, "load", "model", model, "--name", "small")
	whole := filepath.Join(t.TempDir(), "whole.db")
	copyFile(t, base, whole)
	step := &killedStep{name: "load in place", args: []string{"load", "sae", filepath.Join(saes, "blocks.0.hook_resid_pre"), "--in-place"}, base: base, before: stateOf(t, base)}
	begun := time.Now()
	step.run(t, whole)
	step.took, step.after = time.Since(begun), stateOf(t, whole)
	for i := range 8 {
		db := step.fresh(t, filepath.Join(t.TempDir(), fmt.Sprint(i)))
		_, stderr, _ := stopAfter(t, syscall.SIGKILL, step.took*time.Duration(i+1)/9, append([]string{"--db", db}, step.args...)...)
		if stderr != "" {
			t.Fatal(stderr)
		}
		stateAfter(t, db, step)
		step.finish(t, db)
	}
}
