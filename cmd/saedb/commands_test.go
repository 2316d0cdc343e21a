package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// commands runs command lines on one database, in this process.
type commands struct {
	t  *testing.T
	db string
}

// run returns what a command line, its words, prints on standard output, and its error.
func (c commands) run(words ...string) (string, error) {
	c.t.Helper()
	var out bytes.Buffer
	app := newApp()
	app.Writer, app.ErrWriter = &out, &bytes.Buffer{}
	err := app.RunContext(context.Background(), flagsFirst(app, append([]string{"saedb", "--db", c.db}, words...)))
	return out.String(), err
}

// prints expects a command line to succeed and to print a text.
func (c commands) prints(want string, words ...string) {
	c.t.Helper()
	if out, err := c.run(words...); err != nil || !strings.Contains(out, want) {
		c.t.Errorf("saedb %s: %v, printed %q, want %q", strings.Join(words, " "), err, out, want)
	}
}

// refuses expects a command line to fail with a text.
func (c commands) refuses(want string, words ...string) {
	c.t.Helper()
	if _, err := c.run(words...); err == nil || !strings.Contains(err.Error(), want) {
		c.t.Errorf("saedb %s: %v, want %q", strings.Join(words, " "), err, want)
	}
}

// number is the one number that a query gives.
func (c commands) number(query string) string {
	c.t.Helper()
	out, err := c.run("sql", "--format", "csv", query)
	lines := strings.Fields(out)
	if err != nil || len(lines) < 2 {
		c.t.Fatalf("saedb sql %s: %v, printed %q", query, err, out)
	}
	return lines[len(lines)-1]
}

// vocabulary is a WordPiece tokenizer's vocab.txt.
func vocabulary(tokens int) []byte {
	text := []byte("[UNK]\n")
	for i := 1; i < tokens; i++ {
		text = fmt.Appendf(text, "t%d\n", i)
	}
	return text
}

// withNeurons is a database with a model of 500 tokens and the 128 neurons of its only block,
// computed.
func withNeurons(t *testing.T) commands {
	t.Setenv("SAEDB_DB", "")
	dir := t.TempDir()
	tokenizer := filepath.Join(dir, "vocab.txt")
	if err := os.WriteFile(tokenizer, vocabulary(500), 0o644); err != nil {
		t.Fatal(err)
	}
	c := commands{t, filepath.Join(dir, "tiny.db")}
	c.prints("loaded model tiny: 500 tokens", "load", "model", "../../loader/model/testdata/gpt2", "--name", "tiny", "--tokenizer", tokenizer)
	c.prints("128 rows", "load", "directions", "--neurons")
	return c
}

// TestCommands goes the whole way in one process, from a model's files to figures of its neurons,
// and back: each command leaves what the next one needs, and says so.
func TestCommands(t *testing.T) {
	c := withNeurons(t)
	dir := filepath.Dir(c.db)
	c.refuses("nothing is computed", "plot", "skewness", "--out", filepath.Join(dir, "early.svg"))
	c.prints("128 features", "compute")
	c.prints("nothing to compute", "compute")
	if n := c.number("SELECT count(*) FROM features WHERE kurtosis IS NOT NULL AND len(top_tokens) = 10"); n != "128" {
		t.Errorf("%s features have figures, want 128", n)
	}
	picture := filepath.Join(dir, "skewness.svg")
	c.prints("", "plot", "skewness", "--out", picture)
	if text, err := os.ReadFile(picture); err != nil || !bytes.Contains(text, []byte("<svg")) {
		t.Errorf("%s: %v", picture, err)
	}
	c.prints("tiny", "info")
	c.prints("", "check")
	sum := "SELECT sum(hash(feature, mean, std, skewness, kurtosis, top_tokens, bottom_tokens) % 1000003) FROM features"
	want := c.number(sum)

	copied := commands{t, filepath.Join(dir, "copy.db")}
	c.prints("", "backup", copied.db)
	c.refuses("copy.db", "backup", copied.db) // which is there
	if got := copied.number(sum); got != want {
		t.Errorf("a backup has other figures: %s, want %s", got, want)
	}

	c.refuses("--cascade", "unload", "model", "tiny")
	if n := c.number("SELECT count(*) FROM features"); n != "128" {
		t.Errorf("%s features after a refusal, want 128", n)
	}
	c.prints("tiny", "unload", "model", "tiny", "--cascade")
	if n := c.number("SELECT count(*) FROM features"); n != "0" {
		t.Errorf("%s features of a model that is gone", n)
	}
	c.refuses("no model is loaded", "load", "directions", "--neurons")
}

// TestExportAndImport: what an export hands on is what another database takes in.
func TestExportAndImport(t *testing.T) {
	c := withNeurons(t)
	c.prints("128 features", "compute")
	to := filepath.Join(t.TempDir(), "results")
	c.prints("features", "export", "--to", to)
	if entries, err := os.ReadDir(to); err != nil || !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), "features") }) {
		t.Fatalf("%v, %v", entries, err)
	}
	c.refuses("results", "export", "--to", to) // which is there
	other := commands{t, filepath.Join(t.TempDir(), "other.db")}
	other.prints("", "import", "--parquet", to)
	const figures = "SELECT sum(hash(feature, mean, std, skewness, kurtosis, top_tokens, top_share) % 1000003) FROM features"
	if got, want := other.number(figures), c.number(figures); got != want {
		t.Errorf("imported figures are others: %s, want %s", got, want)
	}
}
