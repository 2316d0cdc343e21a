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

// A layerPart is a part of a model's blocks that is loaded by layer, besides its unembedding.
type layerPart struct {
	one, several string                     // what it is, of one layer and of several
	flag         string                     // that asks for it
	asked        func(model.Options) string // the layers
	table        string                     // has a row a layer
	weights      string                     // the table of the rows of its matrices
	columns      string                     // of that table and of what is offered to it
	open         func(path string, layer int, o model.Options) (layerWeights, error)
}

// layerWeights are the open matrices of a part of a block.
type layerWeights interface {
	source() layerSource
	described() schema.Row // in the row of the layer, with what the loader knows besides
	rows() int             // of all matrices
	offer(Opened) (expression string, withdraw func())
	Close() error
}

// layerSource is where weights of a layer are read from.
type layerSource struct {
	path   string
	layer  int
	dModel int
	files  []string
}

// layerParts are the parts, in the order in which they are loaded.
var layerParts = []layerPart{
	{
		one: "heads", several: "heads", flag: "--attention", asked: func(o model.Options) string { return o.Attention },
		table: "stored_attention", weights: "stored_head_weights", columns: "matrix, head_row, weights",
		open: func(path string, layer int, o model.Options) (layerWeights, error) {
			a, err := model.OpenAttention(path, layer, o)
			return headWeights{a}, err
		},
	},
	{
		one: "MLP", several: "MLPs", flag: "--mlp", asked: func(o model.Options) string { return o.MLP },
		table: "stored_mlps", weights: "stored_mlp_weights", columns: "matrix, neuron, w_in",
		open: func(path string, layer int, o model.Options) (layerWeights, error) {
			m, err := model.OpenMLP(path, layer, o)
			return mlpWeights{m}, err
		},
	},
}

// headWeights are those of a block's heads.
type headWeights struct{ *model.Attention }

func (h headWeights) source() layerSource {
	info := h.Info()
	return layerSource{info.Path, info.Layer, info.DModel, info.Files}
}

func (h headWeights) described() schema.Row {
	info := h.Info()
	return schema.Row{
		{"n_heads", info.Heads}, {"n_kv_heads", info.KVHeads}, {"d_head", info.DHead}, {"dtype", info.DType},
		{"tensors", strings.Join(info.Tensors, ", ")}, {"norm_tensor", optional(info.NormTensor)}, {"norm_folded", info.NormFolded},
		{"head_norms", optional(strings.Join(info.HeadNorms, ", "))}, {"centered", info.Centered}, {"post_norm", info.PostNorm},
	}
}

func (h headWeights) rows() (all int) {
	for m := model.Queries; m <= model.Outputs; m++ {
		all += h.Info().Rows(m)
	}
	return all
}

func (h headWeights) offer(to Opened) (string, func()) { return to.OfferAttention(h.Attention) }

// mlpWeights are the input weights of a block's MLP.
type mlpWeights struct{ *model.MLP }

func (m mlpWeights) source() layerSource {
	info := m.Info()
	return layerSource{info.Path, info.Layer, info.DModel, info.Files}
}

func (m mlpWeights) described() schema.Row {
	info := m.Info()
	return schema.Row{
		{"d_mlp", info.Neurons}, {"gated", info.Gated}, {"dtype", info.DType}, {"tensors", strings.Join(info.Tensors, ", ")},
		{"norm_tensor", optional(info.NormTensor)}, {"norm_folded", info.NormFolded}, {"centered", info.Centered},
	}
}

func (m mlpWeights) rows() int {
	if info := m.Info(); info.Gated {
		return 2 * info.Neurons
	}
	return m.Info().Neurons
}

func (m mlpWeights) offer(to Opened) (string, func()) { return to.OfferMLP(m.MLP) }

// wantedLayers are the layers of which a part is asked for.
type wantedLayers struct {
	layerPart
	path    string
	options model.Options
	layers  []layerSource
	sha256  string // of the files that all of them are read from
}

// findLayers makes sure that the parts of the layers that the request asks for can be read, and
// hashes their files.
func (r ModelRequest) findLayers(ctx context.Context, path string) (all []wantedLayers, err error) {
	for _, part := range layerParts {
		if part.asked(r.Options) == "" {
			continue
		}
		w := wantedLayers{layerPart: part, path: path, options: r.Options}
		n, err := model.Layers(path)
		if err != nil {
			return nil, err
		}
		layers, err := model.BlockLayers(part.asked(r.Options), n)
		if err != nil {
			return nil, err
		}
		var from []string
		for _, layer := range layers {
			opened, err := part.open(path, layer, r.Options)
			if err != nil {
				return nil, err
			}
			w.layers = append(w.layers, opened.source())
			from = append(from, opened.source().files...)
			opened.Close()
		}
		slices.Sort(from)
		files, err := hashFiles(ctx, loadModel, path, r.Origin, slices.Compact(from))
		if err != nil {
			return nil, err
		}
		w.sha256 = digest(files)
		all = append(all, w)
	}
	return all, nil
}

// writeLayers writes the layers that a model whose row of stored_models is there has not, and
// returns how many these are.
func (ld *Loader) writeLayers(ctx context.Context, tx *sql.Tx, name string, id int, unembedding model.Info, w wantedLayers) (written int, err error) {
	there, err := schema.Collect[int](ctx, tx, "SELECT layer FROM "+w.table+" WHERE model_id = ?", id)
	if err != nil {
		return 0, err
	}
	for _, s := range w.layers {
		if slices.Contains(there, s.layer) {
			continue
		}
		if s.dModel != unembedding.DModel {
			return written, &fault.Error{
				Subject: fmt.Sprintf("%s: %s of layer %d", s.path, w.one, s.layer), Expected: fmt.Sprintf("d_model %d, that of the unembedding", unembedding.DModel),
				Found: fmt.Sprint(s.dModel), Hint: "load it without " + w.flag,
			}
		}
		if err := ld.writeLayer(ctx, tx, name, id, s.layer, w); err != nil {
			return written, err
		}
		written++
	}
	if written == 0 {
		return 0, nil
	}
	return written, schema.RecordContents(ctx, tx, id, w.weights)
}

func (ld *Loader) writeLayer(ctx context.Context, tx *sql.Tx, name string, id, layer int, w wantedLayers) error {
	opened, err := w.open(w.path, layer, w.options)
	if err != nil {
		return err
	}
	defer opened.Close()
	err = schema.Insert(ctx, tx, w.table, append(schema.Row{{"model_id", id}, {"layer", layer}, {"sha256", w.sha256}}, opened.described()...))
	if err != nil {
		return err
	}
	rows, withdraw := opened.offer(ld.Opened)
	defer withdraw()
	return ld.fill(ctx, tx, fmt.Sprintf("%s of layer %d of %s", w.one, layer, name), opened.rows(), fmt.Sprintf(`INSERT INTO %s
		SELECT %d, %d, %s FROM %s`, w.weights, id, layer, w.columns, rows))
}
