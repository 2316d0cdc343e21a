package figures

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDrawable: what is said to be drawable of columns is drawn of them, and what is not is not.
func TestDrawable(t *testing.T) {
	db := open(t)
	one := map[string]string{number: "1", text: "'x'"}
	for name, alternatives := range drawnOf {
		for _, needed := range alternatives {
			for left := -1; left < len(needed); left++ { // which column is missing; none first
				var selected []string
				var columns []QueryColumn
				for i, c := range needed {
					if i != left {
						value, kind := one[map[bool]string{true: number, false: text}[c.kind != text]], map[bool]string{true: "INTEGER", false: "VARCHAR"}[c.kind != text]
						if c.name == "member" {
							value, kind = "i = 3", "BOOLEAN"
						}
						if c.kind == number {
							value = "i + 1"
						}
						selected, columns = append(selected, value+" AS "+c.name), append(columns, QueryColumn{c.name, kind})
					}
				}
				query := "SELECT " + strings.Join(append(selected, "i"), ", ") + " FROM range(10) r(i)"
				_, err := Build(t.Context(), db, Request{Name: name, Query: query, Feature: -1})
				if said := slices.Contains(Drawable(columns), name); said != (err == nil) {
					t.Errorf("%s of %s is said to be drawable: %v; found %v", name, query, said, err)
				}
			}
		}
	}
	for _, k := range Kinds {
		if drawnOf[k.Name] == nil && k.Name != "sets" {
			t.Errorf("%s: nothing says what it is drawn of", k.Name)
		}
	}
	for columns, want := range map[string][]string{
		"a VARCHAR":                         {"bar"},
		"SKEWNESS DOUBLE":                   {"skewness", "bar", "histogram"},
		"skewness VARCHAR":                  {"bar"},
		"a INTEGER,b DECIMAL(9,2),c BLOB":   {"scatter", "line", "bar", "histogram"},
		"layer INTEGER,std FLOAT":           {"layers", "layer-box", "scatter", "line", "bar", "histogram"},
		"rank BIGINT,member BOOLEAN,f BLOB": {"running-sum", "bar", "histogram"},
	} {
		var of []QueryColumn
		for _, c := range strings.Split(strings.ReplaceAll(columns, "9,2", "9;2"), ",") {
			name, kind, _ := strings.Cut(c, " ")
			of = append(of, QueryColumn{name, strings.ReplaceAll(kind, ";", ",")})
		}
		if got := fmt.Sprint(Drawable(of)); got != fmt.Sprint(want) {
			t.Errorf("%s: expected %v, found %v", columns, want, got)
		}
	}
	if got := Drawable(nil); got != nil {
		t.Errorf("of nothing: %v", got)
	}
}
