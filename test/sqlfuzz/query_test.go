package sqlfuzz

import (
	"fmt"
	"strings"
)

// query makes a whole query, with what may stand around a SELECT.
func (g *generator) query(depth int) *node {
	switch g.IntN(10) {
	case 0:
		return g.union(depth)
	case 1:
		return g.with(depth)
	case 2, 3:
		return g.grouped(depth)
	case 4:
		return g.windowed(depth)
	case 5:
		return g.prepared(depth)
	case 6:
		return g.described(depth)
	}
	return g.limited(g.selects(depth, g.chance(70)))
}

// selects makes SELECT … FROM …, with WHERE where that is asked for.
func (g *generator) selects(depth int, where bool) *node {
	from := g.from(depth)
	n := &node{parts: []string{"SELECT "}}
	if where && g.chance(15) {
		n.parts[0] = "SELECT DISTINCT "
	}
	for i := range 1 + g.IntN(4) {
		value := g.expression("x", 1+g.IntN(depth))
		if i == 0 && g.chance(60) {
			value = g.fill(pick(g, ours), g.IntN(2))
			value.kind = "x"
		}
		one := &node{parts: []string{"", ""}, kids: []*node{value}}
		if i > 0 {
			one.parts[0], one.optional = ", ", true
		}
		n.kids, n.parts = append(n.kids, one), append(n.parts, "")
	}
	n.kids, n.parts = append(n.kids, from), append(n.parts, "")
	if where {
		n.kids, n.parts = append(n.kids, g.optional(" WHERE ", "b", depth)), append(n.parts, "")
	}
	return n
}

// limited adds ORDER BY and LIMIT: of all columns, so that the rows are the same each time.
func (g *generator) limited(n *node) *node {
	if g.chance(60) {
		return n
	}
	order := &node{parts: []string{" ORDER BY ALL" + pick(g, []string{"", " DESC", " NULLS FIRST"})}, optional: true}
	limit := text("")
	if g.chance(60) {
		limit = &node{parts: []string{" LIMIT " + pick(g, []string{"0", "1", "10", "3000", "5 OFFSET 3", "20%"})}, optional: true}
	}
	return &node{parts: []string{"", "", "", ""}, kids: []*node{n, order, limit}}
}

// from makes FROM with one to three sources, and their columns nameable.
func (g *generator) from(depth int) *node {
	n := &node{parts: []string{" FROM "}}
	first, columns := g.source(depth)
	n.kids, n.parts = append(n.kids, first), append(n.parts, "")
	g.scope = append(g.scope[:len(g.scope):len(g.scope)], columns...)
	for depth > 1 && g.chance(40) && len(n.kids) < 3 {
		if g.chance(35) {
			lateral := pick(g, laterals)
			one := g.named(g.fill(lateral.call, 1), lateral.columns, lateral.call)
			one.node.optional = true
			one.node.parts[0] = pick(g, []string{", ", " CROSS JOIN "}) + one.node.parts[0]
			n.kids, n.parts = append(n.kids, one.node), append(n.parts, "")
			g.scope = append(g.scope, one.columns...)
			continue
		}
		second, more := g.source(depth - 1)
		join, seen := pick(g, []string{" JOIN ", " JOIN ", " LEFT JOIN ", " FULL JOIN ", " SEMI JOIN ", " ANTI JOIN ", " RIGHT JOIN "}), columns
		one := &node{parts: []string{join, "", ""}, optional: true}
		one.kids = []*node{second, g.on(columns, more)}
		if !strings.Contains(join, "SEMI") && !strings.Contains(join, "ANTI") {
			g.scope = append(g.scope, more...)
			seen = append(seen[:len(seen):len(seen)], more...)
		}
		columns = seen
		n.kids, n.parts = append(n.kids, one), append(n.parts, "")
	}
	return n
}

// on makes the condition of a join: that columns of one name are equal, mostly.
func (g *generator) on(left, right []column) *node {
	var equal []string
	for _, r := range right {
		for _, l := range left {
			if bare(l.name) == bare(r.name) && (bare(l.name) == "sae" || bare(l.name) == "feature" || bare(l.name) == "model" && g.chance(50) || bare(l.name) == "token_id" || bare(l.name) == "token_set") {
				equal = append(equal, l.name+" = "+r.name)
			}
		}
	}
	if len(equal) > 0 && g.chance(90) {
		return text(" ON " + strings.Join(equal, " AND "))
	}
	l, r := pick(g, left), pick(g, right)
	for _, one := range right {
		if one.kind == l.kind && !g.careless {
			r = one
		}
	}
	return text(" ON " + l.name + pick(g, []string{" = ", " = ", " < ", " IS NOT DISTINCT FROM "}) + r.name)
}

