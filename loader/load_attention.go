package loader

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/saedb/saedb/internal/fault"
	"github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
)

// wantedHeads are the layers whose heads are asked for; its zero value is none.
type wantedHeads struct {
	path    string
	options model.Options
	layers  []model.AttentionInfo
	sha256  string // of the files that all of them are read from
}

// findHeads makes sure that the heads of the layers that the request asks for can be read, and
// hashes their files.
func (r ModelRequest) findHeads(ctx context.Context, path string) (w wantedHeads, err error) {
	if r.Options.Attention == "" {
		return w, nil
	}
	w.path, w.options = path, r.Options
	n, err := model.Layers(path)
	if err != nil {
		return w, err
	}
	layers, err := model.BlockLayers(r.Options.Attention, n)
	if err != nil {
		return w, err
	}
	var from []string
	for _, layer := range layers {
		opened, err := model.OpenAttention(path, layer, r.Options)
		if err != nil {
			return w, err
		}
		w.layers = append(w.layers, opened.Info())
		from = append(from, opened.Info().Files...)
		opened.Close()
	}
	slices.Sort(from)
	files, err := hashFiles(ctx, loadModel, path, r.Origin, slices.Compact(from))
	w.sha256 = digest(files)
	return w, err
}

// writeHeads writes the heads of the layers that a model whose row of stored_models is there
// has not, and returns how many these are.
func (ld *Loader) writeHeads(ctx context.Context, tx *sql.Tx, name string, id int, unembedding model.Info, w wantedHeads) (written int, err error) {
	there, err := schema.Collect[int](ctx, tx, "SELECT layer FROM stored_attention WHERE model_id = ?", id)
	if err != nil {
		return 0, err
	}
	for _, info := range w.layers {
		if slices.Contains(there, info.Layer) {
			continue
		}
		if info.DModel != unembedding.DModel {
			return written, &fault.Error{
				Subject: fmt.Sprintf("%s: heads of layer %d", info.Path, info.Layer), Expected: fmt.Sprintf("d_model %d, that of the unembedding", unembedding.DModel),
				Found: fmt.Sprint(info.DModel), Hint: "load it without --attention",
			}
		}
		if err := ld.writeLayer(ctx, tx, name, id, info, w); err != nil {
			return written, err
		}
		written++
	}
	if written == 0 {
		return 0, nil
	}
	return written, schema.RecordContents(ctx, tx, id, "stored_head_weights")
}

// writeLayer writes the heads of one layer.
func (ld *Loader) writeLayer(ctx context.Context, tx *sql.Tx, name string, id int, info model.AttentionInfo, w wantedHeads) error {
	opened, err := model.OpenAttention(w.path, info.Layer, w.options)
	if err != nil {
		return err
	}
	defer opened.Close()
	err = insert(ctx, tx, "stored_attention", row{
		{"model_id", id}, {"layer", info.Layer}, {"n_heads", info.Heads}, {"n_kv_heads", info.KVHeads}, {"d_head", info.DHead}, {"dtype", info.DType},
		{"tensors", strings.Join(info.Tensors, ", ")}, {"norm_tensor", optional(info.NormTensor)}, {"norm_folded", info.NormFolded}, {"head_norms", optional(strings.Join(info.HeadNorms, ", "))},
		{"centered", info.Centered}, {"post_norm", info.PostNorm}, {"sha256", w.sha256},
	})
	if err != nil {
		return err
	}
	rows, withdraw := ld.Opened.OfferAttention(opened)
	defer withdraw()
	all := 0
	for m := model.Queries; m <= model.Outputs; m++ {
		all += info.Rows(m)
	}
	return ld.fill(ctx, tx, fmt.Sprintf("heads of layer %d of %s", info.Layer, name), all, fmt.Sprintf(`INSERT INTO stored_head_weights
		SELECT %d, %d, matrix, head_row, weights FROM %s`, id, info.Layer, rows))
}
