package schema

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// own tells which views are saedb's: a person's own keep their comments.
func own() func(view string) bool {
	views := created("CREATE OR REPLACE VIEW ", textOf("views/*.sql"))
	return func(view string) bool { return slices.Contains(views, view) || layerView.MatchString(view) }
}

// relation is where a view's query names what it reads, in that order. DuckDB has the query as text
// alone, and the names that duckdb_get_table_names gives of it have no order.
var relation = regexp.MustCompile(`(?i)\b(?:from|join)\s+(?:main\.)?(\w+)`)

// inheritComments gives each column of a view that has no comment of its own
// the comment of the column of that name in the first relation that the view
// reads and that has one: a column is described once, where it is stored.
func inheritComments(ctx context.Context, tx *sql.Tx) error {
	comments, err := mainComments(ctx, tx)
	if err != nil {
		return err
	}
	ours := own()
	columns, err := Rows(ctx, tx, func(c *[4]string) []any { return []any{&c[0], &c[1], &c[2], &c[3]} }, `SELECT v.schema_name, v.view_name, v.sql, c.column_name
		FROM duckdb_views() v JOIN duckdb_columns() c ON c.table_oid = v.view_oid AND c.schema_oid = v.schema_oid
		WHERE v.database_name = current_database() AND c.database_name = current_database() AND NOT v.internal AND c.comment IS NULL
		ORDER BY v.view_oid, c.column_index`)
	if err != nil {
		return err
	}
	var statements []string
	for _, c := range columns {
		schema, view, text, column := c[0], c[1], c[2], c[3]
		if !ours(view) {
			continue
		}
		for _, from := range relation.FindAllStringSubmatch(text, -1) {
			if comment, ok := comments[[2]string{from[1], column}]; ok {
				if schema == "main" {
					comments[[2]string{view, column}] = comment
				}
				statements = append(statements, fmt.Sprintf("COMMENT ON COLUMN %s.%s.%s IS %s",
					Identifier(schema), Identifier(view), Identifier(column), Literal(comment)))
				break
			}
		}
	}
	if len(statements) == 0 {
		return nil
	}
	_, err = tx.ExecContext(ctx, strings.Join(statements, ";\n")) // at once: there are a thousand
	return err
}

// mainComments maps relation and column in the schema main to the comment.
func mainComments(ctx context.Context, tx *sql.Tx) (map[[2]string]string, error) {
	rows, err := Rows(ctx, tx, func(c *[3]string) []any { return []any{&c[0], &c[1], &c[2]} }, `SELECT table_name, column_name, comment FROM duckdb_columns()
		WHERE database_name = current_database() AND schema_name = 'main' AND comment IS NOT NULL`)
	comments := map[[2]string]string{}
	for _, c := range rows {
		comments[[2]string{c[0], c[1]}] = c[2]
	}
	return comments, err
}
