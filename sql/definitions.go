package schema

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"
)

// definitionsOf is a digest of all that this program's views and macros are made from.
func definitionsOf(functions []Function) string {
	var all strings.Builder
	for _, pattern := range definitionFiles {
		all.WriteString(textOf(pattern))
	}
	all.WriteString(textOf(tableFiles)) // whose comments are inherited
	all.WriteString(throughMacros())
	all.WriteString(functionsView(functions))
	all.WriteString(releaseMacros("$release"))
	return fmt.Sprintf("%x", sha256.Sum256([]byte(all.String())))
}

// madeDefinitions is the macro that says what the views and macros were when saedb made them.
const madeDefinitions = "made_definitions"

// definitionsThere digests the names of the database's views, their columns and comments, and those
// of macros with their parameters. Queries are not in it: DuckDB writes them in one way when they
// are made and in another once they are read from the file.
func definitionsThere(ctx context.Context, tx *sql.Tx) (string, error) {
	found, err := Collect[string](ctx, tx, `SELECT coalesce(md5(string_agg(said, chr(10) ORDER BY said)), '') FROM (
		SELECT concat_ws(chr(9), schema_name, table_name, column_name, data_type, comment) AS said FROM duckdb_columns()
			WHERE database_name = current_database() AND NOT internal
		UNION ALL SELECT concat_ws(chr(9), schema_name, view_name, comment) FROM duckdb_views() WHERE database_name = current_database() AND NOT internal
		UNION ALL SELECT concat_ws(chr(9), schema_name, function_name, parameters) FROM duckdb_functions()
			WHERE database_name = current_database() AND NOT internal AND macro_definition IS NOT NULL AND function_name <> '`+madeDefinitions+`')`)
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// definitionsKept reports whether the views and macros that are there are those that a program
// with these definitions made, none added or dropped since, or made with other columns.
func definitionsKept(ctx context.Context, tx *sql.Tx, program string) (bool, error) {
	noted, err := Collect[string](ctx, tx, `SELECT macro_definition FROM duckdb_functions()
		WHERE database_name = current_database() AND schema_name = 'main' AND function_name = '`+madeDefinitions+`'`)
	if err != nil || len(noted) == 0 || !strings.Contains(noted[0], program) {
		return false, err
	}
	there, err := definitionsThere(ctx, tx)
	return noted[0] == Literal(program+" "+there), err
}

// noteDefinitions keeps what definitionsKept asks for.
func noteDefinitions(ctx context.Context, tx *sql.Tx, program string) error {
	there, err := definitionsThere(ctx, tx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `CREATE OR REPLACE MACRO `+madeDefinitions+`() AS `+Literal(program+" "+there)+`;
		COMMENT ON MACRO `+madeDefinitions+` IS 'What the views and macros were when saedb made them; where they still are, a load leaves them.'`)
	return err
}
