package loader

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
)

// wantedEmbedding is the embedding of a model that is asked for; its zero value is none.
type wantedEmbedding struct {
	opened *model.Embedding
	sha256 string // of the files that it is read from
}

// openEmbedding opens the embedding where the request asks for it. The caller closes it.
func (r ModelRequest) openEmbedding(ctx context.Context, path string) (w wantedEmbedding, err error) {
	if !r.Options.Embedding {
		return w, nil
	}
	if w.opened, err = model.OpenEmbedding(path, r.Options); err != nil {
		return w, err
	}
	files, err := hashFiles(ctx, loadModel, path, r.Origin, w.opened.Info().Files)
	if err != nil {
		w.opened.Close()
		return wantedEmbedding{}, err
	}
	w.sha256 = digest(files)
	return w, nil
}

func (w wantedEmbedding) close() {
	if w.opened != nil {
		w.opened.Close()
	}
}

// addEmbedding writes the embedding of a model that is loaded already, unless it has one: its
// unembedding need not be read again for that.
func (ld *Loader) addEmbedding(
	ctx context.Context, tx *sql.Tx, l *load, id int, info model.Info, w wantedEmbedding, outcome *Outcome,
) (added bool, err error) {
	var there bool
	err = tx.QueryRowContext(ctx, `SELECT embedding_in IS NOT NULL FROM stored_models WHERE model_id = ?`, id).Scan(&there)
	if err != nil || there {
		return false, err
	}
	if err := ld.writeEmbedding(ctx, tx, l.name, id, info, w); err != nil {
		return false, err
	}
	outcome.Now = "its embedding is loaded now"
	return true, nil
}

// writeEmbedding writes the rows of an embedding, of a model whose row of stored_models is
// there, unless its stored unembedding has the same.
func (ld *Loader) writeEmbedding(
	ctx context.Context, tx *sql.Tx, name string, id int, unembedding model.Info, w wantedEmbedding,
) error {
	info := w.opened.Info()
	if info.DModel != unembedding.DModel || info.DVocab != unembedding.DVocab {
		return &fault.Error{
			Subject:  info.Path + ": embedding " + info.Tensor,
			Expected: fmt.Sprintf("shape [%d, %d], that of the unembedding", unembedding.DVocab, unembedding.DModel),
			Found:    fmt.Sprintf("[%d, %d]", info.DVocab, info.DModel), Hint: "load it without --embedding",
		}
	}
	in := "stored_embeddings"
	if p := unembedding.Processing; p.UnembeddingTensor == info.Tensor && p.Unchanged() {
		in = "stored_unembeddings"
	}
	_, err := tx.ExecContext(ctx, `UPDATE stored_models SET embedding_tensor = ?, embedding_sha256 = ?, embedding_in = ?
		WHERE model_id = ?`,
		info.Tensor, w.sha256, in, id)
	if err != nil || in != "stored_embeddings" {
		return err
	}
	rows, withdraw := ld.Opened.OfferEmbedding(w.opened)
	defer withdraw()
	err = ld.fill(ctx, tx, "embedding of "+name, info.DVocab, fmt.Sprintf(`INSERT INTO stored_embeddings
		SELECT %d, token_id, w_e FROM %s`, id, rows))
	if err != nil {
		return err
	}
	return schema.RecordContents(ctx, tx, id, in)
}
