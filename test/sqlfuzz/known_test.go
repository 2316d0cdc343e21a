package sqlfuzz

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// A known finding is DuckDB's own.
type known struct {
	reason string
	alone  string         // a statement that finds the same in DuckDB without saedb
	kind   string         // of that finding
	like   *regexp.Regexp // what a statement and its finding have where they are this one
	times  times          // of the statement alone
}

// knowns are findings of DuckDB alone, which are no fault of saedb's and no failure of
// TestStatements; TestKnown runs each in DuckDB without saedb. rules make none of these on
// purpose.
var knowns = []known{
	{
		reason: "DuckDB's functions of JSON recurse once a nesting, until the stack ends",
		alone:  "SELECT json_structure(repeat('[', 1000000) || repeat(']', 1000000)) IS NULL",
		kind:   crashes, like: regexp.MustCompile(`json_structure|json_transform|from_json`), times: usual,
	},
	{
		reason: "list_zip finds a constant vector in a constant list of NULLs that was cast",
		alone:  "SELECT len(list_zip([NULL]::FLOAT[], [1.0, 2.0]::FLOAT[2]))",
		kind:   internals, like: regexp.MustCompile(`(?s)list_zip\(.*Operation requires a flat vector`), times: usual,
	},
	{
		reason: "list_select takes a constant empty list for one vector a row",
		alone:  "SELECT list_select([]::FLOAT[], [1, 2, 3])",
		kind:   internals, like: regexp.MustCompile(`(?s)list_select\(.*Operation requires a flat vector`), times: usual,
	},
	{
		reason: "range makes its list without looking whether the statement was cancelled",
		alone:  "SELECT len(range(10000000))",
		kind:   late, like: regexp.MustCompile(`\brange\(\S*[0-9]{7}`), times: times{10 * time.Millisecond, 30 * time.Millisecond, time.Minute},
	},
	{
		reason: "repeat makes its text without looking whether the statement was cancelled",
		alone:  "SELECT len(repeat('a', 100000000))",
		kind:   late, like: regexp.MustCompile(`\brepeat\(.*[0-9]{7}`), times: times{10 * time.Millisecond, 30 * time.Millisecond, time.Minute},
	},
}

// isKnown is the reason of a finding that is on the list, "" for others.
func isKnown(s *statement, f *finding) string {
	query, _ := s.sql("")
	for _, k := range knowns {
		if k.kind == f.kind && k.like.MatchString(query+"\n"+f.detail) {
			return k.reason
		}
	}
	return ""
}

// whose says which of these functions a statement calls: where it calls none, the finding is
// DuckDB's, and for the list.
func whose(s *statement, names []string) string {
	query, _ := s.sql("")
	if s.predicate != nil {
		query, _ = s.sql("(p)")
	}
	var called []string
	for _, name := range names {
		if regexp.MustCompile(`\b` + name + `\(`).MatchString(query) {
			called = append(called, name)
		}
	}
	if len(called) == 0 {
		return "It calls no function of saedb's: DuckDB's own?"
	}
	return "It calls " + strings.Join(called, ", ")
}

// simple is a statement of one text, with a predicate where one is given.
func simple(query, predicate string) *statement {
	s := &statement{query: text(query), stable: true}
	if predicate != "" {
		s.predicate = text(predicate)
	}
	return s
}

// TestKnown: what is on the list is still found in DuckDB alone; an entry that is not leaves
// the list.
func TestKnown(t *testing.T) {
	for _, k := range knowns {
		r := &runner{path: plain, times: k.times}
		s := simple(k.alone, "")
		found := r.check(s)
		r.close()
		if found == nil || found.kind != k.kind {
			t.Errorf("%s: expected that it %s in DuckDB alone, found %v (take it off the list)", k.alone, k.kind, found)
		} else if isKnown(s, found) != k.reason {
			t.Errorf("%s: %v is not recognised", k.alone, found)
		}
	}
}

// TestOracle plants a fault of each kind, in DuckDB alone, and expects that it is found.
func TestOracle(t *testing.T) {
	r := &runner{path: plain}
	defer r.close()
	const slow = "SELECT len(range(10000000))" // no cancellation ends it
	hasty := times{10 * time.Millisecond, 30 * time.Millisecond, time.Minute}
	impatient := times{10 * time.Millisecond, 30 * time.Millisecond, 20 * time.Millisecond}
	for name, c := range map[string]struct {
		s     *statement
		kind  string
		times times
	}{
		"nothing":       {simple("SELECT range, [range, NULL], 'nan'::DOUBLE FROM range(100)", "range % 3 = nullif(range % 5, 1)"), "", usual},
		"an error":      {simple("SELECT error('of its own')", ""), "", usual},
		"random":        {simple("SELECT random()", ""), changes, usual},
		"predicate":     {simple("SELECT range FROM range(100)", "random() < 0.5"), divided, usual},
		"threads":       {simple("SELECT current_setting('threads')", ""), threaded, usual},
		"late":          {simple(slow, ""), late, hasty},
		"stuck":         {simple(slow, ""), stuck, impatient},
		"message":       {simple("SELECT error('INTERNAL Error: Attempted to access index 3')", ""), internals, usual},
		"panic":         {simple("SELECT error('internal error: runtime error: index out of range')", ""), internals, usual},
		"ended process": {simple(knowns[0].alone, ""), crashes, usual},
	} {
		r.times = c.times
		kind := ""
		if found := r.check(c.s); found != nil {
			kind = found.kind
		}
		if kind != c.kind {
			t.Errorf("%s: expected %q, found %q", name, c.kind, kind)
		}
	}
}

// TestMinimise: what is left of a statement is what is wrong with it.
func TestMinimise(t *testing.T) {
	r := &runner{path: plain, times: usual}
	defer r.close()
	value := func(s string) *node { return &node{kind: "d", parts: []string{s}} }
	s := &statement{stable: true, query: &node{
		parts: []string{"SELECT ", "", " FROM range(3) r(i)", ""},
		kids: []*node{
			{kind: "d", parts: []string{"abs(", " + ", ")"}, kids: []*node{value("random()"), value("i")}},
			{parts: []string{", i"}, optional: true},
			{parts: []string{" WHERE ", " > 1"}, kids: []*node{value("i")}, optional: true},
		},
	}}
	r.minimise(s, changes)
	if query, _ := s.sql(""); query != "SELECT random() FROM range(3) r(i)" {
		t.Errorf("found %s", query)
	}
}

// TestSeeds: a seed and a number are one statement, and others are others.
func TestSeeds(t *testing.T) {
	views := []view{{"v", []column{{"w", "w"}, {"model", "m"}}}}
	texts := map[string]bool{}
	for number := range uint64(200) {
		one, _ := generate(views, 1, number).sql("")
		if again, _ := generate(views, 1, number).sql(""); again != one {
			t.Fatalf("statement %d is %s, and then %s", number, one, again)
		}
		if other, _ := generate(views, 2, number).sql(""); other == one {
			t.Errorf("statement %d of two seeds is %s", number, one)
		}
		texts[one] = true
	}
	if len(texts) < 190 {
		t.Errorf("%d different statements of 200", len(texts))
	}
}
