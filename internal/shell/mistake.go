package shell

import (
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"strings"
)

// StatementError is an error of a statement of a script. It keeps the lines of
// DuckDB's message, whose last two show the place.
type StatementError struct {
	Line int // of the script on which the statement begins, from 1
	Err  error
}

// Error formats e as "run SQL: statement at line 4: …".
func (e *StatementError) Error() string {
	return fmt.Sprintf("run SQL: statement at line %d: %v", e.Line, e.Err)
}

// Unwrap returns the cause.
func (e *StatementError) Unwrap() error { return e.Err }

// noLayer matches DuckDB's error for the view of a layer that is not there.
var noLayer = regexp.MustCompile(`Table with name layer_\w+ does not exist!`)

// layersError adds the layers that there are to an error about the view of one that
// is not.
type layersError struct {
	err    error
	layers string
}

func (e *layersError) Error() string {
	return strings.TrimRight(e.err.Error(), "\n") + "\n\nThe layers here: " + e.layers
}

func (e *layersError) Unwrap() error { return e.err }

// explain adds to an error of DuckDB's what the database knows about it.
func explain(ctx context.Context, conn *sql.Conn, err error) error {
	if err == nil || !noLayer.MatchString(err.Error()) {
		return err
	}
	var layers sql.NullString
	failed := conn.QueryRowContext(ctx, `SELECT string_agg(DISTINCT name, ', ' ORDER BY CAST(name[7:] AS INTEGER)) FROM (
		SELECT view_name AS name FROM duckdb_views() WHERE database_name = current_database() AND regexp_matches(view_name, '^layer_[0-9]{1,9}$'))`).Scan(&layers)
	if failed != nil { // in a failed transaction, say
		return err
	}
	if !layers.Valid {
		layers.String = "none; FROM saes lists what is loaded"
	}
	return &layersError{err, layers.String}
}
