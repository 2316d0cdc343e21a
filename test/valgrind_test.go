package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// leakQueries call what allocates: functions of a model that is loaded and of one that
// is registered from files, table functions, one left early, procedures, and errors.
const leakQueries = `
SELECT logit_stats(list_transform(range(32), lambda i: sin(i)), m) FROM (VALUES ('loaded'), ('registered')) t(m);
SELECT top_tokens(list_transform(range(32), lambda i: sin(i)), m, 3) FROM (VALUES ('loaded'), ('registered')) t(m);
SELECT len(logit_weights(list_transform(range(32), lambda i: sin(i)), 'loaded'));
SELECT enrich(list_transform(range(32), lambda i: sin(i)), 'loaded');
SELECT try(logit_stats([1], 'loaded')), try(logit_stats([1], 'no model'));
SELECT count(w_dec) FROM read_sae('loader/sae/testdata/saelens-standard-bf16');
FROM read_sae('loader/sae/testdata/saelens-standard-bf16') LIMIT 1;
FROM sae_info('loader/sae/testdata/saelens-standard-bf16');
SELECT count(token) FROM read_vocab('{model}');
SELECT count(w_u) FROM read_unembedding('{model}');
FROM saedb_wanted_tensors('{"model_type": "gpt2"}', '["wte.weight", "ln_f.weight", "ln_f.bias"]');
FROM saedb_load_model('{model}', name := 'loaded');
`

// smallModel puts a model of 32 dimensions into a directory, weights and tokenizer.
func smallModel(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "llama")
	for _, part := range []string{"../loader/model/testdata/llama", "../loader/vocab/testdata/llama"} {
		if err := os.CopyFS(dir, os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestValgrind runs DuckDB's shell with the extension under Valgrind: nothing that it
// allocates is lost, and no more is left at its end after many queries than after few.
// The first rounds fill tables of DuckDB's that stay.
func TestValgrind(t *testing.T) {
	if os.Getenv("SAEDB_VALGRIND") == "" {
		t.Skip("takes minutes; make test-leaks runs it")
	}
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Fatal("no valgrind on this machine")
	}
	shell, built, model := filepath.Join(needClient(t, "shell"), "duckdb_cli/duckdb"), extension(t), smallModel(t)
	database := filepath.Join(t.TempDir(), "leaks.db")
	for _, args := range [][]string{{"load", "model", model, "--name", "loaded"}, {"load", "sets", "--name", "a", "--regex", "a"}} {
		if r := saedbRun(t, "", append([]string{"--db", database}, args...)...); r.code != 0 {
			t.Fatal(r.stderr)
		}
	}
	few, many := leftBehind(t, shell, built, database, model, 15), leftBehind(t, shell, built, database, model, 45)
	t.Logf("bytes left behind: %v after 15 rounds of %d queries, %v after 45", few, strings.Count(leakQueries, ";\n"), many)
	for _, kind := range []string{"definitely lost", "indirectly lost"} {
		if few[kind] != 0 || many[kind] != 0 {
			t.Errorf("%s: %d bytes after few queries, %d after many", kind, few[kind], many[kind])
		}
	}
	// Go starts a thread more or less, each of which leaves a few hundred bytes.
	for _, kind := range []string{"possibly lost", "still reachable"} {
		if many[kind] > few[kind]+4096 {
			t.Errorf("%s: %d bytes after few queries, %d after many", kind, few[kind], many[kind])
		}
	}
}

var leakSummary = regexp.MustCompile(`==\s+(definitely lost|indirectly lost|possibly lost|still reachable): ([\d,]+) bytes`)

// leftBehind runs so many rounds of the queries and returns Valgrind's summary, bytes
// of each kind.
func leftBehind(t *testing.T, shell, extension, database, model string, rounds int) map[string]int {
	t.Helper()
	dir := t.TempDir()
	script, log := filepath.Join(dir, "queries.sql"), filepath.Join(dir, "valgrind.log")
	queries := fmt.Sprintf("LOAD '%s';\nSET threads = 2;\nCALL saedb_model('registered', '%s');\n", extension, model) +
		strings.Repeat(strings.ReplaceAll(leakQueries, "{model}", model), rounds)
	if err := os.WriteFile(script, []byte(queries), 0o644); err != nil {
		t.Fatal(err)
	}
	// Go's stacks, which move, look like undefined values; only leaks are looked for.
	runIn(t, "..", nil, "valgrind", "--leak-check=full", "--undef-value-errors=no", "--log-file="+log,
		shell, "-unsigned", "-bail", "-csv", database, "-f", script)
	said, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for _, line := range leakSummary.FindAllStringSubmatch(string(said), -1) {
		left[line[1]], _ = strconv.Atoi(strings.ReplaceAll(line[2], ",", ""))
	}
	if len(left) == 0 && !strings.Contains(string(said), "no leaks are possible") {
		t.Fatalf("valgrind gave no summary:\n%s", said)
	}
	return left
}
