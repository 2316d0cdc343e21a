//go:build !saedb_extension

package capi

// Imported for the static DuckDB library that it links, whose symbols linked.c
// puts into the table.
import _ "github.com/duckdb/duckdb-go-bindings"
