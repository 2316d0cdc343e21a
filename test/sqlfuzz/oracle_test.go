package sqlfuzz

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// A finding is what is wrong with a statement; kind is the same for findings alike.
type finding struct{ kind, detail string }

// What can be found.
const (
	crashes   = "ends the process"
	stuck     = "does not end"
	late      = "ends late"
	internals = "internal error"
	changes   = "changes from run to run"
	threaded  = "depends on the number of threads"
	divided   = "is not what a predicate divides it into"
)

// times are those of a statement: after limit it is cancelled, after lag more it is late, and
// after grace its process is ended. saedb's functions stop within 200 ms; lag is that of a busy
// machine and of DuckDB's own functions.
type times struct{ limit, lag, grace time.Duration }

var usual = times{time.Second, 5 * time.Second, 10 * time.Second}

// patient is for sanitizers, with which all takes several times as long.
var patient = times{time.Second, 20 * time.Second, time.Minute}

// A runner runs statements in a child, and starts another where one has ended.
type runner struct {
	path  string // of the database, or plain
	times times
	child *child
	tally tally
}

// A tally counts what was run.
type tally struct {
	Statements, Runs, Errors, Over, Repeated, Threaded, Divided int
	Causes                                                      map[string]int // of errors
	Latest                                                      answer         // which came latest after the statement was cancelled
}

func (t *tally) add(o tally) {
	t.Statements, t.Runs, t.Errors, t.Over = t.Statements+o.Statements, t.Runs+o.Runs, t.Errors+o.Errors, t.Over+o.Over
	t.Repeated, t.Threaded, t.Divided = t.Repeated+o.Repeated, t.Threaded+o.Threaded, t.Divided+o.Divided
	if t.Causes == nil {
		t.Causes = map[string]int{}
	}
	for cause, n := range o.Causes {
		t.Causes[cause] += n
	}
	t.latest(o.Latest)
}

// latest keeps the later one of two answers.
func (t *tally) latest(a answer) {
	if a.Late > t.Latest.Late {
		t.Latest = a
	}
}

func (r *runner) close() {
	if r.child != nil {
		r.child.close()
		r.child = nil
	}
}

// run runs a form of a statement once. ok says that it has an answer that can be compared.
func (r *runner) run(s *statement, form string, threads int) (a answer, ok bool, found *finding) {
	if r.child == nil {
		c, err := start(r.path)
		if err != nil {
			return a, false, &finding{crashes, "no process: " + err.Error()}
		}
		r.child = c
	}
	query, arguments := s.sql(form)
	r.tally.Runs++
	a, err := r.child.ask(question{SQL: query, Arguments: arguments, Threads: threads, Limit: r.times.limit}, r.times.grace)
	switch {
	case errors.Is(err, errStuck):
		r.child = nil
		return a, false, &finding{stuck, err.Error()}
	case err != nil:
		r.child = nil
		return a, false, &finding{crashes, err.Error()}
	}
	if isInternal(a.Error) {
		r.close() // DuckDB lets nothing more be done after one of its own
		message, _, _ := strings.Cut(a.Error, "\nStack Trace")
		return a, false, &finding{internals, strings.TrimSpace(message)}
	}
	r.tally.latest(a)
	if a.Late > r.times.lag {
		return a, false, &finding{late, a.afterwards()}
	}
	return a, a.Error == "" && !a.Over, nil
}

// afterwards says how much later than its cancellation a statement ended. Where other work has the
// processors, that is long though it used little of them.
func (a answer) afterwards() string {
	return fmt.Sprintf("%.1f s after it was cancelled, of processor time %.1f s", a.Late.Seconds(), a.Used.Seconds())
}

// isInternal says whether an error is a mistake of the program's, not of the statement's.
func isInternal(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "internal error") || strings.Contains(message, "runtime error:") ||
		strings.Contains(message, "nil pointer") || strings.Contains(message, "goroutine ")
}

