package schema

import (
	"context"
	"database/sql"
)

// Querier is a database, a connection or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Rows returns the rows of a query, each a T whose parts that columns points to are its
// columns. With an error it returns those that were read before.
func Rows[T any](ctx context.Context, db Querier, columns func(*T) []any, query string, args ...any) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		var row T
		if err := rows.Scan(columns(&row)...); err != nil {
			return all, err
		}
		all = append(all, row)
	}
	return all, rows.Err()
}

// Collect returns the single column of a query.
func Collect[T any](ctx context.Context, db Querier, query string, args ...any) ([]T, error) {
	return Rows(ctx, db, func(v *T) []any { return []any{v} }, query, args...)
}

// Values returns the names of a query's columns and its rows as the driver's values.
func Values(ctx context.Context, db Querier, query string, args ...any) (columns []string, all [][]any, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	if columns, err = rows.Columns(); err != nil {
		return nil, nil, err
	}
	pointers := make([]any, len(columns))
	for rows.Next() {
		row := make([]any, len(columns))
		for i := range row {
			pointers[i] = &row[i]
		}
		if err := rows.Scan(pointers...); err != nil {
			return nil, nil, err
		}
		all = append(all, row)
	}
	return columns, all, rows.Err()
}

// A ListOf is scanned from a list of DuckDB's; what is NULL in it is T's zero value.
type ListOf[T any] []T

// Scan implements [sql.Scanner].
func (l *ListOf[T]) Scan(value any) error {
	elements, _ := value.([]any)
	*l = make(ListOf[T], len(elements))
	for i, element := range elements {
		(*l)[i], _ = element.(T)
	}
	return nil
}
