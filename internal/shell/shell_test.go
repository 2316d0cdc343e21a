package shell

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// runShell gives a shell its input through a pipe and returns what it printed.
func runShell(t *testing.T, conn *sql.Conn, input string, o Options) (out, errOut string) {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	go func() {
		io.WriteString(write, input)
		write.Close()
	}()
	var printed, messages strings.Builder
	if err := Run(t.Context(), conn, read, &printed, &messages, o); err != nil {
		t.Errorf("%q: %v", input, err)
	}
	return printed.String(), messages.String()
}

func TestShell(t *testing.T) {
	for _, test := range []struct{ input, out, errOut string }{
		{"SELECT 1 AS a; SELECT\n2 AS b;\n", "a\n1\nb\n2\n", ""},
		{"SELECT ';\n' AS a", "a\n\";\n\"\n", ""},
		{".mode json\nSELECT 1 AS a;\n.mode CSV\nSELECT 1 AS a;\n", "[{\"a\":1}]\na\n1\n", ""},
		{"SELECT 1 AS a;\n.quit\nSELECT 2;\n", "a\n1\n", ""},
		{"SELECT x; SELECT 1 AS never;\nSELECT 2 AS b;\n", "b\n2\n", "Binder Error"},
		{"SELEC 1;\n.nope\n.mode\n.mode xml\n.timer maybe\n.help me\nSELECT 2 AS b;\n", "b\n2\n", "Parser Error"},
		{"CREATE TABLE t(i INTEGER);\nCREATE VIEW v AS FROM t;\n.tables\n", "name,type\nt,table\nv,view\n", ""},
		{"CREATE TABLE t(i INTEGER);\n.schema T\n.schema u\n", "CREATE TABLE t(i INTEGER);\n", "no table or view"},
		{"CREATE SCHEMA s; CREATE TABLE s.t(i INTEGER); CREATE TEMP TABLE u(i INTEGER);\n.tables\n", "name,type\ns.t,table\nu,table\n", ""},
		{".help\n", "", ".output [FILE]"},
	} {
		out, errOut := runShell(t, connect(t), test.input, Options{Format: "csv"})
		if out != test.out {
			t.Errorf("%q: printed %q, want %q", test.input, out, test.out)
		}
		if (test.errOut == "") != (errOut == "") || !strings.Contains(errOut, test.errOut) {
			t.Errorf("%q: messages %q, want %q", test.input, errOut, test.errOut)
		}
	}
}