// bare is a column's name without its table's.
func bare(name string) string { return name[strings.Index(name, ".")+1:] }

// A source is what stands in FROM, and its columns.
type source struct {
	node    *node
	columns []column
}

// source makes one that names no columns of others.
func (g *generator) source(depth int) (*node, []column) {
	if depth > 1 && g.chance(12) {
		return g.derived(depth - 1)
	}
	if g.chance(25) {
		scope := g.scope
		g.scope = nil
		t := pick(g, tables)
		s := g.named(g.fill(t.call, 1), t.columns, t.call)
		g.scope = scope
		return s.node, s.columns
	}
	v := pick(g, g.views)
	for g.chance(60) && !v.has("w") {
		v = pick(g, g.views) // those with directions, which most functions are of, are few
	}
	alias := g.alias()
	columns := make([]column, len(v.columns))
	for i, c := range v.columns {
		columns[i] = column{alias + "." + c.name, c.kind}
	}
	return text(v.name + " " + alias), columns
}

// named gives a source its alias; declared are its columns and their kinds.
func (g *generator) named(n *node, declared, call string) source {
	alias, s := g.alias(), source{node: n}
	last := len(n.parts) - 1
	if before, names, found := strings.Cut(n.parts[last], " q("); found {
		n.parts[last] = before + " " + alias + "(" + names
	} else {
		n.parts[last] += " " + alias
	}
	for one := range strings.SplitSeq(declared, ", ") {
		if name, kind, ok := strings.Cut(one, " "); ok {
			s.columns = append(s.columns, column{alias + "." + name, kind})
		}
	}
	if len(s.columns) == 0 {
		s.columns = []column{{alias, "x"}}
	}
	return s
}

// derived is a query in parentheses.
func (g *generator) derived(depth int) (*node, []column) {
	outer := g.scope
	defer func() { g.scope = outer }()
	g.scope = nil
	from := g.from(depth)
	n, alias := &node{parts: []string{"(SELECT "}}, g.alias()
	var columns []column
	for i := range 1 + g.IntN(4) {
		kind := pick(g, kinds)
		one := &node{parts: []string{"", fmt.Sprintf(" AS c%d", i)}, kids: []*node{g.expression(kind, depth)}}
		if i > 0 {
			one.parts[0] = ", "
		}
		n.kids, n.parts = append(n.kids, one), append(n.parts, "")
		columns = append(columns, column{fmt.Sprintf("%s.c%d", alias, i), kind})
	}
	n.kids, n.parts = append(n.kids, from, g.optional(" WHERE ", "b", 2)), append(n.parts, "", ") "+alias)
	return n, columns
}

// grouped makes GROUP BY with aggregates.
func (g *generator) grouped(depth int) *node {
	from := g.from(depth)
	where := g.optional(" WHERE ", "b", 2)
	key := pick(g, []string{"t", "i", "b", "s", "a", "d", "l", "w"})
	aggregates := []string{"count(*)", "count(DISTINCT <x>)", "min(<d>)", "max(<w>)", "max(<t>)", "bool_or(<b>)", "count(*) FILTER (<b>)", "list(<x> ORDER BY <x>)[:0]", "approx_count_distinct(<t>)", "bit_xor(hash(<x>))", "max((logit_stats(<w>, <m>)).std)", "min(enrichment_score(<w>, <m>, <s>))"}
	if g.chance(30) {
		// These depend on the order of rows, in their last digits at least.
		aggregates = []string{"sum(<d>)", "avg(<d>)", "any_value(<x>)", "list(<x>)", "arg_max(<x>, <d>)", "string_agg(<t>, <t>)", "median(<d>)", "histogram(<t>)", "stddev(<d>)", "kurtosis(<d>)", "first(<w>)", "avg((logit_stats(<w>, <m>)).std)", "sum(logit_weight(<w>, <m>, <k>))"}
		g.unstable = true
	}
	n := &node{parts: []string{"SELECT ", ""}, kids: []*node{g.expression(key, 2)}}
	for range 1 + g.IntN(3) {
		one := g.fill(pick(g, aggregates), 2)
		one.parts[0], one.optional = ", "+one.parts[0], true
		n.kids, n.parts = append(n.kids, one), append(n.parts, "")
	}
	end := pick(g, []string{" GROUP BY ALL", " GROUP BY ALL", " GROUP BY ROLLUP (1)", " GROUP BY 1"})
	having := text("")
	if g.chance(20) {
		having = &node{parts: []string{pick(g, []string{" HAVING count(*) > 1", " HAVING count(*) % 2 = 0"})}, optional: true}
	}
	n.kids, n.parts = append(n.kids, from, where, text(end), having), append(n.parts, "", "", "", "")
	return g.limited(n)
}

