package box

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	schema "github.com/saedb/saedb/sql"
)

// A checker tells queries that only read from all others, by what DuckDB's own parser makes
// of them.
type checker struct {
	db *sql.DB
	// definitions are the texts of the views and macros that the database has, as queries,
	// by their names in lower case. A macro has one for each number of its arguments.
	definitions map[string][]string
	verdicts    map[string]error // of definitions that were needed
	words       map[string]bool  // functions that are not allowed, for texts without a tree
}

func newChecker(ctx context.Context, db *sql.DB) (*checker, error) {
	c := &checker{db: db, definitions: map[string][]string{}, verdicts: map[string]error{}, words: map[string]bool{}}
	type definition struct{ name, text, kind string }
	columns := func(d *definition) []any { return []any{&d.name, &d.text, &d.kind} }
	found, err := schema.Rows(ctx, db, columns, `
		SELECT view_name, sql, 'view' FROM duckdb_views() WHERE NOT internal AND sql IS NOT NULL
		UNION ALL SELECT function_name, macro_definition, function_type FROM duckdb_functions()
		WHERE NOT internal AND macro_definition IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		switch d.kind {
		case "view":
			d.text = viewQuery(d.text)
		case "macro":
			d.text = "SELECT (" + d.text + ")"
		}
		name := strings.ToLower(d.name)
		c.definitions[name] = append(c.definitions[name], d.text)
	}
	names, err := schema.Collect[string](ctx, db, `SELECT DISTINCT lower(function_name) FROM duckdb_functions()
		WHERE internal AND function_type IN ('table', 'table_macro')`)
	if err != nil {
		return nil, err
	}
	for _, name := range append(names, refusedFunctions...) {
		c.words[name] = !slices.Contains(TableFunctions, name) && !slices.Contains(harmlessWords, name)
	}
	return c, nil
}

// viewQuery is the query of a CREATE VIEW as DuckDB writes it: what comes after the first AS
// that is not in quotes.
func viewQuery(text string) string {
	for i, quoted := 0, false; i < len(text); i++ {
		if text[i] == '"' {
			quoted = !quoted
		}
		if rest, found := strings.CutPrefix(text[i:], " AS "); found && !quoted {
			return strings.TrimRight(rest, "; \n")
		}
	}
	return text
}

// query returns the one query that a text is, without its semicolon, if it only reads.
// DuckDB makes JSON of SELECT alone, and of what it takes for one (FROM, VALUES, DESCRIBE,
// SUMMARIZE, SHOW, UNPIVOT, PIVOT with its values), so no other statement gets further. It
// may be used between parentheses, and nowhere else.
//
// Of a PIVOT without its values DuckDB makes two statements, and no JSON: one makes a
// temporary type of the values there are, the other selects. Such a text is told from one
// that does more by being put in parentheses: a text that can be parsed has none of its own
// open or closed too often, and no statement that is not a query, nor two of any, can stand
// in parentheses. What functions it uses is told by its words.
func (c *checker) query(ctx context.Context, text string) (string, error) {
	text = strings.TrimRight(text, "; \t\r\n")
	switch {
	case text == "":
		return "", errors.New("there is no query")
	case strings.ContainsRune(text, 0):
		return "", errors.New("the query has a NUL character") // where it ends for some of DuckDB, and not for all
	}
	alone, err := c.parse(ctx, text)
	if err != nil {
		return "", err
	}
	switch {
	case alone.refused():
		inside, err := c.parse(ctx, "FROM (\n"+text+"\n)")
		if err == nil && !inside.refused() {
			err = errors.New("only SELECT can be run here, and FROM, VALUES, WITH, PIVOT, UNPIVOT, DESCRIBE, " +
				"SUMMARIZE and SHOW; saedb sql runs everything")
		}
		if err != nil {
			return "", err
		}
		return text, c.wordsOf(ctx, text)
	case alone.Error:
		at, err := strconv.Atoi(alone.Position)
		if err != nil {
			at = -1
		}
		return "", errorAt(text, alone.Message, at)
	case len(alone.Statements) != 1:
		return "", fmt.Errorf("expected one statement, found %d", len(alone.Statements))
	}
	return text, c.walk(ctx, alone.Statements[0])
}

// parsed is what DuckDB's json_serialize_sql says of a text.
type parsed struct {
	Error      bool   `json:"error"`
	Message    string `json:"error_message"`
	Position   string `json:"position"` // of the error, in characters from 0
	Statements []any  `json:"statements"`
}

// refused tells whether the text could be parsed, and is no SELECT.
func (p parsed) refused() bool { return strings.HasPrefix(p.Message, "Only SELECT") }

func (c *checker) parse(ctx context.Context, text string) (p parsed, err error) {
	const serialize = `SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)`
	var answer string
	if err := c.db.QueryRowContext(ctx, serialize, text).Scan(&answer); err != nil {
		return p, err
	}
	return p, json.Unmarshal([]byte(answer), &p)
}

// walk visits a tree of DuckDB's, subqueries and all: every table function, function, view
// and macro in it must be allowed.
func (c *checker) walk(ctx context.Context, tree any) error {
	switch node := tree.(type) {
	case []any:
		for _, child := range node {
			if err := c.walk(ctx, child); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := c.node(ctx, node); err != nil {
			return err
		}
		for _, child := range node {
			if err := c.walk(ctx, child); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *checker) node(ctx context.Context, node map[string]any) error {
	if node["type"] == "TABLE_FUNCTION" {
		called, _ := node["function"].(map[string]any)
		name, ok := called["function_name"].(string)
		if !ok {
			return errors.New("a table function without a name cannot be used here " + whatIsAllowed())
		}
		// A macro of the database may not pass for a function of DuckDB's.
		name = strings.ToLower(name)
		if !slices.Contains(TableFunctions, name) && (c.words[name] || c.definitions[name] == nil) {
			return notAllowed(name)
		}
	}
	if name, ok := node["function_name"].(string); ok {
		if slices.Contains(refusedFunctions, strings.ToLower(name)) {
			return notAllowed(name)
		}
		return c.defined(ctx, name)
	}
	if name, ok := node["table_name"].(string); ok {
		return c.defined(ctx, name)
	}
	return nil
}

func notAllowed(function string) error {
	return fmt.Errorf("%s() cannot be used here %s", function, whatIsAllowed())
}

// defined checks the view or macro of that name, if there is one. Columns of tables have a
// table_name, too: they are names of what was checked where it stands.
func (c *checker) defined(ctx context.Context, name string) error {
	name = strings.ToLower(name)
	verdict, known := c.verdicts[name]
	if known || c.definitions[name] == nil {
		return verdict
	}
	c.verdicts[name] = nil // it may name itself, where it is a table's name too
	for _, text := range c.definitions[name] {
		tree, err := c.parse(ctx, text)
		switch {
		case err != nil:
		case tree.Error:
			err = c.wordsOf(ctx, text)
		default:
			err = c.walk(ctx, tree.Statements)
		}
		if err != nil {
			c.verdicts[name] = fmt.Errorf("%s of the database: %w", name, err)
		}
	}
	return c.verdicts[name]
}

// wordsOf refuses a text in which the name of a function that is not allowed stands anywhere,
// a string or a comment included, or that of a view or macro which uses one.
func (c *checker) wordsOf(ctx context.Context, text string) error {
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		if c.words[word] {
			return notAllowed(word)
		}
		if err := c.defined(ctx, word); err != nil {
			return err
		}
	}
	return nil
}
