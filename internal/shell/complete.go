package shell

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"time"
)

// catalogWait bounds how long the first Tab may take to read the catalogue.
const catalogWait = 2 * time.Second

// completer proposes names from DuckDB's catalogue. It reads them when first asked,
// and again after a statement that may have changed them.
type completer struct {
	conn     *sql.Conn
	loaded   bool
	keywords []string
	names    []name
}

// name is a table, view, column or function.
type name struct {
	text     string
	kind     string // "relation", "column" or "function"
	relation string // of a column: the name of its table or view
	schema   string // of a relation
}

func (c *completer) forget() { c.loaded = false }

// complete proposes words for the one that ends at the cursor, which is before the
// character at position of line. It keeps the case of what was typed.
func (c *completer) complete(line string, position int) (head string, words []string, tail string) {
	characters := []rune(line)
	before, tail := string(characters[:position]), string(characters[position:])
	if strings.HasPrefix(before, ".") {
		return completeCommand(before), commandNames(before), tail
	}
	start := wordStart(before)
	head, typed := before[:start], before[start:]
	if typed == "" {
		return head, nil, tail
	}
	if err := c.load(); err != nil {
		return head, nil, tail // in a failed transaction, say: typing must go on
	}
	if typed[0] != '"' {
		words = c.plain(head, typed)
	}
	if len(words) == 0 {
		words = c.quoted(head, strings.TrimPrefix(typed, `"`))
	}
	slices.Sort(words)
	return head, slices.Compact(words), tail
}

// wordStart returns where the word at the end of s begins: after the last character
// that no name has, or at the double quote that is still open.
func wordStart(s string) int {
	if strings.Count(s, `"`)%2 == 1 {
		return strings.LastIndexByte(s, '"')
	}
	start := len(s)
	for start > 0 && (isLetter(s[start-1]) || isDigit(s[start-1])) {
		start--
	}
	return start
}

// completeCommand returns what stays before a dot command's completion: nothing,
// unless the command's name is already complete.
func completeCommand(before string) string {
	if strings.Contains(before, " ") {
		return before
	}
	return ""
}

func commandNames(prefix string) []string {
	var names []string
	for _, c := range commands() {
		if strings.HasPrefix(c.name, prefix) {
			names = append(names, c.name)
		}
	}
	return names
}

// plainName matches names that need no double quotes.
var plainName = regexp.MustCompile(`^[\pL_][\pL\pN_$]*$`)

// plain proposes what needs no quotes. After a dot that is columns and tables only.
func (c *completer) plain(head, typed string) []string {
	var words []string
	add := func(text, after string) {
		if len(text) >= len(typed) && strings.EqualFold(text[:len(typed)], typed) {
			words = append(words, typed+text[len(typed):]+after)
		}
	}
	for _, n := range c.candidates(head) {
		switch {
		case !plainName.MatchString(n.text):
		case n.kind == "function":
			add(n.text, "(")
		default:
			add(n.text, "")
		}
	}
	if strings.HasSuffix(head, ".") {
		return words
	}
	upper := typed == strings.ToUpper(typed)
	for _, keyword := range c.keywords {
		if upper {
			keyword = strings.ToUpper(keyword)
		}
		add(keyword, " ")
	}
	return words
}

// quoted proposes the tables and columns that need double quotes.
func (c *completer) quoted(head, typed string) []string {
	var words []string
	for _, n := range c.candidates(head) {
		if n.kind == "function" || len(n.text) < len(typed) || !strings.EqualFold(n.text[:len(typed)], typed) {
			continue
		}
		words = append(words, `"`+strings.ReplaceAll(typed+n.text[len(typed):], `"`, `""`)+`"`)
	}
	return words
}

// candidates returns the names that may follow head. After "x." these are the
// columns of the table x, or the tables of the schema x; where x is neither it is
// taken for an alias, of any table.
func (c *completer) candidates(head string) []name {
	qualified, found := strings.CutSuffix(head, ".")
	if !found {
		return c.names
	}
	qualifier := strings.Trim(qualified[wordStart(strings.TrimSuffix(qualified, `"`)):], `"`)
	var inside, columns []name
	for _, n := range c.names {
		if n.kind == "column" {
			columns = append(columns, n)
		}
		if n.kind == "column" && strings.EqualFold(n.relation, qualifier) ||
			n.kind == "relation" && strings.EqualFold(n.schema, qualifier) {
			inside = append(inside, n)
		}
	}
	if len(inside) > 0 {
		return inside
	}
	return columns
}

func (c *completer) load() error {
	if c.loaded {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), catalogWait)
	defer cancel()
	rows, err := c.conn.QueryContext(ctx, `
		SELECT keyword_name, 'keyword', '', '' FROM duckdb_keywords()
		UNION ALL SELECT name, 'relation', '', schema_name FROM `+relations+`
		UNION ALL SELECT column_name, 'column', table_name, '' FROM duckdb_columns() WHERE NOT internal
		UNION ALL SELECT DISTINCT function_name, 'function', '', '' FROM duckdb_functions()
			WHERE regexp_matches(function_name, '^[a-z]\w*$')`)
	if err != nil {
		return err
	}
	defer rows.Close()
	c.keywords, c.names = nil, nil
	for rows.Next() {
		var n name
		if err := rows.Scan(&n.text, &n.kind, &n.relation, &n.schema); err != nil {
			return err
		}
		if n.kind == "keyword" {
			c.keywords = append(c.keywords, n.text)
		} else {
			c.names = append(c.names, n)
		}
	}
	c.loaded = rows.Err() == nil
	return rows.Err()
}
