package test

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tiktokenOf writes a tiktoken file of 64 tokens, the bytes 0xB0 to 0xEF, none of which is
// UTF-8 alone.
func tiktokenOf(t *testing.T, file string) {
	t.Helper()
	var lines strings.Builder
	for id := range 64 {
		fmt.Fprintf(&lines, "%s %d\n", base64.StdEncoding.EncodeToString([]byte{0xb0 + byte(id)}), id)
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestByteTokens: a token that is a byte of a longer character is shown as that byte,
// by its number, in every view.
func TestByteTokens(t *testing.T) {
	db, dir := filepath.Join(t.TempDir(), "bytes.db"), modelOf(t, "phi3", "")
	if err := os.Remove(filepath.Join(dir, "vocab.txt")); err != nil {
		t.Fatal(err)
	}
	tiktokenOf(t, filepath.Join(dir, "qwen.tiktoken"))
	mustRun(t, "--db", db, "load", "model", dir, "--name", "bytes")
	mustRun(t, "--db", db, "load", "directions", "--sql", "SELECT w_u FROM unembeddings WHERE token_id < 3", "--model", "bytes", "--name", "rows")
	mustRun(t, "--db", db, "compute")
	for query, want := range map[string]int{
		`SELECT count(*) FROM tokens WHERE text = printf('<0x%02X>', 176 + token_id) AND token_id < 64`:                                     64,
		`SELECT count(*) FROM (SELECT unnest(top_tokens || bottom_tokens) AS shown FROM features) WHERE shown SIMILAR TO '<0x[0-9A-F]{2}>'`: 60,
		`SELECT count(*) FROM feature_tokens WHERE text SIMILAR TO '<0x[0-9A-F]{2}>'`:                                                       60,
		`SELECT count(*) FROM features_for_token('<0xB1>')`:                                                                                 3,
	} {
		if n := count(t, db, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if said := mustRun(t, "--db", db, "check"); !strings.Contains(said, "is sound") {
		t.Error(said)
	}
}

// TestTokenizerOfElsewhere: a model without a tokenizer says what its directory has, and
// takes one from another place, which is among the files that its load records.
func TestTokenizerOfElsewhere(t *testing.T) {
	db, dir := filepath.Join(t.TempDir(), "models.db"), modelOf(t, "phi3", "")
	if err := os.Remove(filepath.Join(dir, "vocab.txt")); err != nil {
		t.Fatal(err)
	}
	r := saedbRun(t, "", "--db", db, "load", "model", dir)
	if r.code != 1 || !strings.Contains(r.stderr, "found config.json, model.safetensors (name the tokenizer's file with --tokenizer)") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
	file := filepath.Join(t.TempDir(), "other.tiktoken")
	tiktokenOf(t, file)
	mustRun(t, "--db", db, "load", "model", dir, "--name", "m", "--tokenizer", file)
	if n := count(t, db, fmt.Sprintf(`SELECT count(*) FROM stored_load_files WHERE path = '%s'`, file)); n != 1 {
		t.Errorf("%d files of the load are the tokenizer", n)
	}
	if said := mustRun(t, "--db", db, "check"); !strings.Contains(said, "is sound") || !strings.Contains(said, "3 source files unchanged") {
		t.Error(said)
	}
}

// TestModelWithoutOwner: names that transformers takes for models on the Hub are no paths,
// and said what they are.
func TestModelWithoutOwner(t *testing.T) {
	r := saedbRun(t, "", "--db", filepath.Join(t.TempDir(), "x.db"), "load", "model", "gpt2")
	if r.code != 1 || !strings.Contains(r.stderr, "saedb load model openai-community/gpt2") {
		t.Errorf("exit %d: %s", r.code, r.stderr)
	}
}
