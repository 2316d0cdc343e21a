package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadEncoder: --encoder loads the encoder with an SAE, or to one that is loaded without it;
// it is what read_encoder reads, check finds what is wrong with it, and unload takes it away.
func TestLoadEncoder(t *testing.T) {
	t.Parallel()
	const path = exampleSAEs + "/blocks.29.hook_resid_pre"
	db := filepath.Join(t.TempDir(), "encoder.db")
	copyFile(t, example, db)
	if n := count(t, db, "SELECT count(*) FROM encoder_directions"); n != 0 {
		t.Fatalf("%d encoder rows in a database that was loaded without", n)
	}
	load := []string{"--db", db, "load", "sae", path, "--release", "smollm2-demo", "--encoder"}
	if said := mustRun(t, load...); !strings.Contains(said, "is already loaded") || !strings.Contains(said, "; its encoder is loaded now\n") {
		t.Errorf("said %q", said)
	}
	if said := mustRun(t, load...); !strings.Contains(said, "; nothing changed\n") {
		t.Errorf("the second time, said %q", said)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM encoder_directions WHERE layer = 29 AND encoder_hook = 'blocks.29.hook_resid_pre'":                                                            1536,
		"SELECT count(*) FROM encoder_directions e JOIN read_encoder('" + path + "') f USING (feature) WHERE e.w_enc = f.w_enc AND e.bias = f.bias AND e.threshold IS NULL": 1536,
		"SELECT count(encoder_hook) FROM saes":     1,
		"SELECT count(encoder_norm) FROM features": 1536,
		"SELECT count(*) FROM features JOIN encoder_directions USING (sae, feature) WHERE encoder_bias = bias AND abs(encoder_norm - sqrt(list_sum([w ** 2 FOR w IN w_enc::DOUBLE[]]))) < 1e-9":                                       1536,
		"SELECT count(*) FROM features JOIN encoder_directions USING (sae, feature) JOIN decoder_directions USING (sae, feature) WHERE abs(encoder_decoder_cosine - list_cosine_similarity(w_enc::DOUBLE[], w_dec::DOUBLE[])) < 1e-9": 1536,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	for statement, want := range map[string]string{
		"UPDATE stored_encoders SET bias = bias + 1 WHERE feature = 7": "stored_encoders: SAE smollm2-demo/blocks.29.hook_resid_pre: its rows are not those that were loaded",
		"DELETE FROM stored_encoders WHERE feature = 7":                "stored_encoders: SAE smollm2-demo/blocks.29.hook_resid_pre: expected 1536 rows of its encoder, found 1535",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "1"); r.code != 3 || !strings.Contains(r.stdout, want) {
			t.Errorf("%s: exit %d, expected 3 and %q, found\n%s", statement, r.code, want, r.stdout)
		}
	}
	mustRun(t, "--db", db, "unload", "sae", "smollm2-demo/blocks.29.hook_resid_pre")
	if n := count(t, db, "SELECT (SELECT count(*) FROM stored_encoders) + (SELECT count(*) FROM stored_contents WHERE stored_table = 'stored_encoders')"); n != 0 {
		t.Errorf("%d rows left of an SAE that is unloaded", n)
	}
}

// TestLoadWithoutEncoder: an SAE whose files have no encoder is not loaded with it at all.
func TestLoadWithoutEncoder(t *testing.T) {
	dir := t.TempDir()
	db := filepath.Join(dir, "small.db")
	tinySAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 0)
	mustRun(t, "--db", db, "load", "model", modelOf(t, "gpt2", ""), "--name", "small")
	r := saedbRun(t, "", "--db", db, "load", "sae", filepath.Join(dir, "blocks.0.hook_resid_pre"), "--encoder")
	if r.code == 0 || !strings.Contains(r.stderr, "its encoder: expected one matrix beside the decoder") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
	if n := count(t, db, "SELECT count(*) FROM saes"); n != 0 {
		t.Errorf("%d SAEs are loaded", n)
	}
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "blocks.0.hook_resid_pre"))
}
