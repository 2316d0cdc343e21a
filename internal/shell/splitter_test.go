package shell

import (
	"slices"
	"strings"
	"testing"
)

// split returns the statements of a script and whether its end was inside one.
func split(script string) (texts []string, lines []int, unfinished bool) {
	var s splitter
	for line := range strings.Lines(script) {
		s.add(line)
	}
	unfinished = s.unfinished()
	for {
		next, ok := s.next()
		if !ok {
			if next, ok = s.rest(); !ok {
				return texts, lines, unfinished
			}
		}
		texts, lines = append(texts, next.text), append(lines, next.line)
	}
}

var splits = []struct {
	script string
	want   []string
}{
	{"", nil},
	{" ;; \n;", nil},
	{"-- only; a comment", nil},
	{"/* only; /* nested; */ a comment */", nil},
	{"SELECT 1", []string{"SELECT 1"}},
	{"SELECT 1; SELECT 2;", []string{"SELECT 1", "SELECT 2"}},
	{"-- first; one\nSELECT 1; -- after;\nSELECT 2", []string{"SELECT 1", "SELECT 2"}},
	{"SELECT ';', 'it''s;'; SELECT 2", []string{"SELECT ';', 'it''s;'", "SELECT 2"}},
	{`SELECT 'a\'; SELECT 2`, []string{`SELECT 'a\'`, "SELECT 2"}},
	{`SELECT E'a\';', e'\\'; SELECT 2`, []string{`SELECT E'a\';', e'\\'`, "SELECT 2"}},
	{`SELECT 1 AS "a;""b;"; SELECT 2`, []string{`SELECT 1 AS "a;""b;"`, "SELECT 2"}},
	{"SELECT $$a;'b$$; SELECT 2", []string{"SELECT $$a;'b$$", "SELECT 2"}},
	{"SELECT $x$ $$; $y$;\n $x$; SELECT 2", []string{"SELECT $x$ $$; $y$;\n $x$", "SELECT 2"}},
	{"SELECT $1; SELECT $2$", []string{"SELECT $1", "SELECT $2$"}},
	{"SELECT 1 AS a$$b; SELECT 2 AS c$$d", []string{"SELECT 1 AS a$$b", "SELECT 2 AS c$$d"}},
	{"SELECT 1 /* ; /* ; */ ; ' */ + 1; SELECT 2", []string{"SELECT 1 /* ; /* ; */ ; ' */ + 1", "SELECT 2"}},
	{"SELECT 1 -- ; '\n+ 1; SELECT 2", []string{"SELECT 1 -- ; '\n+ 1", "SELECT 2"}},
	{"SELECT 1 - -1 / 2; SELECT 2 */**/ 3", []string{"SELECT 1 - -1 / 2", "SELECT 2 */**/ 3"}},
	{"SELECT 'a\n;\nb'; SELECT 2", []string{"SELECT 'a\n;\nb'", "SELECT 2"}},
	{"SELECT 'ü;' AS ü$$; SELECT 2", []string{"SELECT 'ü;' AS ü$$", "SELECT 2"}},
	{"SELECT 'open;", []string{"SELECT 'open;"}},
	{"SELECT \r\n1;\r\n", []string{"SELECT \r\n1"}},
}

func TestSplit(t *testing.T) {
	for _, test := range splits {
		if got, _, _ := split(test.script); !slices.Equal(got, test.want) {
			t.Errorf("%q: got %q, want %q", test.script, got, test.want)
		}
	}
}

func TestSplitCountsLines(t *testing.T) {
	_, lines, _ := split("-- a\n\nSELECT\n1; SELECT 'x\n\n'; /* y\n */ SELECT 3;\n\n\nSELECT 4")
	if want := []int{3, 4, 7, 10}; !slices.Equal(lines, want) {
		t.Errorf("got %v, want %v", lines, want)
	}
}

func TestUnfinished(t *testing.T) {
	for script, want := range map[string]bool{
		"":                 false,
		"SELECT 1;":        false,
		"SELECT 1; -- x\n": false,
		"SELECT 1; /* x\n": true,
		"SELECT 1\n":       true,
		"SELECT ';\n":      true,
	} {
		if _, _, got := split(script); got != want {
			t.Errorf("%q: got %v, want %v", script, got, want)
		}
	}
}

func TestTopLevelWords(t *testing.T) {
	for text, want := range map[string]string{
		"select a, (select b) from t -- update": "SELECT A FROM T",
		"WITH x AS (SELECT 1) INSERT INTO t":    "WITH X AS INSERT INTO T",
		"(SELECT 1)":                            "SELECT",
		"insert into t values ('returning')":    "INSERT INTO T VALUES",
		`update "select" set e=E'delete'`:       "UPDATE SET E",
	} {
		if got := strings.Join(topLevelWords(text), " "); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzSplit holds what is true of every script: nothing but semicolons, blanks and
// comments between statements is lost, and a statement split again is itself.
func FuzzSplit(f *testing.F) {
	for _, test := range splits {
		f.Add(test.script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		texts, lines, _ := split(script)
		rest := script
		for i, text := range texts {
			_, after, found := strings.Cut(rest, text)
			if text == "" || !found {
				t.Fatalf("statement %q is not in what follows the one before", text)
			}
			rest = after
			if i > 0 && lines[i] < lines[i-1] {
				t.Fatalf("lines %v go backwards", lines)
			}
			if again, _, _ := split(text); len(again) != 1 || again[0] != text {
				t.Fatalf("%q splits again into %q", text, again)
			}
		}
		topLevelWords(script)
	})
}
