package shell

import (
	"context"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// relations selects the tables and views that were not there from the start.
const relations = `(
	SELECT database_name, schema_name, table_name AS name, 'table' AS type, sql FROM duckdb_tables() WHERE NOT internal
	UNION ALL
	SELECT database_name, schema_name, view_name, 'view', sql FROM duckdb_views() WHERE NOT internal)`

// tables lists tables and views by the shortest name that a statement may use.
func (s *session) tables(ctx context.Context, _ string) error {
	return s.statement(ctx, `
		SELECT concat_ws('.',
			CASE WHEN database_name NOT IN (current_database(), 'temp') THEN database_name END,
			CASE WHEN schema_name <> current_schema() AND database_name <> 'temp' THEN schema_name END,
			name) AS name, type
		FROM `+relations+` ORDER BY ALL`)
}

// schema prints the definitions of a table or view, or of all.
func (s *session) schema(ctx context.Context, name string) error {
	definitions, err := schema.Collect[string](ctx, s.conn, `
		SELECT sql FROM `+relations+`
		WHERE $1 = '' OR lower($1) IN (lower(name), lower(schema_name || '.' || name))
		ORDER BY database_name, schema_name, type, name`, name)
	if err != nil {
		return err
	}
	for _, definition := range definitions {
		if _, err := fmt.Fprintln(s.out, definition); err != nil {
			return err
		}
	}
	if name != "" && definitions == nil {
		return &fault.Error{Op: ".schema", Subject: name, Problem: "no table or view of this name", Hint: ".tables lists them"}
	}
	return nil
}
