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

// wantedMLPs are the layers whose MLPs are asked for; its zero value is none.
type wantedMLPs struct {
	path    string
	options model.Options
	layers  []model.MLPInfo
	sha256  string // of the files that all of them are read from
}

// findMLPs makes sure that the input weights of the MLPs that the request asks for can be read,
// and hashes their files.
func (r ModelRequest) findMLPs(ctx context.Context, path string) (w wantedMLPs, err error) {
	if r.Options.MLP == "" {
		return w, nil
	}
	w.path, w.options = path, r.Options
	n, err := model.Layers(path)
	if err != nil {
		return w, err
	}
	layers, err := model.BlockLayers(r.Options.MLP, n)
	if err != nil {
		return w, err
	}
	var from []string
	for _, layer := range layers {
		opened, err := model.OpenMLP(path, layer, r.Options)
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

// writeMLPs writes the input weights of the MLPs that a model whose row of stored_models is there
// has not, and returns of how many layers these are.
func (ld *Loader) writeMLPs(ctx context.Context, tx *sql.Tx, name string, id int, unembedding model.Info, w wantedMLPs) (written int, err error) {
	there, err := schema.Collect[int](ctx, tx, "SELECT layer FROM stored_mlps WHERE model_id = ?", id)
	if err != nil {
		return 0, err
	}
	for _, info := range w.layers {
		if slices.Contains(there, info.Layer) {
			continue
		}
		if info.DModel != unembedding.DModel {
			return written, &fault.Error{
				Subject: fmt.Sprintf("%s: MLP of layer %d", info.Path, info.Layer), Expected: fmt.Sprintf("d_model %d, that of the unembedding", unembedding.DModel),
				Found: fmt.Sprint(info.DModel), Hint: "load it without --mlp",
			}
		}
		if err := ld.writeMLP(ctx, tx, name, id, info, w); err != nil {
			return written, err
		}
		written++
	}
	if written == 0 {
		return 0, nil
	}
	return written, schema.RecordContents(ctx, tx, id, "stored_mlp_weights")
}

// writeMLP writes the input weights of one MLP.
func (ld *Loader) writeMLP(ctx context.Context, tx *sql.Tx, name string, id int, info model.MLPInfo, w wantedMLPs) error {
	opened, err := model.OpenMLP(w.path, info.Layer, w.options)
	if err != nil {
		return err
	}
	defer opened.Close()
	err = insert(ctx, tx, "stored_mlps", row{
		{"model_id", id}, {"layer", info.Layer}, {"d_mlp", info.Neurons}, {"gated", info.Gated}, {"dtype", info.DType}, {"tensors", strings.Join(info.Tensors, ", ")},
		{"norm_tensor", optional(info.NormTensor)}, {"norm_folded", info.NormFolded}, {"centered", info.Centered}, {"sha256", w.sha256},
	})
	if err != nil {
		return err
	}
	rows, withdraw := ld.Opened.OfferMLP(opened)
	defer withdraw()
	all := info.Neurons
	if info.Gated {
		all *= 2
	}
	return ld.fill(ctx, tx, fmt.Sprintf("MLP of layer %d of %s", info.Layer, name), all, fmt.Sprintf(`INSERT INTO stored_mlp_weights
		SELECT %d, %d, matrix, neuron, w_in FROM %s`, id, info.Layer, rows))
}
