package test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

func count(t *testing.T, db, query string) int {
	t.Helper()
	opened, err := saedb.Open(t.Context(), db, saedb.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	var n int
	if err := opened.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	r := saedbRun(t, "", args...)
	if r.code != 0 {
		t.Fatalf("saedb %v: exit %d: %s", args, r.code, r.stderr)
	}
	if r.stderr != "" {
		t.Errorf("saedb %v: piped, yet it wrote to standard error: %q", args, r.stderr)
	}
	return r.stdout
}

// TestLoadTwice: the same again changes nothing and says so, other content under
// the same name only with --replace, which drops the figures of the old.
func TestLoadTwice(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "copy.db")
	copyFile(t, example, db)
	good := filepath.Join(exampleSAEs, "blocks.29.hook_resid_pre")
	before := hash(t, db)
	for _, args := range [][]string{
		{"load", "model", exampleModel, "--name", "smollm2-135m"}, {"load", "sae", good, "--release", "smollm2-demo"},
	} {
		if said := mustRun(t, append([]string{"--db", db}, args...)...); !strings.Contains(said, "nothing changed") {
			t.Errorf("saedb %v said %q", args, said)
		}
	}
	if hash(t, db) != before {
		t.Error("loading the same again changed the file")
	}
	if said := mustRun(t, "--db", db, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute said %q", said)
	}
	other := sae(t, filepath.Join(dir, "blocks.29.hook_resid_pre"), 8, 576)
	mustRun(t, "--db", db, "load", "sae", other, "--release", "smollm2-demo", "--replace")
	if n := count(t, db, "SELECT count(*) FROM features WHERE sae = 'smollm2-demo/blocks.29.hook_resid_pre'"); n != 8 {
		t.Errorf("%d features after --replace, expected 8", n)
	}
	if n := count(t, db, "SELECT count(*) FROM layer_3 WHERE skewness IS NULL AND std IS NULL"); n != 8 {
		t.Errorf("%d features without statistics at layer 3, expected 8", n)
	}
	if n := count(t, db, "SELECT count(*) FROM duckdb_views() WHERE view_name = 'layer_29'"); n != 0 {
		t.Errorf("%d views layer_29 are left, though nothing is at that layer", n)
	}
	if n := count(t, db, "SELECT count(*) FROM loads WHERE replaced_by IS NOT NULL"); n != 1 {
		t.Errorf("%d loads are recorded as replaced, expected 1", n)
	}
	// Zero directions: std 0, and no skewness.
	mustRun(t, "--db", db, "compute")
	if n := count(t, db, "SELECT count(*) FROM layer_3 WHERE std = 0 AND skewness IS NULL AND kurtosis IS NULL"); n != 8 {
		t.Errorf("%d zero features have std 0 and no skewness, expected 8", n)
	}
}

// TestResidPost: a resid_post of block L is at layer L, whatever else is there.
func TestResidPost(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "copy.db")
	copyFile(t, example, db)
	post := sae(t, filepath.Join(dir, "blocks.11.hook_resid_post"), 4, 576)
	write(t, post, "cfg.json", []byte(`{"architecture": "standard", "d_in": 576, "d_sae": 4, "dtype": "float32",
		"metadata": {"sae_lens_version": "6.54.12", "hook_name": "blocks.11.hook_resid_post", "neuronpedia_id": "gpt2-small/12-res-jb"}}`))
	mustRun(t, "--db", db, "load", "sae", post, "--release", "smollm2-demo")
	if n := count(t, db, `SELECT count(*) FROM "smollm2-demo".layer_11 WHERE sae = 'smollm2-demo/blocks.11.hook_resid_post'`); n != 4 {
		t.Errorf("%d features at layer 11, expected 4", n)
	}
	if n := count(t, db, `SELECT count(*) FROM layer_11 WHERE neuronpedia_url = 'https://www.neuronpedia.org/gpt2-small/12-res-jb/' || feature`); n != 4 {
		t.Errorf("%d features with their Neuronpedia page, expected 4", n)
	}
}

// TestTokens: real tokens leave out special ones, which is recorded; figures for
// the other choice are computed anew only when asked.
func TestTokens(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	const layer = "blocks.4.hook_resid_pre"
	if said := mustRun(t, "--db", db, "compute", "--sae", layer, "--tokens", "real"); !strings.Contains(said, ", real tokens") {
		t.Errorf("compute said %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM saes WHERE tokens = 'real'"); n != 1 {
		t.Errorf("%d SAEs with real tokens, expected 1", n)
	}
	if n := count(t, db, `SELECT count(*) FROM feature_tokens JOIN tokens USING (model, token_id) WHERE sae = sae_named('`+layer+`') AND is_special`); n != 0 {
		t.Errorf("%d special tokens among the real ones", n)
	}
	if said := mustRun(t, "--db", db, "compute"); !strings.Contains(said, "nothing to compute") {
		t.Errorf("compute said %q", said)
	}
	if said := mustRun(t, "--db", db, "compute", "--sae", layer, "--tokens", "all"); !strings.Contains(said, ", all tokens") {
		t.Errorf("compute said %q", said)
	}
}

// TestResume: what an interrupted run finished is not done again.
func TestResume(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "copy.db")
	copyFile(t, example, db)
	opened, err := saedb.Open(t.Context(), db, saedb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = opened.ExecContext(t.Context(), `CREATE TABLE kept AS SELECT * FROM features;
		DELETE FROM stored_statistics WHERE feature BETWEEN 700 AND 799 AND sae_id = (SELECT load_id FROM saes WHERE layer = 29)`)
	if err != nil {
		t.Fatal(err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if said := mustRun(t, "--db", db, "compute"); strings.Count(said, "\n") != 1 || !strings.Contains(said, ": 100 features") {
		t.Errorf("compute said %q", said)
	}
	if n := count(t, db, "SELECT count(*) FROM (FROM kept EXCEPT FROM features)"); n != 0 {
		t.Errorf("%d features differ after the run was resumed", n)
	}
}
