package shell

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
)

// guard refuses a statement that changes a table of saedb's own by hand: such a
// change would leave figures that no longer belong to their weights, or hashes that
// no longer belong to their rows. Reading them is as free as reading any table.
func guard(ctx context.Context, conn *sql.Conn, text string) error {
	t, found := changed(text)
	if !found {
		return nil
	}
	name := t.name[len(t.name)-1]
	if !isStored(name) {
		return nil
	}
	// An error is one of a failed transaction, say: DuckDB has the word for that.
	if own, err := isOwn(ctx, conn, t); err != nil || !own {
		return nil
	}
	return &fault.Error{
		Op: "change " + name, Problem: "the tables that begin with " + storedPrefix + " are saedb's own, and not to be changed by hand",
		Hint: "saedb unload takes out what was loaded, saedb load … --replace loads it again; token sets of your own go into user_token_sets",
	}
}

// isOwn tells whether a target lies in the schema main of a database that saedb
// wrote, which has the table stored_schema.
func isOwn(ctx context.Context, conn *sql.Conn, t target) (bool, error) {
	var current string
	var temporary bool
	err := conn.QueryRowContext(ctx, `SELECT current_database(),
		EXISTS (FROM duckdb_tables() WHERE database_name = 'temp' AND lower(table_name) = lower($1))`, t.name[len(t.name)-1]).Scan(&current, &temporary)
	if err != nil {
		return false, err
	}
	databases, err := schema.Collect[string](ctx, conn, `SELECT database_name FROM duckdb_tables()
		WHERE database_name <> 'temp' AND schema_name = 'main' AND table_name = 'stored_schema'`)
	if err != nil {
		return false, err
	}
	isDatabase := func(name string) bool {
		return slices.ContainsFunc(databases, func(database string) bool { return strings.EqualFold(database, name) })
	}
	isMain := func(name string) bool { return strings.EqualFold(name, "main") }
	switch len(t.name) {
	case 1:
		return isDatabase(current) && (t.created || !temporary), nil
	case 2: // schema.table, or database.table
		return isMain(t.name[0]) && isDatabase(current) || isDatabase(t.name[0]), nil
	default:
		return isMain(t.name[1]) && isDatabase(t.name[0]), nil
	}
}
