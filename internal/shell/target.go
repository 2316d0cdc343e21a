package shell

import (
	"slices"
	"strings"
)

// target is the table or view that a statement changes.
type target struct {
	name    []string // its parts: catalog, schema, table, as many as are written
	created bool     // the statement makes it, so no temporary table is meant by its name alone
}

// changed returns the table or view that a statement changes or makes, and false for
// one that only reads. The statement may stand behind EXPLAIN or PREPARE. (DuckDB
// takes one table a statement, and keeps the schema main.)
func changed(text string) (target, bool) {
	p := parser{tokens: tokens(text)}
	if p.take("EXPLAIN") {
		p.take("ANALYZE", "ANALYSE")
		p.skipGroup()
	}
	if p.take("PREPARE") {
		p.at++ // the name
		p.skipGroup()
		p.take("AS")
	}
	if p.take("WITH") {
		return p.afterWith()
	}
	return p.statement()
}

// parser walks over the tokens of a statement.
type parser struct {
	tokens []token
	at     int
}

func (p *parser) done() bool { return p.at >= len(p.tokens) }

// take steps over the next token when it is one of these keywords.
func (p *parser) take(keywords ...string) bool {
	if p.done() || !p.tokens[p.at].is(keywords...) {
		return false
	}
	p.at++
	return true
}

// takeAll steps over these keywords when all of them come next.
func (p *parser) takeAll(keywords ...string) bool {
	before := p.at
	for _, keyword := range keywords {
		if !p.take(keyword) {
			p.at = before
			return false
		}
	}
	return true
}

// skipGroup steps over what comes next in parentheses, if it does.
func (p *parser) skipGroup() {
	if !p.take("(") {
		return
	}
	outside := p.tokens[p.at-1].depth
	for !p.done() && (p.tokens[p.at].depth > outside || !p.tokens[p.at].is(")")) {
		p.at++
	}
	p.at++
}

// target is what the name that comes next stands for.
func (p *parser) target(created bool) (target, bool) {
	p.take("ONLY")
	p.take("(")
	name := p.name()
	return target{name, created}, name != nil
}

// name reads a name of one to three parts. DuckDB takes a string for one, too.
func (p *parser) name() []string {
	var parts []string
	for !p.done() && p.tokens[p.at].kind != plain {
		parts = append(parts, p.tokens[p.at].text)
		p.at++
		if !p.take(".") {
			break
		}
	}
	return parts
}

// afterWith finds the statement behind the tables of WITH: its verb is outside of
// their parentheses.
func (p *parser) afterWith() (target, bool) {
	for ; !p.done(); p.at++ {
		if t := p.tokens[p.at]; t.depth > 0 || !t.is("INSERT", "UPDATE", "DELETE", "MERGE") {
			continue
		}
		rest := parser{tokens: p.tokens, at: p.at}
		if found, ok := rest.statement(); ok {
			return found, true
		}
	}
	return target{}, false
}

func (p *parser) statement() (target, bool) {
	switch {
	case p.take("INSERT"):
		if p.take("OR") {
			p.at++ // REPLACE or IGNORE
		}
		if p.take("INTO") {
			return p.target(false)
		}
	case p.takeAll("DELETE", "FROM"), p.takeAll("MERGE", "INTO"), p.takeAll("TRUNCATE", "TABLE"), p.take("TRUNCATE"), p.take("UPDATE"):
		return p.target(false)
	case p.take("COPY"):
		found, ok := p.target(false)
		p.skipGroup()
		return found, ok && p.take("FROM")
	case p.take("ALTER"), p.take("DROP"):
		if p.take("TABLE", "VIEW") {
			p.takeAll("IF", "EXISTS")
			return p.target(false)
		}
	case p.take("CREATE"):
		return p.created()
	}
	return target{}, false
}

// created reads on behind CREATE.
func (p *parser) created() (target, bool) {
	p.takeAll("OR", "REPLACE")
	for p.take("UNIQUE", "PERSISTENT", "UNLOGGED", "RECURSIVE") {
	}
	switch {
	case p.take("TEMP", "TEMPORARY", "LOCAL", "GLOBAL"): // LOCAL and GLOBAL come before TEMPORARY
	case p.take("TABLE", "VIEW"):
		p.takeAll("IF", "NOT", "EXISTS")
		return p.target(true)
	case p.take("INDEX"):
		on := slices.IndexFunc(p.tokens[p.at:], func(t token) bool { return t.depth == 0 && t.is("ON") })
		if on >= 0 {
			p.at += on + 1
			return p.target(false)
		}
	}
	return target{}, false
}

// storedPrefix begins the names of saedb's own tables.
const storedPrefix = "stored_"

func isStored(name string) bool {
	return len(name) >= len(storedPrefix) && strings.EqualFold(name[:len(storedPrefix)], storedPrefix)
}
