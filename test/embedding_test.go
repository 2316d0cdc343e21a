package test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestLoadEmbedding: --embedding loads the embedding with a model, or to one that is loaded
// without it; it is what read_embedding reads, functions multiply with it, check finds what is
// wrong with it, results are exported without it, and unload takes it away.
func TestLoadEmbedding(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db := filepath.Join(dir, "embedding.db")
	path := modelOf(t, "gpt2", "")
	load := []string{"--db", db, "load", "model", path, "--name", "small"}
	mustRun(t, load...)
	r := saedbRun(t, "", "--db", db, "sql", "SELECT logit_weights(list_resize([1]::FLOAT[], 32, 0), 'small#embedding')")
	if r.code == 0 || !strings.Contains(r.stderr, "the embedding of model small: the model was loaded without its embedding (saedb load model … --embedding adds it)") {
		t.Errorf("exit %d, %s", r.code, r.stderr)
	}
	load = append(load, "--embedding")
	if said := mustRun(t, load...); !strings.Contains(said, "; its embedding is loaded now\n") {
		t.Errorf("said %q", said)
	}
	if said := mustRun(t, load...); !strings.Contains(said, "; nothing changed\n") {
		t.Errorf("the second time, said %q", said)
	}
	same := fmt.Sprintf("SELECT count(*) FROM embeddings e JOIN read_embedding('%s') f USING (token_id) WHERE model = 'small' AND e.w_e = f.w_e", path)
	if n := count(t, db, same); n != 500 {
		t.Errorf("%d rows are those of the file, expected 500", n)
	}
	const products = `SELECT count(*) FROM (SELECT unnest(logit_weights(d, 'small#embedding')) AS product, unnest(range(500)) AS token_id, d
		FROM (SELECT list_transform(range(32), lambda i: sin(i))::FLOAT[] AS d)) JOIN embeddings USING (token_id)
		WHERE abs(product - list_inner_product(w_e::DOUBLE[], d::DOUBLE[])) < 1e-5`
	if n := count(t, db, products); n != 500 {
		t.Errorf("%d products are those of the two lists, expected 500", n)
	}
	if n := count(t, db, "SELECT count(*) FROM models WHERE embedding_tensor = unembedding_tensor AND len(embedding_sha256) = 64"); n != 1 {
		t.Error("where it came from is not recorded")
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	for statement, want := range map[string]string{
		"UPDATE stored_embeddings SET w_e = list_reverse(w_e) WHERE token_id = 7":          "stored_embeddings: model small: its rows are not those that were loaded",
		"DELETE FROM stored_embeddings WHERE token_id = 7":                                 "stored_embeddings: model small: expected 500 rows of its embedding, found 499",
		"UPDATE stored_embeddings SET w_e = w_e[2:] WHERE token_id = 7":                    "stored_embeddings: model small, token 7: expected 32",
		"UPDATE stored_embeddings SET model_id = 9":                                        "stored_embeddings: model_id 9: 500 rows, but no such model",
		"DELETE FROM stored_contents WHERE stored_table = 'stored_embeddings'":             "expected the hash of its rows of stored_embeddings, found none",
		"UPDATE stored_models SET embedding_in = 'stored_unembeddings' WHERE model_id = 1": "expected 0 rows of its embedding, found 500",
	} {
		damaged := filepath.Join(t.TempDir(), "damaged.db")
		copyFile(t, db, damaged)
		change(t, damaged, statement)
		if r := saedbRun(t, "", "--db", damaged, "check", "--sample", "1"); r.code != 3 || !strings.Contains(r.stdout, want) {
			t.Errorf("%s: exit %d, expected 3 and %q, found\n%s", statement, r.code, want, r.stdout)
		}
	}

	out := filepath.Join(dir, "results")
	tinySAE(t, filepath.Join(dir, "blocks.0.hook_resid_pre"), 0)
	mustRun(t, "--db", db, "load", "sae", filepath.Join(dir, "blocks.0.hook_resid_pre"))
	mustRun(t, "--db", db, "compute", "--baseline", "0")
	mustRun(t, "--db", db, "export", "--to", out, "--format", "duckdb")
	results := filepath.Join(out, "results.duckdb")
	if n := count(t, results, "SELECT count(*) FROM embeddings WHERE w_e IS NULL"); n != 500 {
		t.Errorf("%d rows without weights in the results, expected 500", n)
	}
	mustRun(t, "--db", results, "check", "--sample", "1")

	mustRun(t, "--db", db, "load", "model", modelOf(t, "llama", ""), "--name", "small", "--replace")
	if n := count(t, db, "SELECT (SELECT count(*) FROM stored_embeddings) + (SELECT count(embedding_in) FROM stored_models)"); n != 0 {
		t.Error("the embedding of the model that was replaced is there")
	}
	mustRun(t, "--db", db, "load", "model", modelOf(t, "llama", ""), "--name", "small", "--embedding")
	mustRun(t, "--db", db, "unload", "model", "small", "--cascade")
	if n := count(t, db, "SELECT (SELECT count(*) FROM stored_embeddings) + (SELECT count(*) FROM stored_contents)"); n != 0 {
		t.Errorf("%d rows left of a model that is unloaded", n)
	}
}

// TestEmbeddingInPlace: an embedding that is the stored unembedding is not stored again.
func TestEmbeddingInPlace(t *testing.T) {
	db := filepath.Join(t.TempDir(), "tied.db")
	tied := modelOf(t, "gpt2", "")
	for name, processing := range map[string]string{"as it is": "none", "processed": "fold-only"} {
		mustRun(t, "--db", db, "load", "model", tied, "--name", name, "--embedding", "--processing", processing)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM stored_embeddings": 500, // the other model's
		"SELECT count(*) FROM embeddings":        1000,
		"SELECT count(*) FROM embeddings a JOIN embeddings b USING (token_id) WHERE a.model = 'as it is' AND b.model = 'processed' AND a.w_e = b.w_e": 500,
		`SELECT count(*) FROM (SELECT list_transform(range(32), lambda i: sin(i))::FLOAT[] AS d)
			WHERE logit_stats(d, 'as it is#embedding') = logit_stats(d, 'processed#embedding') AND logit_stats(d, 'as it is#embedding') = logit_stats(d, 'as it is')
				AND top_tokens(d, 'processed#embedding', 3) = top_tokens(d, 'as it is', 3)`: 1,
	} {
		if got := count(t, db, query); got != want {
			t.Errorf("%s: %d, expected %d", query, got, want)
		}
	}
	mustRun(t, "--db", db, "check", "--sample", "1")
	out := saedbRun(t, fmt.Sprintf(`CALL saedb_model('of files', '%s'); SELECT logit_stats(d, 'of files#embedding') = logit_stats(d, 'as it is') AS same
		FROM (SELECT list_transform(range(32), lambda i: sin(i))::FLOAT[] AS d);`, tied), "--db", db, "sql", "--format", "csv")
	if !strings.HasSuffix(strings.TrimSpace(out.stdout), "true") {
		t.Errorf("of a registered model: %s%s", out.stdout, out.stderr)
	}
}