// check runs a statement in all ways that tell something.
func (r *runner) check(s *statement) *finding {
	r.tally.Statements++
	a, ok, found := r.run(s, "", 1)
	if found != nil {
		return found
	}
	if a.Over {
		r.tally.Over++
		return nil
	}
	if a.Error != "" {
		r.tally.Errors++
		if r.tally.Causes == nil {
			r.tally.Causes = map[string]int{}
		}
		r.tally.Causes[cause(a.Error)]++
	}
	if s.predicate != nil {
		if found := r.divide(s, a, ok && s.stable); found != nil {
			return found
		}
	}
	if !ok || !s.stable {
		return nil
	}
	for _, threads := range []int{1, 4} {
		again, ok, found := r.run(s, "", threads)
		if found != nil {
			return found
		}
		if !ok {
			continue // an error where another order of rows, or of conditions, meets it first
		}
		kind := changes
		if threads == 1 {
			r.tally.Repeated++
		} else {
			r.tally.Threaded++
			kind = threaded
		}
		if again.Rows != a.Rows || again.Sum != a.Sum {
			return &finding{kind, fmt.Sprintf("%d rows, sum of hashes %x, and then with %d threads %d rows, %x", a.Rows, a.Sum, threads, again.Rows, again.Sum)}
		}
	}
	return nil
}

// divide runs the statement with its predicate true, false and NULL: these are all its rows
// (ternary logic partitioning: Rigger and Su, OOPSLA 2020).
func (r *runner) divide(s *statement, whole answer, compare bool) *finding {
	var parts answer
	var each []int
	for _, form := range []string{"(p)", "NOT (p)", "(p) IS NULL"} {
		a, ok, found := r.run(s, form, 1)
		if found != nil {
			return found
		}
		if !ok {
			compare = false
		}
		parts.Rows, parts.Sum, each = parts.Rows+a.Rows, parts.Sum+a.Sum, append(each, a.Rows)
	}
	if !compare {
		return nil
	}
	r.tally.Divided++
	if parts.Rows != whole.Rows || parts.Sum != whole.Sum {
		return &finding{divided, fmt.Sprintf("%d rows, sum of hashes %x; %v where the predicate is true, false and NULL, %x", whole.Rows, whole.Sum, each, parts.Sum)}
	}
	return nil
}

var digits = regexp.MustCompile(`^[A-Z][A-Za-z ]* Error`)

// cause is DuckDB's kind of an error, or that it is saedb's own.
func cause(message string) string {
	if found := digits.FindString(message); found != "" {
		return found
	}
	return "saedb's own"
}

// minimise makes a statement with a finding smaller, as long as it has a finding of that kind:
// optional parts are left out, expressions replaced by a part of theirs, or NULL.
func (r *runner) minimise(s *statement, kind string) {
	end := time.Now().Add(time.Minute)
	same := func() bool {
		found := r.check(s)
		return found != nil && found.kind == kind
	}
	if s.predicate != nil && kind != divided {
		predicate := s.predicate
		if s.predicate = nil; !same() {
			s.predicate = predicate
		}
	}
	for smaller := true; smaller; {
		smaller = false
		for _, n := range append(nodes(s.query), nodes(s.predicate)...) {
			if time.Now().After(end) {
				return
			}
			if n.optional && !n.gone {
				if n.gone = true; same() {
					smaller = true
					continue
				}
				n.gone = false
			}
			if n.kind == "" || len(n.kids) == 0 {
				continue
			}
			before := *n
			for _, kid := range append(ofKind(n, n.kind), &node{kind: n.kind, parts: []string{"NULL"}}) {
				optional := n.optional
				*n = *kid
				n.optional = optional
				if same() {
					smaller = true
					break
				}
				*n = before
			}
		}
	}
}

// nodes are a node and all within it, outer ones first.
func nodes(n *node) []*node {
	if n == nil || n.gone {
		return nil
	}
	all := []*node{n}
	for _, kid := range n.kids {
		all = append(all, nodes(kid)...)
	}
	return all
}

// ofKind are the expressions of a kind within a node, but for the node itself.
func ofKind(n *node, kind string) []*node {
	var fit []*node
	for _, one := range nodes(n)[1:] {
		if one.kind == kind || kind == "x" && one.kind != "" {
			fit = append(fit, one)
		}
	}
	return fit[:min(len(fit), 12)]
}

// report is a statement with a finding, to be repeated.
func report(s *statement, f *finding, seed, number uint64) string {
	query, arguments := s.sql("")
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, statement %d: %s: %s\n%s", seed, number, f.kind, f.detail, query)
	if len(arguments) > 0 {
		fmt.Fprintf(&b, "\nparameters %q", arguments)
	}
	if s.predicate != nil {
		var predicate strings.Builder
		s.predicate.write(&predicate, &arguments)
		fmt.Fprintf(&b, "\npredicate %s", predicate.String())
	}
	return b.String()
}
