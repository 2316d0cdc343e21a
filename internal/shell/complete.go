package shell

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	schema "github.com/saedb/saedb/sql"
)

// completionWait bounds how long a Tab may take.
const completionWait = 2 * time.Second

// completer proposes what DuckDB's own completion does at a place of a statement.
type completer struct {
	conn   *sql.Conn
	before string // the lines of the statement before the one that is typed
}

// complete proposes words for the one that ends at the cursor, which is before the
// character at position of line.
func (c *completer) complete(line string, position int) (head string, words []string, tail string) {
	characters := []rune(line)
	typed, tail := string(characters[:position]), string(characters[position:])
	if strings.HasPrefix(typed, ".") {
		return completeCommand(typed), commandNames(typed), tail
	}
	start, words, err := c.suggestions(typed)
	if err != nil {
		return typed, nil, tail // in a failed transaction, say: typing must go on
	}
	return typed[:start], words, tail
}

// suggestions are the words that begin as the last one typed does, which starts at a
// byte of the line. DuckDB also proposes what is only spelled alike.
func (c *completer) suggestions(typed string) (start int, words []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), completionWait)
	defer cancel()
	type suggestion struct {
		at   int
		word string
	}
	// A column that is called as a function, skewness say, is proposed as a function alone.
	found, err := schema.Rows(ctx, c.conn, func(s *suggestion) []any { return []any{&s.at, &s.word} }, `SELECT suggestion_start - strlen($1),
			CASE WHEN suggestion_type LIKE '%function' THEN trim(suggestion, '"') ELSE suggestion END
		FROM sql_auto_complete($1 || $2)`, c.before, typed)
	start = len(typed)
	for _, s := range found {
		if s.at < 0 || s.at >= len(typed) {
			continue
		}
		part, name := strings.Trim(typed[s.at:], `"`), strings.Trim(s.word, `"`)
		if part != "" && isLetter(part[0]) && len(name) >= len(part) && strings.EqualFold(name[:len(part)], part) {
			start, words = s.at, append(words, s.word)
		}
	}
	slices.Sort(words)
	return start, slices.Compact(words), err
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
