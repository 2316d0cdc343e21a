package box

import "strings"

// TableFunctions are those that may be used. They only read, and only the database: rows
// that they make up, values that they are given, and what is in the catalogue. Macros of the
// database may be used as well where these are all that they use.
var TableFunctions = []string{
	"duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_dependencies",
	"duckdb_extensions", "duckdb_functions", "duckdb_indexes", "duckdb_keywords", "duckdb_memory",
	"duckdb_schemas", "duckdb_sequences", "duckdb_settings", "duckdb_tables", "duckdb_types",
	"duckdb_views", "generate_series", "json_each", "json_tree", "pragma_database_size", "pragma_show",
	"pragma_storage_info", "pragma_table_info", "pragma_version", "range", "releases", "repeat", "unnest",
}

// refusedFunctions are the scalar functions that do more than compute: they write to the log
// or a sequence, take a statement as text, or hand rows to saedb.
var refusedFunctions = []string{"json_serialize_plan", "nextval", "saedb_read_row", "write_log"}

// pureFunctions are those whose results change from call to call, which DuckDB marks as it
// marks those above, and which do no more than that. A test holds both lists against all
// that DuckDB marks.
var pureFunctions = []string{
	"current_connection_id", "current_query", "current_query_id", "current_transaction_id", "currval", "error",
	"gen_random_uuid", "random", "setseed", "sleep_ms", "stats", "uuid", "uuidv4", "uuidv7",
}

// harmlessWords are table functions that are not allowed and change nothing, and words of
// queries as well: where a query is known by its words alone, they may stand in it.
var harmlessWords = []string{"glob", "opened", "summary"}

// whatIsAllowed ends the error of a function that is not.
func whatIsAllowed() string {
	return "(table functions that only read can: " + strings.Join(TableFunctions, ", ") +
		"; and the views and macros of the database; saedb sql runs everything)"
}
