package procedures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/internal/operations"
)

// example is a procedure that takes an argument of each kind.
var example = procedure{name: "saedb_example", takes: []parameter{
	{"path", text}, {"replace", flag}, {"layer", integer}, {"cap", number}, {"names", lines}, {"family", commas},
}}

// TestProcedures: names differ, what is given by position is there, and no argument stands twice.
func TestProcedures(t *testing.T) {
	names := map[string]bool{}
	for _, p := range append(slices.Clone(all), cancel, begin, next, end, list) {
		if names[p.name] || !strings.HasPrefix(p.name, "saedb_") {
			t.Errorf("%s: the name is not its own", p.name)
		}
		names[p.name] = true
		if p.first > len(p.takes) || len(p.columns) == 0 || p.run == nil {
			t.Errorf("%s: %d by position of %d, %d columns", p.name, p.first, len(p.takes), len(p.columns))
		}
		taken := map[string]bool{}
		for _, parameter := range p.takes {
			if taken[parameter.name] {
				t.Errorf("%s takes %s twice", p.name, parameter.name)
			}
			taken[parameter.name] = true
		}
	}
}

// TestDecode: arguments as JSON become what a call gives, and what is none of them is refused.
func TestDecode(t *testing.T) {
	for object, want := range map[string]string{
		`{}`: "map[]",
		`{"path": "a b", "replace": true, "layer": 3, "cap": 1e-3, "names": ["x", "y"], "family": ["p", "q"]}`: "map[cap:1e-3 family:p,q layer:3 names:x\ny path:a b replace:true]",
		`{"layer": null, "names": []}`: "map[names:]",
		`{"layer": 9007199254740993}`:  "map[layer:9007199254740993]",
		`{"other": 1}`:                 "saedb_example: other: there is no argument of that name",
		`{"family": ["a,b"]}`:          `saedb_example: family: expected commas, found "a,b"`,
		`{"names": ["a\nb"]}`:          `saedb_example: names: expected lines, found "a\nb"`,
		`{"path": ["a"]}`:              `saedb_example: path: expected text, found "a"`,
		`[1]`:                          "arguments: expected a JSON object, found something else",
		`{"path": `:                    "arguments: expected a JSON object, found something else",
	} {
		given, err := example.decode(object)
		got := fmt.Sprint(given)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || err == nil && got != want {
			t.Errorf("%s: %s, want %s", object, got, want)
		}
	}
}

// TestCheck: an argument is of its kind, or left out.
func TestCheck(t *testing.T) {
	for _, c := range []struct{ name, good, bad, expected string }{
		{"replace", " true FALSE", "yes 1", "true or false"},
		{"layer", " 0 2147483647", "-1 x 1.5 2147483648", "a number from 0 on"},
		{"cap", " 0 -1.5 1e300", "x NaN Inf -inf 1e999", "a finite number"},
		{"path", " anything", "", ""},
	} {
		for _, good := range strings.Split(c.good, " ") {
			if err := example.check(arguments{given: map[string]string{c.name: good}}); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		for _, bad := range strings.Fields(c.bad) {
			err := example.check(arguments{given: map[string]string{c.name: bad}})
			var said *fault.Error
			if !errors.As(err, &said) || said.Op != example.name || said.Subject != c.name || said.Expected != c.expected {
				t.Errorf("%s %s: %v, want %s", c.name, bad, err, c.expected)
			}
		}
	}
}

// TestArguments: arguments by their kinds, and what stands for those that are left out.
func TestArguments(t *testing.T) {
	a := arguments{given: map[string]string{"replace": "TRUE", "layer": "3", "cap": "0.5", "names": "a, b\n\nc", "family": "p, q ,,r"}}
	if !a.flag("replace") || a.flag("other") || a.integer("layer", -1) != 3 || a.integer("other", -1) != -1 || *a.number("cap") != 0.5 || a.number("other") != nil {
		t.Errorf("%v is not read", a.given)
	}
	if names := a.lines("names"); !slices.Equal(names, []string{"a, b", "c"}) {
		t.Errorf("lines: %q", names)
	}
	if families := a.commas("family"); !slices.Equal(families, []string{"p", "q", "r"}) {
		t.Errorf("commas: %q", families)
	}
	for given, want := range map[string]string{"": "a", "3": "layer_3"} {
		sae := "a"
		if given != "" {
			sae = ""
		}
		if words, err := (arguments{given: map[string]string{"sae": sae, "layer": given}}).saes(); err != nil || words != want {
			t.Errorf("layer %q: %q, %v, want %s", given, words, err, want)
		}
	}
	if _, err := (arguments{given: map[string]string{"sae": "a", "layer": "3"}}).saes(); err == nil {
		t.Error("layer and sae go together")
	}
	for _, bad := range []string{"x", "-1", "1"} {
		if _, err := (arguments{given: map[string]string{"baseline": bad}}).baseline(); err == nil {
			t.Errorf("a baseline of %s directions", bad)
		}
	}
}

// TestCheckOptions: a figure takes its own options alone.
func TestCheckOptions(t *testing.T) {
	for _, c := range []struct {
		figure string
		given  map[string]string
		want   string // what the error has in it, empty for none
	}{
		{"skewness", map[string]string{"bins": "20", "database": "d", "unsigned": "false"}, ""},
		{"skewness", map[string]string{"top_k": "3"}, "top_k: this figure does not take it"},
		{"manhattan", map[string]string{"label_threshold": "2", "set": "a\nb\nc"}, ""},
		{"sets", map[string]string{"set": "a\nb"}, ""},
		{"sets", map[string]string{"set": "a"}, "two token sets, found 1"},
		{"feature", map[string]string{"feature": "7", "set": "a"}, ""},
		{"running-sum", map[string]string{"feature": "7", "set": "a"}, ""},
		{"running-sum", map[string]string{"set": "a"}, "the number of a feature and a token set"},
		{"nothing", map[string]string{"set": "a"}, ""}, // Build says so
	} {
		err := checkOptions(c.figure, arguments{given: c.given})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %v: %v, want %s", c.figure, c.given, err, c.want)
		}
	}
}