func TestShellOutputAndRead(t *testing.T) {
	directory := t.TempDir()
	script, results := filepath.Join(directory, "a script.sql"), filepath.Join(directory, "results.csv")
	if err := os.WriteFile(script, []byte("-- setting up\n.mode csv\nSELECT 1\nAS a; SELECT 2 AS b"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut := runShell(t, connect(t), ".output "+results+"\n.read '"+script+"'\n.output\nSELECT 3 AS c;\n", Options{})
	if out != "c\n3\n" || errOut != "" {
		t.Errorf("printed %q, messages %q", out, errOut)
	}
	if content, err := os.ReadFile(results); err != nil || string(content) != "a\n1\nb\n2\n" {
		t.Errorf("file has %q, %v", content, err)
	}

	if err := os.WriteFile(script, []byte("SELECT 1 AS a;\n\nSELECT x;\nSELECT 2;"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, errOut = runShell(t, connect(t), ".read "+script+"\nSELECT 3 AS c;\n", Options{Format: "csv"})
	if out != "a\n1\nc\n3\n" || !strings.Contains(errOut, "a script.sql line 3: Binder Error") {
		t.Errorf("printed %q, messages %q", out, errOut)
	}

	if err := os.WriteFile(script, []byte(".read "+script), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errOut = runShell(t, connect(t), ".read "+script+"\n.read /no/such/file\n", Options{}); !strings.Contains(errOut, "deep") || !strings.Contains(errOut, "no such file") {
		t.Errorf("messages %q", errOut)
	}
}

func TestShellTimer(t *testing.T) {
	if _, errOut := runShell(t, connect(t), ".timer on\nSELECT 1;\n", Options{}); !strings.HasSuffix(errOut, " s\n") {
		t.Errorf("messages %q", errOut)
	}
}

// An interrupt ends the statement that is running, and neither the shell nor the
// statements after it.
func TestInterruptCancelsOneStatement(t *testing.T) {
	var out, errOut strings.Builder
	s := newSession(connect(t), &out, &errOut, Options{Format: "csv"})
	interrupts := make(chan os.Signal, 1)
	s.interrupts = interrupts
	time.AfterFunc(100*time.Millisecond, func() { interrupts <- os.Interrupt })
	input := newPlainInput(strings.NewReader(slow+";\nSELECT 1 AS a;\n"), io.Discard)
	if err := s.loop(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a\n1\n" || errOut.String() != "Cancelled.\n" {
		t.Errorf("printed %q, messages %q", out.String(), errOut.String())
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := newSession(connect(t), io.Discard, io.Discard, Options{})
	time.AfterFunc(50*time.Millisecond, cancel)
	err := s.loop(ctx, newPlainInput(strings.NewReader(slow+";\nSELECT 1;\n"), io.Discard))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// typist is input from a person who clears the line at every empty one.
type typist struct {
	lines   []string
	history []string
}

func (p *typist) line(context.Context, string) (string, error) {
	if len(p.lines) == 0 {
		return "", io.EOF
	}
	line := p.lines[0]
	p.lines = p.lines[1:]
	if line == "" {
		return "", errCleared
	}
	return line, nil
}

func (p *typist) remember(entry string) { p.history = append(p.history, entry) }
func (p *typist) close()                {}

func TestTypedStatementsAreRemembered(t *testing.T) {
	var out strings.Builder
	s := newSession(connect(t), &out, io.Discard, Options{Format: "csv"})
	s.typing = true
	p := &typist{lines: []string{
		"SELECT 1", "  AS a; -- one", "SELECT -- two", "2 AS b;", "SELECT 'dropped", "", ".timer off", "SELECT x; SELECT", "SELECT 3 AS c;", "DROP TABLE never",
	}}
	if err := s.loop(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a\n1\nb\n2\nc\n3\n" {
		t.Errorf("printed %q", out.String())
	}
	want := []string{"SELECT 1   AS a; -- one", "SELECT -- two", "2 AS b;", ".timer off", "SELECT x; SELECT", "SELECT 3 AS c;"}
	if !slices.Equal(p.history, want) {
		t.Errorf("remembered %q, want %q", p.history, want)
	}
}

func TestHistoryFile(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	path := filepath.Join(os.Getenv("XDG_STATE_HOME"), "saedb", "history")
	h, entries, err := openHistory("")
	if err != nil || len(entries) != 0 {
		t.Fatalf("got %q, %v", entries, err)
	}
	long := "SELECT '" + strings.Repeat("x", 100_000) + "';"
	for _, entry := range []string{"SELECT 1;", long} {
		if err := h.append(entry); err != nil {
			t.Fatal(err)
		}
	}
	h.close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	h, entries, err = openHistory("")
	if err != nil || !slices.Equal(entries, []string{"SELECT 1;", long}) {
		t.Errorf("got %d entries, %v", len(entries), err)
	}
	h.close()

	if err := os.WriteFile(path, []byte(strings.Repeat("SELECT 1;\n", 5000)), 0o644); err != nil {
		t.Fatal(err)
	}
	h, entries, err = openHistory("")
	if err != nil || len(entries) != 1000 {
		t.Errorf("kept %d entries, %v", len(entries), err)
	}
	h.close()
	if info, err := os.Stat(path); err != nil || info.Size() != 10_000 || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info, err)
	}
}

func TestComplete(t *testing.T) {
	conn := connect(t)
	const script = `CREATE TABLE features(feature_index INTEGER, "Max Logit" DOUBLE); CREATE VIEW feature_view AS FROM features;
		CREATE SCHEMA gpt2; CREATE TABLE gpt2.layer_8(skewness DOUBLE);`
	if _, err := conn.ExecContext(t.Context(), script); err != nil {
		t.Fatal(err)
	}
	c := &completer{conn: conn}
	for _, test := range []struct {
		before string
		head   string
		want   []string
	}{
		{"SELE", "", []string{"SELECT "}},
		{"sele", "", []string{"select "}},
		{"FROM feat", "FROM ", []string{"feature_index", "feature_view", "features"}},
		{"FROM FEAT", "FROM ", []string{"FEATure_index", "FEATure_view", "FEATures"}},
		{"SELECT features.", "SELECT features.", nil},
		{"SELECT features.f", "SELECT features.", []string{"feature_index"}},
		{"SELECT f.feature_i", "SELECT f.", []string{"feature_index"}},
		{"FROM gpt2.l", "FROM gpt2.", []string{"layer_8"}},
		{`SELECT "max l`, "SELECT ", []string{`"max logit"`}},
		{"SELECT array_inner_p", "SELECT ", []string{"array_inner_product("}},
		{"SELECT 'ü', skew", "SELECT 'ü', ", []string{"skewness", "skewness("}},
		{".mo", "", []string{".mode"}},
		{".mode t", ".mode t", nil},
		{"", "", nil},
	} {
		head, words, tail := c.complete(test.before+" x", len([]rune(test.before)))
		if head != test.head || tail != " x" || !slices.Equal(words, test.want) {
			t.Errorf("%q: got %q, %q, %q", test.before, head, words, tail)
		}
	}
	if _, err := conn.ExecContext(t.Context(), "CREATE TABLE zebra(i INTEGER)"); err != nil {
		t.Fatal(err)
	}
	c.forget()
	if _, words, _ := c.complete("zeb", 3); !slices.Equal(words, []string{"zebra"}) {
		t.Errorf("after a definition: got %q", words)
	}
}
