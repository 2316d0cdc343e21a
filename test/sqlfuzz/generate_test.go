package sqlfuzz

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// A node is a piece of a statement: text with other nodes in it, kids[i] after parts[i].
type node struct {
	kind     string // that of rules for an expression, "" for others
	parts    []string
	kids     []*node
	optional bool      // the statement is one without it too
	gone     bool      // it is left out
	argument *argument // of a parameter, whose text is ?
}

func text(s string) *node { return &node{parts: []string{s}} }

// write adds the node's text to b, and the arguments of its parameters to arguments.
func (n *node) write(b *strings.Builder, arguments *[]argument) {
	if n == nil || n.gone {
		return
	}
	if n.argument != nil {
		*arguments = append(*arguments, *n.argument)
	}
	for i, part := range n.parts {
		b.WriteString(part)
		if i < len(n.kids) {
			n.kids[i].write(b, arguments)
		}
	}
}

// A statement is a query. One that has a predicate is a query without WHERE that is followed
// by nothing which counts or leaves out rows: the rows for which the predicate is true, false
// and NULL are those of the query without it.
type statement struct {
	query, predicate *node
	stable           bool // its rows are the same each time, in some order
}

// sql is the statement's text with WHERE and the predicate in form, none where that is empty.
func (s *statement) sql(form string) (string, []argument) {
	var b strings.Builder
	var arguments []argument
	s.query.write(&b, &arguments)
	if form != "" {
		before, after, _ := strings.Cut(form, "p")
		b.WriteString(" WHERE " + before)
		s.predicate.write(&b, &arguments)
		b.WriteString(after)
	}
	return b.String(), arguments
}

// A column is one that a query can name.
type column struct{ name, kind string }

// A view is a view or a table of the database.
type view struct {
	name    string
	columns []column
}

// has says whether a view has a column of a kind.
func (v view) has(kind string) bool {
	return slices.ContainsFunc(v.columns, func(c column) bool { return c.kind == kind })
}

// A generator makes statements.
type generator struct {
	*rand.Rand
	views      []view
	scope      []column // that expressions can name
	aliases    int
	parameters bool // literals may be parameters
	unstable   bool // something was made whose rows differ from run to run
	careless   bool // numbers out of range, wrong types, odd rules: many of these are errors
	left       int  // how many more nodes may be made
}

// generate makes statement number of the sequence of a seed.
func generate(views []view, seed, number uint64) *statement {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, number)), views: views, left: 150}
	g.parameters, g.careless = g.chance(15), g.chance(25)
	s := &statement{}
	if g.chance(40) {
		s.query = g.selects(2, false)
		s.predicate = g.divides()
	} else {
		s.query = g.query(3)
	}
	s.stable = !g.unstable
	return s
}

// divides is a predicate, mostly one that is true of some rows alone.
func (g *generator) divides() *node {
	if g.chance(30) {
		return g.expression("b", 3)
	}
	c := pick(g, g.scope)
	forms := []string{"hash(%s) %% 2 = 0", "%s IS NOT NULL", "nullif(hash(%[1]s) %% 3, 1) = 0"}
	switch c.kind {
	case "i":
		forms = append(forms, "%s %% 3 = 1", "%s > 5", "%s %% 2 = 0")
	case "d":
		forms = append(forms, "%s > 0", "NOT %s < 0.5", "isnan(%s)")
	case "t", "s", "a", "m":
		forms = append(forms, "%s LIKE '%%e%%'", "%s > 'l'")
	}
	one := &node{kind: "b", parts: []string{fmt.Sprintf(pick(g, forms), c.name)}}
	if g.chance(60) {
		return one
	}
	return &node{kind: "b", parts: []string{"(", pick(g, []string{" AND ", " OR "}), ")"}, kids: []*node{one, g.expression("b", 2)}}
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, from []T) T { return from[g.IntN(len(from))] }

// kinds are those that an expression can be wrongly of.
var kinds = []string{"w", "m", "a", "s", "t", "i", "d", "b", "l", "n"}

// expression makes an expression of a kind, mostly, at most so deep.
func (g *generator) expression(kind string, depth int) *node {
	wanted := kind
	g.left--
	switch {
	case g.careless && g.chance(3):
		kind = pick(g, kinds)
	case g.chance(2):
		return &node{kind: wanted, parts: []string{"NULL"}}
	case g.chance(1) && depth > 0 && g.left > 0:
		return g.deep(wanted, depth)
	}
	if depth <= 0 || g.left <= 0 || len(rules[kind]) == 0 || g.chance(25) {
		return g.leaf(wanted, kind)
	}
	from := rules[kind]
	if g.careless && g.chance(15) && len(oddRules[kind]) > 0 {
		from = oddRules[kind]
	}
	n := g.fill(pick(g, from), depth-1)
	n.kind = wanted
	return n
}

// deep is an expression inside many others.
func (g *generator) deep(kind string, depth int) *node {
	before, after := "coalesce(", ", NULL)"
	if g.chance(50) {
		before, after = "(CASE WHEN true THEN ", " END)"
	}
	times := 10 + g.IntN(60)
	inner := g.expression(kind, depth-1)
	return &node{kind: kind, parts: []string{strings.Repeat(before, times), strings.Repeat(after, times)}, kids: []*node{inner}}
}

