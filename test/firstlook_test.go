package test

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestInfoFitsATerminal: no line of info is wider than 80 columns, whatever the names,
// and both ends of a long name are there.
func TestInfoFitsATerminal(t *testing.T) {
	db := smallDatabase(t)
	const name = "layer_20.width_65k.a_name_that_is_longer_than_what_a_line_of_a_terminal_has_room_for.average_l0_71"
	mustRun(t, "--db", db, "load", "directions", "--sql", "SELECT w_dec FROM decoder_directions LIMIT 3", "--name", name)
	for _, path := range []string{db, example} {
		said := mustRun(t, "--db", path, "info")
		for line := range strings.Lines(strings.TrimPrefix(said, path)) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("a line of %d characters: %s", n, line)
			}
		}
	}
	said := mustRun(t, "--db", db, "info")
	for _, part := range []string{"Model small: gpt2, d_model 32, 500 tokens, F32\n", "…", "average_l0_71 ", "│ layer │ features │ computed │ tokens │", "│       24 │       24 │ all    │", "│        3 │        0 │ NULL   │"} {
		if !strings.Contains(said, part) {
			t.Errorf("info does not say %q:\n%s", part, said)
		}
	}
}

// TestSQLCapsRows: a table has the first and the last rows in a pipe as on a terminal,
// unless all are asked for; other formats have every row.
func TestSQLCapsRows(t *testing.T) {
	for _, c := range []struct {
		args  []string
		lines int
	}{
		{nil, 3 + 40 + 1 + 2}, // head, rows, gap, foot and note
		{[]string{"--max-rows", "5"}, 3 + 5 + 1 + 2},
		{[]string{"--max-rows", "0"}, 3 + 100 + 1},
		{[]string{"--format", "csv"}, 1 + 100}, {[]string{"--format", "json"}, 100}, {[]string{"--format", "markdown"}, 2 + 100},
	} {
		said := mustRun(t, append(append([]string{"--db", example, "sql"}, c.args...), "SELECT feature FROM features LIMIT 100")...)
		if lines := strings.Count(said, "\n"); lines != c.lines || strings.HasSuffix(said, "100 rows (40 shown)\n") != (c.args == nil) {
			t.Errorf("%v: %d lines, expected %d:\n%s", c.args, lines, c.lines, said)
		}
	}
}

// TestVersionFlag: --version says what version says first.
func TestVersionFlag(t *testing.T) {
	first, _, _ := strings.Cut(mustRun(t, "version"), "\n")
	if said := mustRun(t, "--version"); said != first+"\n" || !strings.HasPrefix(said, "saedb ") {
		t.Errorf("%q, expected %q", said, first)
	}
	if said := mustRun(t, "--db", filepath.Join(t.TempDir(), "absent.db"), "--version"); said != first+"\n" {
		t.Errorf("with --db: %q", said)
	}
}
