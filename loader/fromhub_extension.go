//go:build saedb_extension

package loader

import (
	"context"
	"database/sql"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
)

// HubClient is none: the loadable extension opens no network connections, in whoever's
// process it is.
type HubClient struct{}

// modelPath is the path of the files that a model was loaded from.
func (ld *Loader) modelPath(ctx context.Context, tx *sql.Tx, m loadedModel, _ model.BlockKind, _ int) (string, error) {
	var source string
	var revision sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT source, revision FROM stored_loads WHERE load_id = ?`, m.id).Scan(&source, &revision)
	if err == nil && revision.Valid {
		err = fromHub(source)
	}
	return source, err
}

func cachedFile(_ context.Context, source, _ string) (string, error) { return "", fromHub(source) }

func fromHub(source string) error {
	return &fault.Error{Subject: source, Problem: "is on the Hub, which the extension does not read", Hint: "do this with the program saedb"}
}
