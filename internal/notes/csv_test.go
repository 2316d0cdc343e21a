package notes

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func anything(Note) error { return nil }

// TestCSV: what is written is read again, to the second.
func TestCSV(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := []Note{
		{SAE: "r/a", Feature: 0, Starred: true, Changed: at},
		{SAE: "r/b's", Feature: 1<<31 - 1, Label: `a, "b"`, Note: "two\nlines, é", Changed: at.Add(time.Hour)},
	}
	var file strings.Builder
	if err := WriteCSV(&file, want); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadCSV(strings.NewReader(file.String()), time.Now(), anything); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v of %s", got, err, file.String())
	}
	for _, text := range []string{"2026-01-02 03:04:05.000", "2026-01-02T03:04:05Z", "2026-01-02T04:04:05+01:00", "2026-01-02T03:04:05", ""} {
		got, err := ReadCSV(strings.NewReader("\ufeffNOTE,changed_at,starred, label,feature,sae\r\n,"+text+",TRUE,,7,r/a\r\n"), at, anything)
		if err != nil || !slices.Equal(got, []Note{{SAE: "r/a", Feature: 7, Starred: true, Changed: at}}) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

// TestCSVRefused: an error names the line and the column, and what was expected there.
func TestCSVRefused(t *testing.T) {
	const header = "sae,feature,starred,label,note,changed_at\n"
	for _, c := range []struct{ file, want string }{
		{"", "line 1: expected the columns sae, feature, starred, label, note and, if times are known, changed_at, found an empty file"},
		{"sae,feature,starred,label\n", "line 1, column note: expected the columns"},
		{"sae,feature,starred,label,note,color\n", "line 1, column 6: expected the columns"},
		{"sae,feature,starred,label,note,SAE\n", "line 1, column 6: expected the columns"},
		{header + "a,1,true,,\n", "line 2: expected 6 values, as the first line has columns, found 5"},
		{header + "a,1,true,,,\n,1,true,,,\n", "line 3, column sae: expected an SAE's name, release/name, found nothing"},
		{header + "a,-1,true,,,\n", `line 2, column feature: expected a feature's index, a whole number from 0, found "-1"`},
		{header + "a,2147483648,true,,,\n", "line 2, column feature"},
		{header + "a,1.0,true,,,\n", "line 2, column feature"},
		{header + "a,1,yes,,,\n", `line 2, column starred: expected true or false, found "yes"`},
		{header + "a,1,,,\"x\n\ny\",\na,2,,,,\n", "line 5, column starred: expected a star, a label or a note, found none of them"},
		{header + "a,1,," + strings.Repeat("é", 201) + ",,\n", "line 2, column label: expected at most 200 characters, found 201"},
		{header + "a,1,,,a\x00b,\n", "line 2, column note: expected text in UTF-8 without NUL, found other bytes"},
		{header + "a,1,,,\xff,\n", "line 2, column note: expected text in UTF-8 without NUL, found other bytes"},
		{header + "a,1,true,,,yesterday\n", `line 2, column changed_at: expected a time such as 2026-01-31 23:59:59, found "yesterday"`},
		{header + "a,1,true,,,\nb,1,true,,,\na,1,,x,,\n", "line 4, column feature: expected each feature once, found 1 of a as on line 2"},
		{header + "a,1,true,\"x,,\n", "expected CSV: parse error on line 2, column 15"},
	} {
		got, err := ReadCSV(strings.NewReader(c.file), time.Now(), anything)
		if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, %v, want %s", c.file, got, err, c.want)
		}
	}
}

// TestMerge: notes that come take the place of those of the same features if one says so, others stay,
// and nothing is written before it is said what becomes of those that differ.
func TestMerge(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "a.notes.db"))
	first, same, other := Note{SAE: "a", Feature: 1, Label: "mine"}, Note{SAE: "a", Feature: 2, Starred: true}, Note{SAE: "b", Feature: 1, Note: "stays"}
	put(t, s, first, same, other)
	changed, added := Note{SAE: "a", Feature: 1, Label: "theirs"}, Note{SAE: "a", Feature: 3, Note: "it's"}
	come := []Note{changed, same, added}
	for i := range come {
		come[i].Changed = time.Now()
	}
	for _, step := range []struct {
		differing Differing
		written   bool
		counts    [3]int // added, same, differing
		want      []Note
	}{
		{AskDiffering, false, [3]int{1, 1, 1}, []Note{first, same, other}},
		{KeepDiffering, true, [3]int{1, 1, 1}, []Note{first, same, added, other}},
		{ReplaceDiffering, true, [3]int{0, 2, 1}, []Note{changed, same, added, other}},
		{AskDiffering, true, [3]int{0, 3, 0}, []Note{changed, same, added, other}},
	} {
		m, err := s.Merge(t.Context(), come, step.differing)
		if err != nil || m.Written != step.written || [3]int{m.Added, m.Same, len(m.Differ)} != step.counts {
			t.Errorf("%q: %+v, %v", step.differing, m, err)
		}
		if got := texts(t, s); !slices.Equal(got, step.want) {
			t.Errorf("%q: there are %v, want %v", step.differing, got, step.want)
		}
	}
	if _, err := s.Merge(t.Context(), come, "both"); err == nil || !strings.Contains(err.Error(), `expected replace or keep, found "both"`) {
		t.Errorf("another choice: %v", err)
	}
}
