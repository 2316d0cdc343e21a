package box

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/saedb/saedb/internal/figures"
)

// TestPlacesOfErrors: an error says where it is in the query as it was written, in every way that
// a query is run. The places are those of the word that is wrong, or of what DuckDB blames.
func TestPlacesOfErrors(t *testing.T) {
	b := open(t, Options{Path: database(t), Time: 20 * time.Second})
	long := strings.Repeat("n + ", 100)
	for _, c := range []struct{ query, word string }{
		{"SELECT nope FROM numbers", "nope"},
		{"SELECT n,\n  nope\nFROM numbers", "nope"},
		{"\n\nSELECT n,\n\tn AS tab,\tnope\nFROM numbers", "nope"},
		{"SELECT '漢字漢字 ␣ é', nope FROM numbers", "nope"},
		{"SELECT " + long + "nope + " + long + "1 FROM numbers", "nope"},
		{"SELECT '...', nope, '...'\nFROM numbers -- ...", "nope"},
		{"SELECT n FROM nowhere", "nowhere"},
		{"SELECT n,\n  no_function(n)\nFROM numbers", "no_function"},
		{"WITH a AS (SELECT 1 AS x)\nSELECT y FROM a -- LINE 7: y", "y FROM"},
		// What is no SQL at all, by the parser alone.
		{"SELECT n,\n  rest\nFORM numbers", "numbers"},
		{"SELECT '漢字', n FROM numbers)", ")"},
		{"SELECT n\nFROM numbers WHERE (n = 1", ""},
	} {
		line, column := 1, 1
		for _, r := range c.query[:strings.Index(c.query, c.word)] {
			if column++; r == '\n' {
				line, column = line+1, 1
			}
		}
		if c.word == "" { // at the end
			line, column = 2, len("FROM numbers WHERE (n = 1")+1
		}
		check := func(way string, err error) {
			var placed *Error
			if !errors.As(err, &placed) {
				t.Fatalf("%s %s: %v", way, c.query, err)
			}
			if placed.Line != line || placed.Column != column || placed.Text != strings.Split(c.query, "\n")[line-1] || strings.Contains(placed.Message, "LINE") {
				t.Errorf("%s %q: expected line %d, column %d, found %+v", way, c.query, line, column, placed)
			}
		}
		_, err := b.Rows(t.Context(), c.query)
		check("rows", err)
		_, err = b.CSV(t.Context(), c.query)
		check("CSV", err)
		_, err = b.Parquet(t.Context(), c.query)
		check("Parquet", err)
		_, err = b.Figure(t.Context(), figures.Request{Name: "skewness", Feature: -1}, c.query)
		check("figure", err)
	}
	// What DuckDB makes of a PIVOT is not what was written, and has its places elsewhere.
	var placed *Error
	if _, err := b.Rows(t.Context(), "PIVOT numbers ON nope USING count(*)"); !errors.As(err, &placed) || placed.Line != 0 || !strings.Contains(placed.Message, "nope") {
		t.Errorf("a pivot: %+v", err)
	}
	_, err := b.Rows(t.Context(), "SELECT\n 漢, nope FROM numbers")
	if want := "\n\nLINE 2:  漢, nope FROM numbers\n         ^"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("expected %q, found %v", want, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, answer := range []string{"", "x", `{"line":-1}`, `{"line":1}`, `{"column":1}`, `{"line":1,"column":9,"text":"a"}`, `{"line":1,"column":-2,"text":"abc"}`, `{"line":-1,"column":-1}`} {
		if err := read([]byte(answer)); err == nil || err.Error() == "\n\n" {
			t.Errorf("%s is %v", answer, err)
		}
	}
	if err := read([]byte(`{"error":"wrong","line":1,"column":3,"text":"ab"}`)); err.Error() != "wrong\n\nLINE 1: ab\n          ^" {
		t.Errorf("%q", err)
	}
}
