package schema

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/fault"
)

// Querier is a database, a connection or a transaction.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// MatchSAEs returns the names of the SAEs that words mean, by release, layer and name,
// as the macro saes_matching has it; all of them for no words. None is an error that
// lists what there is, and so are several of one short name.
func MatchSAEs(ctx context.Context, db Querier, words string) ([]string, error) {
	if words == "" {
		words = "*"
	}
	rows, err := db.QueryContext(ctx, `SELECT sae FROM saes_matching(?)`, words)
	if err != nil {
		return nil, fault.Returned(err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, fault.Returned(rows.Err())
}

// OneSAE returns the name of the only SAE that words mean, as the macro sae_named has it.
func OneSAE(ctx context.Context, db Querier, words string) (string, error) {
	rows, err := db.QueryContext(ctx, `SELECT sae_named(?)`, words)
	if err != nil {
		return "", fault.Returned(err)
	}
	defer rows.Close()
	var name string
	if rows.Next() {
		err = rows.Scan(&name)
	}
	return name, errors.Join(err, fault.Returned(rows.Err()))
}

// AtLayer is the words for the SAEs at a layer, for the arguments that have a number for it.
func AtLayer(layer int) string { return fmt.Sprintf("layer_%d", layer) }

// InSAEs is a condition that a column of names is one of these.
func InSAEs(column string, names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = Literal(name)
	}
	return column + " IN (" + strings.Join(quoted, ", ") + ")"
}
