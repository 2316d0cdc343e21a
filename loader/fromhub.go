package loader

import (
	"context"
	"database/sql"
	"os"
	"path"
	"strings"

	"github.com/saedb/saedb/loader/hub"
	"github.com/saedb/saedb/loader/model"
)

// HubClient is the client of the Hub.
type HubClient = hub.Client

// hubClient is the client for what a load needs of a model that came from the Hub.
func (ld *Loader) hubClient() (*hub.Client, error) {
	if ld.Hub != nil {
		return ld.Hub()
	}
	return hub.NewClient(os.Getenv)
}

// modelPath is the path of the files that a model was loaded from, with what
// need asks for among them: of a model on the Hub it is downloaded now, as the model's
// own load had no need of it.
func (ld *Loader) modelPath(ctx context.Context, tx *sql.Tx, m loadedModel, need hub.Need) (string, error) {
	var source string
	var revision sql.NullString
	err := tx.QueryRowContext(ctx, `SELECT source, revision FROM stored_loads WHERE load_id = ?`, m.id).Scan(&source, &revision)
	if err != nil || !revision.Valid {
		return source, err
	}
	at, err := hub.ParseReference(source + "@" + revision.String)
	if err != nil {
		return "", err
	}
	client, err := ld.hubClient()
	if err != nil {
		return "", err
	}
	if strings.EqualFold(path.Ext(at.Path), ".gguf") {
		return client.File(ctx, at)
	}
	_, dir, err := client.Model(ctx, at, need)
	return dir, err
}

// needBlock asks for a matrix of a block.
func needBlock(kind model.BlockKind, layer int) hub.Need {
	return func(config []byte, names []string) ([]string, error) {
		name, err := model.NeededBlockTensor(config, names, kind, layer)
		return []string{name}, err
	}
}

// cachedFile is the local path of a file of the Hub, which is in the cache unless
// someone emptied it since.
func cachedFile(ctx context.Context, source, commit string) (string, error) {
	at, err := hub.ParseReference(source + "@" + commit)
	if err != nil {
		return "", err
	}
	client, err := hub.NewClient(os.Getenv)
	if err != nil {
		return "", err
	}
	return client.File(ctx, at)
}
