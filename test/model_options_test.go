package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// modelOf writes the weights of a model of loader/model's test data, with 64 tokens
// and the given config.json, its own when empty.
func modelOf(t *testing.T, name, config string) string {
	t.Helper()
	dir, from := t.TempDir(), filepath.Join("..", "loader", "model", "testdata", name)
	copyFile(t, filepath.Join(from, "model.safetensors"), filepath.Join(dir, "model.safetensors"))
	copyFile(t, filepath.Join(from, "config.json"), filepath.Join(dir, "config.json"))
	var tokens strings.Builder
	for i := range 64 {
		fmt.Fprintf(&tokens, "t%d\n", i)
	}
	files := map[string]string{"vocab.txt": tokens.String()}
	if config != "" {
		files["config.json"] = config
	}
	for file, content := range files {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestModelProcessing: the processing is recorded, another one is another model, and
// read_unembedding takes it too.
func TestModelProcessing(t *testing.T) {
	t.Parallel()
	db, dir := filepath.Join(t.TempDir(), "models.db"), modelOf(t, "gpt-neo", "")
	for _, processing := range []string{"transformerlens", "fold-only", "none"} {
		mustRun(t, "--db", db, "load", "model", dir, "--name", processing, "--processing", processing)
		query := fmt.Sprintf(`SELECT count(*) FROM unembeddings u JOIN read_unembedding('%s', processing := '%s') r USING (token_id)
			JOIN models m USING (model) WHERE u.model = '%s' AND u.w_u = r.w_u AND m.processing = u.model`, dir, processing, processing)
		if n := count(t, db, query); n != 64 {
			t.Errorf("%s: %d rows of the database are those of read_unembedding", processing, n)
		}
	}
	if n := count(t, db, `SELECT count(DISTINCT w_u) FROM unembeddings WHERE token_id = 7`); n != 3 {
		t.Errorf("%d different rows of token 7", n)
	}
	if n := count(t, db, fmt.Sprintf(`SELECT count(*) FROM unembeddings u JOIN read_unembedding('%s') r USING (token_id) WHERE u.model = 'transformerlens' AND u.w_u = r.w_u`, dir)); n != 64 {
		t.Errorf("%d rows are those of read_unembedding by default", n)
	}
	r := saedbRun(t, "", "--db", db, "load", "model", dir, "--name", "none", "--processing", "fold-only")
	if r.code != 1 || !strings.Contains(r.stderr, "the same content but other conventions (W_U from transformer.wte.weight") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	if said := mustRun(t, "--db", db, "load", "model", dir, "--name", "none", "--processing", "fold-only", "--replace"); !strings.Contains(said, "loaded model none") {
		t.Error(said)
	}
}

// TestModelByTensors: a model of an architecture that is not known, by its tensors.
func TestModelByTensors(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "models.db")
	dir := modelOf(t, "phi3", `{"model_type": "unheard-of", "hidden_size": 16}`)
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{1, "name its tensors with --unembedding and --norm", nil},
		{1, "give --norm-kind layer or --norm-kind rms", []string{"--unembedding", "lm_head.weight", "--norm", "model.norm.weight"}},
		{1, "tensor head: is missing", []string{"--unembedding", "head", "--norm", "model.norm", "--norm-kind", "rms"}},
		{2, "--norm-kind: expected layer or rms", []string{"--norm-kind", "RMSNorm"}},
		{2, "--processing: expected one of transformerlens, fold-only, none", []string{"--processing", "all"}},
		{2, "--soft-cap: expected a finite number", []string{"--soft-cap", "-1"}},
	} {
		r := saedbRun(t, "", append([]string{"--db", db, "load", "model", dir}, test.args...)...)
		if r.code != test.code || !strings.Contains(r.stderr, test.want) {
			t.Errorf("%v: exit %d: %s", test.args, r.code, r.stderr)
		}
	}
	mustRun(t, "--db", db, "load", "model", dir, "--name", "by-tensors", "--unembedding", "lm_head.weight", "--norm", "model.norm", "--norm-kind", "rms")
	known := modelOf(t, "phi3", "")
	query := fmt.Sprintf(`SELECT count(*) FROM unembeddings u JOIN read_unembedding('%s') r USING (token_id) JOIN models m USING (model)
		WHERE u.w_u = r.w_u AND m.architecture = 'unheard-of' AND m.norm_folded`, known)
	if n := count(t, db, query); n != 64 {
		t.Errorf("%d rows are those of the family", n)
	}
}