// TestDescribe: an error says of what kind it is, for a client to make its own of it.
func TestDescribe(t *testing.T) {
	for want, err := range map[string]error{
		"argument":    &fault.Error{Op: "load", Subject: "--replace", Problem: "no"},
		"missing":     fault.At("load", "a", fs.ErrNotExist),
		"hub":         &operations.HubError{Err: fault.At("load", "path", io.ErrUnexpectedEOF)},
		"internal":    &fault.Error{Op: "load", Err: errors.New("internal error: x")},
		"interrupted": fmt.Errorf("load: %w", context.Canceled),
		"other":       fault.At("load", "elsewhere", io.EOF),
	} {
		if f := example.describe(err); f.Kind != want || f.Text != err.Error() {
			t.Errorf("%v: %+v, want %s", err, f, want)
		}
	}
}

// TestReceived: parts in their order are one file, which is taken once.
func TestReceived(t *testing.T) {
	var r received
	for _, part := range []string{"abc", "", "defg"} {
		size := int64(0)
		if m := r.images["h"]; m != nil {
			size = m.size()
		}
		if _, err := r.add("h", size, []byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.add("h", 3, []byte("x")); err == nil {
		t.Error("a part in the middle was taken")
	}
	m := r.images["h"]
	if whole, err := io.ReadAll(io.NewSectionReader(m, 0, m.size())); err != nil || string(whole) != "abcdefg" {
		t.Errorf("%q, %v", whole, err)
	}
	if n, err := m.ReadAt(make([]byte, 4), 5); n != 2 || err != io.EOF {
		t.Errorf("at the end: %d bytes, %v", n, err)
	}
	if size, err := r.add("h", -1, nil); size != 0 || err != nil || len(r.images) != 0 {
		t.Errorf("dropped: %d, %v, %v", size, err, slices.Collect(maps.Keys(r.images)))
	}
	if _, _, err := r.take("h", "source"); err == nil {
		t.Error("what was dropped was taken")
	}
}

// TestTold: how far work is, and notes once each.
func TestTold(t *testing.T) {
	var told told
	add, end := told.counted("features", 10, "features")
	add(3)
	told.note("a")
	if at, notes := told.take(); at == nil || *at != (progress{"features", 3, 10, "features"}) || !slices.Equal(notes, []string{"a"}) {
		t.Errorf("%v, %v", at, notes)
	}
	end()
	add(1)
	if at, notes := told.take(); at != nil || notes != nil {
		t.Errorf("after the end: %v, %v", at, notes)
	}
	told.download("dir/weights.safetensors", 1, 2)
	if at, _ := told.take(); at == nil || at.What != "weights.safetensors" {
		t.Errorf("download: %v", at)
	}
	told.download("dir/weights.safetensors", 2, 2)
	if at, _ := told.take(); at != nil {
		t.Errorf("after the download: %v", at)
	}
}