// leaf is a column or a literal.
func (g *generator) leaf(wanted, kind string) *node {
	if g.chance(75) {
		var fit []string
		for _, c := range g.scope {
			if c.kind == "i" && (kind == "i" && !g.chance(10) || kind == "k" && g.chance(15)) {
				fit = append(fit, c.name+"::INTEGER") // most are BIGINT
				continue
			}
			if c.kind == kind || kind == "x" {
				fit = append(fit, c.name)
			}
		}
		if len(fit) > 0 {
			return &node{kind: wanted, parts: []string{pick(g, fit)}}
		}
	}
	of := literals[kind]
	list := of[0]
	if g.careless && g.chance(25) || g.chance(1) {
		list = of[1]
	}
	n := &node{kind: wanted, parts: []string{pick(g, list)}}
	if g.parameters && g.chance(50) && strings.Contains("idtmask", kind) {
		n.parts, n.argument = []string{"?"}, g.argument(kind)
	}
	return n
}

// argument is the argument of a parameter.
func (g *generator) argument(kind string) *argument {
	switch {
	case g.chance(8):
		return &argument{Kind: "null"}
	case kind == "i" || kind == "k":
		return &argument{"i", pick(g, []string{"0", "1", "3", "17", "-1", "2147483648", "-9223372036854775808"})}
	case kind == "d":
		return &argument{"d", pick(g, []string{"0", "0.5", "-1", "NaN", "+Inf", "-Inf", "1e308"})}
	}
	return &argument{"t", pick(g, []string{"all", "real", "llama", "gpt2", "first", "small/second", "few", "some", "", "é'\"", "\x00", strings.Repeat("long", 5000)})}
}

// fill makes the node of a rule.
func (g *generator) fill(rule string, depth int) *node {
	n := &node{}
	for {
		before, rest, found := strings.Cut(rule, "<")
		name, after, closed := strings.Cut(rest, ">")
		if !found || !closed || strings.ContainsAny(name, " =") || name == "" {
			// No kind, but a comparison: it ends at the next kind, if there is one.
			if found && strings.ContainsAny(rest, "<") {
				next := strings.Index(rest, "<")
				m := g.fill(rest[next:], depth)
				m.parts[0] = before + "<" + rest[:next] + m.parts[0]
				n.parts, n.kids = append(n.parts, m.parts...), append(n.kids, m.kids...)
				return n
			}
			n.parts = append(n.parts, rule)
			return n
		}
		n.parts, rule = append(n.parts, before), after
		n.kids = append(n.kids, g.hole(name, depth))
	}
}

// hole is what stands for <name> in a rule.
func (g *generator) hole(name string, depth int) *node {
	kind, list := strings.CutSuffix(name, ",")
	of, inner, special := strings.Cut(name, ":")
	switch {
	case list:
		n := &node{parts: []string{""}}
		for i := range 1 + g.IntN(4) {
			if i > 0 {
				n.parts[len(n.parts)-1] = ", "
			}
			n.kids, n.parts = append(n.kids, g.expression(kind, depth)), append(n.parts, "")
		}
		return n
	case strings.HasSuffix(name, "-path"):
		if g.chance(10) {
			return text(pick(g, wrongPaths))
		}
		return text(pick(g, paths[name]))
	case name == "query":
		return g.nested(func() *node { return g.selects(1, true) })
	case special && of == "column":
		return g.nested(func() *node {
			from := g.from(1)
			return &node{parts: []string{"(SELECT ", "", ")"}, kids: []*node{g.expression(inner, 1), from}}
		})
	case special && of == "sub":
		return g.sub(inner)
	}
	return g.expression(name, depth)
}

// nested makes a query inside another, whose columns it can name but not add to.
func (g *generator) nested(make func() *node) *node {
	scope := g.scope
	defer func() { g.scope = scope }()
	n := make()
	return n
}

// sub is one value of a query: an aggregate of the query's own columns. One of columns outside it
// alone would aggregate the rows of the query that those are of, by the rules of SQL, so that no
// predicate of that divides its rows.
func (g *generator) sub(kind string) *node {
	outer := len(g.scope)
	return g.nested(func() *node {
		from := g.from(1)
		where := g.optional(" WHERE ", "b", 1)
		g.scope = g.scope[outer:]
		if kind == "l" {
			value := g.expression("t", 1)
			return &node{kind: kind, parts: []string{"(SELECT list_sort(list(DISTINCT ", "))", "", ")"}, kids: []*node{value, from, where}}
		}
		call := pick(g, []string{"min(", "max("})
		value := g.expression(kind, 1)
		if kind == "i" && g.chance(60) {
			call = "count("
		}
		return &node{kind: kind, parts: []string{"(SELECT " + call, ")", "", ")"}, kids: []*node{value, from, where}}
	})
}

// optional is a clause that may be left out, and sometimes is.
func (g *generator) optional(word, kind string, depth int) *node {
	if g.chance(50) {
		return text("")
	}
	return &node{parts: []string{word, ""}, kids: []*node{g.expression(kind, depth)}, optional: true}
}

// alias is a name that no source has yet.
func (g *generator) alias() string {
	g.aliases++
	return fmt.Sprintf("t%d", g.aliases)
}