// windowed makes window functions; those that count places of equals are not stable.
func (g *generator) windowed(depth int) *node {
	from := g.from(depth)
	where := g.optional(" WHERE ", "b", 1)
	call := pick(g, []string{"rank()", "dense_rank()", "count(*)", "max(<d>)", "min(<w>)", "percent_rank()", "count(<x>)"})
	if g.chance(25) {
		call, g.unstable = pick(g, []string{"row_number()", "lag(<w>, <k>)", "sum(<d>)", "first_value(<x>)", "ntile(<k>)", "nth_value(<x>, <k>)"}), true
	}
	n := &node{parts: []string{"SELECT ", ", ", " OVER (PARTITION BY ", " ORDER BY ", ")", "", ""}, kids: []*node{g.expression("x", 2), g.fill(call, 1), g.expression(pick(g, []string{"t", "i", "a", "b"}), 1), g.expression(pick(g, []string{"d", "i", "w"}), 2), from, where}}
	if g.chance(20) {
		n.parts[6] = " QUALIFY rank() OVER (ORDER BY " + pick(g, g.scope).name + ") < 10"
	}
	return g.limited(n)
}

// union makes a set operation of two queries of the same columns.
func (g *generator) union(depth int) *node {
	kind, word := pick(g, kinds), pick(g, []string{" UNION ALL ", " UNION ", " EXCEPT ", " INTERSECT ", " UNION ALL BY NAME ", " EXCEPT ALL "})
	n := &node{parts: []string{"", word, ""}}
	for range 2 {
		n.kids = append(n.kids, g.nested(func() *node {
			from := g.from(depth - 1)
			return &node{parts: []string{"SELECT ", " AS c", "", ""}, kids: []*node{g.expression(kind, depth), from, g.optional(" WHERE ", "b", 1)}}
		}))
	}
	return g.limited(n)
}

// with makes a CTE that is used twice, or a recursive one.
func (g *generator) with(depth int) *node {
	if g.chance(20) {
		step := g.nested(func() *node { g.scope = []column{{"r.i", "i"}, {"r.w", "w"}}; return g.expression("w", 2) })
		return &node{parts: []string{"WITH RECURSIVE r(i, w) AS (SELECT 0, ", "::FLOAT[] UNION ALL SELECT i + 1, ", "::FLOAT[] FROM r WHERE i < 5) SELECT i, w FROM r"}, kids: []*node{g.nested(func() *node { return g.expression("w", 2) }), step}}
	}
	kind := pick(g, kinds)
	inner := g.nested(func() *node {
		from := g.from(depth - 1)
		return &node{parts: []string{"SELECT ", " AS c", "", ""}, kids: []*node{g.expression(kind, depth), from, g.optional(" WHERE ", "b", 1)}}
	})
	g.scope = []column{{"c1.c", kind}, {"c2.c", kind}}
	return g.limited(&node{parts: []string{"WITH c AS " + pick(g, []string{"", "MATERIALIZED ", "NOT MATERIALIZED "}) + "(", ") SELECT ", ", ", " FROM c c1 JOIN c c2 ON c1.c IS NOT DISTINCT FROM c2.c"},
		kids: []*node{inner, g.expression("x", 2), g.expression("x", 2)}})
}

// prepared makes PREPARE and EXECUTE, in SQL.
func (g *generator) prepared(depth int) *node {
	g.parameters = false
	n := g.selects(depth, true)
	kind := pick(g, []string{"i", "d", "t", "m", "s", "a"})
	const direction = "list_transform(range(32), lambda j: sin(j))::FLOAT[]"
	used := map[string]string{
		"i": "logit_weight(" + direction + ", 'llama', $1)", "d": "ks_log10_p(10, 500, $1), beyond_chance($1)", "t": "token_text($1, $1), set_phrase('a', $1)",
		"m": "logit_stats(" + direction + ", $1)", "s": "enrichment_score(" + direction + ", 'llama', $1)", "a": "random_direction_like(1, 2, $1)",
	}[kind]
	return &node{parts: []string{"PREPARE p AS SELECT " + used + ", * FROM (", "); EXECUTE p(", ")"}, kids: []*node{n, g.nested(func() *node { g.scope = nil; return g.leaf(kind, kind) })}}
}

// described makes EXPLAIN, DESCRIBE and SUMMARIZE, whose rows tell of times.
func (g *generator) described(depth int) *node {
	word := pick(g, []string{"EXPLAIN ", "EXPLAIN ANALYZE ", "DESCRIBE ", "SUMMARIZE "})
	g.unstable = true
	n := &node{parts: []string{word, ""}, kids: []*node{g.selects(depth, true)}}
	if strings.HasSuffix(word, "(") {
		n.parts[1] = ")"
	}
	return n
}
