package notes

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb"
)

func put(t *testing.T, s *Store, notes ...Note) {
	t.Helper()
	for _, n := range notes {
		if err := s.Put(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
}

// texts are the notes of a store, without when they were written.
func texts(t *testing.T, s *Store) []Note {
	t.Helper()
	kept, err := s.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	notes := slices.Clone(kept.Notes) // the store keeps its own
	for i, n := range notes {
		if n.Changed.IsZero() {
			t.Errorf("%v was written at no time", n)
		}
		notes[i].Changed = Note{}.Changed
	}
	return notes
}

// TestNotes: what is written is read again by this store and another of the same file, once a
// feature, until nothing is left of it; a file is made for it, and not before.
func TestNotes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.notes.db")
	s, other := New(path), New(path)
	if notes := texts(t, s); notes != nil {
		t.Errorf("there are %v before any is written", notes)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("reading made a file")
	}
	hostile := "'); DROP TABLE notes; --\n<script>alert(1)</script>\u202e"
	first := Note{SAE: "r/a", Feature: 7, Starred: true}
	second := Note{SAE: "r/b's", Feature: 0, Label: hostile, Note: strings.Repeat("é", 10_000)}
	put(t, s, second, first)
	for _, one := range []*Store{s, other} {
		if notes := texts(t, one); !slices.Equal(notes, []Note{first, second}) {
			t.Errorf("read %v", notes)
		}
	}
	first.Starred, first.Note = false, "changed"
	put(t, other, first)
	second.Label, second.Note = " ", ""
	put(t, s, second) // says nothing
	for _, one := range []*Store{s, other} {
		if notes := texts(t, one); !slices.Equal(notes, []Note{first}) {
			t.Errorf("then read %v", notes)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the file there are %v, %v", entries, err)
	}
}

// TestTables: my_notes has in SQL what was written.
func TestTables(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "a.notes.db"))
	for _, want := range []int{0, 2} {
		db, err := saedb.Open(t.Context(), "", saedb.Options{Connected: func() string { return s.Tables(t.Context()) }})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var count, quoted int
		if err := db.QueryRow(`SELECT count(*), count(*) FILTER (label = 'it''s' AND note IS NULL AND starred AND changed_at > '2020-01-01') FROM my_notes`).Scan(&count, &quoted); err != nil {
			t.Fatal(err)
		}
		if count != want || quoted != want/2 {
			t.Errorf("my_notes has %d rows, %d with a quote; want %d", count, quoted, want)
		}
		put(t, s, Note{SAE: "r/'a", Feature: 1, Starred: true, Label: "it's"}, Note{SAE: "r/a", Feature: 2, Note: "n"})
	}
}

// TestQueries: a query is kept under its name until it is emptied.
func TestQueries(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "a.notes.db"))
	for _, step := range []struct{ name, query, want string }{
		{"b", "SELECT 1", "b: SELECT 1"},
		{" a ", "SELECT ';'", "a: SELECT ';', b: SELECT 1"},
		{"b", "SELECT 2", "a: SELECT ';', b: SELECT 2"},
		{"a", "\n", "b: SELECT 2"},
	} {
		if err := s.Save(t.Context(), step.name, step.query); err != nil {
			t.Fatal(err)
		}
		kept, err := s.All(t.Context())
		var got []string
		for _, q := range kept.Queries {
			got = append(got, q.Name+": "+q.Query)
		}
		if err != nil || strings.Join(got, ", ") != step.want {
			t.Errorf("after %q: %v, %v, want %s", step, got, err, step.want)
		}
	}
}

// TestRefused: what cannot be kept is refused, and what was kept stays.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	s := New(filepath.Join(dir, "a.notes.db"))
	put(t, s, Note{SAE: "a", Feature: 1, Label: "first"})
	for want, refused := range map[string]error{
		"label: expected at most 200 characters, found 201":    s.Put(t.Context(), Note{SAE: "a", Feature: 1, Label: strings.Repeat("é", 201)}),
		"note: expected at most 10000 characters, found 10001": s.Put(t.Context(), Note{SAE: "a", Feature: 1, Note: strings.Repeat("x", 10_001)}),
		"note: expected text in UTF-8 without NUL":             s.Put(t.Context(), Note{SAE: "a", Feature: 1, Note: "a\x00b"}),
		"name: expected a name, found none":                    s.Save(t.Context(), " ", "SELECT 1"),
		"o such file or directory":                             New(filepath.Join(dir, "none", "a.db")).Put(t.Context(), Note{SAE: "a", Starred: true}),
	} {
		if refused == nil || !strings.Contains(refused.Error(), want) {
			t.Errorf("%v, want %s", refused, want)
		}
	}
	if notes := texts(t, s); !slices.Equal(notes, []Note{{SAE: "a", Feature: 1, Label: "first"}}) {
		t.Errorf("then there are %v", notes)
	}
	broken := New(filepath.Join(dir, "broken.db"))
	if err := os.WriteFile(broken.Path(), []byte("no database"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := broken.All(t.Context()); err == nil || !strings.Contains(err.Error(), "broken.db") {
		t.Errorf("a file that is none: %v", err)
	}
	if text := broken.Tables(t.Context()); text != "" {
		t.Errorf("it has tables: %s", text)
	}
}

// TestBeside: the file has the database's name, and one of its own.
func TestBeside(t *testing.T) {
	for database, want := range map[string]string{
		"features.db": "features.notes.db", "/a.b/x.duckdb": "/a.b/x.notes.duckdb", "features": "features.notes.db", "a.notes.db": "a.notes.notes.db",
	} {
		if got := Beside(database); got != want {
			t.Errorf("%s: %s, want %s", database, got, want)
		}
	}
}
