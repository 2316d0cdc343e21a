package schema

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Row is the values of a new row of a table beside the names of their columns.
type Row []struct {
	Column string
	Value  any
}

// Insert writes one row into a table; columns that it does not have are NULL.
func Insert(ctx context.Context, tx *sql.Tx, table string, r Row) error {
	var columns []string
	var values []any
	for _, cell := range r {
		columns, values = append(columns, cell.Column), append(values, cell.Value)
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(values)), ", ")
	_, err := tx.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), marks), values...)
	return err
}
