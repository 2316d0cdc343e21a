package udf

import (
	"fmt"
	"strings"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

// headRows is a row for each row of the four matrices of a block's heads.
func headRows(a *modelfile.Attention) *table {
	info := a.Info()
	var begin [modelfile.Outputs + 2]int // of each matrix among all rows
	for m := modelfile.Queries; m <= modelfile.Outputs; m++ {
		begin[m+1] = begin[m] + info.Rows(m)
	}
	of := func(row int) (m modelfile.HeadMatrix) {
		for row >= begin[m+1] {
			m++
		}
		return m
	}
	return &table{rows: begin[modelfile.Outputs+1], columns: []column{
		textColumn("matrix", func(row int) (string, bool) { return of(row).String(), true }),
		valueColumn("head_row", capi.Integer, func(row int) int32 { return int32(row - begin[of(row)]) }),
		floatsColumn("weights", info.DModel, func(from int, to []float32) error {
			for len(to) > 0 {
				m := of(from)
				n := min(begin[m+1]-from, len(to)/info.DModel)
				if err := a.ReadRows(m, from-begin[m], to[:n*info.DModel]); err != nil {
					return err
				}
				from, to = from+n, to[n*info.DModel:]
			}
			return nil
		}),
	}}
}

// headLayer is a layer of a stored model whose heads are loaded.
type headLayer struct {
	model                 *storedReader
	layer                 int32
	heads, kvHeads, width int
}

func (l *headLayer) String() string { return fmt.Sprintf("layer %d of %s", l.layer, l.model) }

// layerKey is the place of a layer.
type layerKey struct {
	database string
	id       int32
	layer    int32
}

// headLayer finds the layer of a model whose name is given.
func (f *execution) headLayer(function, name string, layer int32) (*headLayer, error) {
	model, err := f.find(function, name)
	if err != nil {
		return nil, err
	}
	fails := &fault.Error{Op: function, Subject: model.String(), Problem: fmt.Sprintf("the heads of layer %d are not loaded", layer)}
	if model.kind != unembedding || model.registered.path != "" {
		fails.Problem, fails.Hint = "heads are those of a model that is loaded", "give the name of one that was loaded with load model … --attention"
		return nil, fails
	}
	key := layerKey{model.database, model.id, layer}
	if known := f.layers[key]; known != nil {
		return known, nil
	}
	layers, err := f.readers.database.headLayers(model)
	if err != nil {
		return nil, fault.At(function, model.String(), err)
	}
	var loaded []int32
	for _, l := range layers {
		if l.layer == layer {
			f.layers[key] = l
			return l, nil
		}
		loaded = append(loaded, l.layer)
	}
	fails.Hint = fmt.Sprintf("saedb load model … --attention %d adds them", max(layer, 0))
	if len(loaded) > 0 {
		fails.Hint = "loaded: layers " + strings.Trim(schema.List(loaded), "[]") + "; " + fails.Hint
	}
	return nil, fails
}

// headLayers are the layers of a model whose heads are loaded, in their order.
func (d *database) headLayers(model *storedReader) (layers []*headLayer, err error) {
	databases, err := d.having("stored_attention", "")
	if err != nil {
		return nil, err
	}
	for _, in := range databases {
		if in.name != model.database {
			continue
		}
		err := d.query(fmt.Sprintf("SELECT layer, n_heads, n_kv_heads, d_head FROM %s WHERE model_id = %d ORDER BY layer",
			in.table("stored_attention"), model.id), func(chunk capi.Chunk) error {
			var columns [4][]int32
			for i := range columns {
				columns[i] = capi.Values[int32](chunk.Column(i), chunk.Rows())
			}
			for i := range chunk.Rows() {
				l := &headLayer{model: model, layer: columns[0][i], heads: int(columns[1][i]), kvHeads: int(columns[2][i]), width: int(columns[3][i])}
				if l.heads < 1 || l.kvHeads < 1 || l.width < 1 || l.heads%l.kvHeads != 0 {
					return model.damaged(fmt.Sprintf("the stored heads of layer %d are damaged", l.layer), "heads that share key-value heads evenly", l.kvHeads)
				}
				layers = append(layers, l)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return layers, nil
}

// headRows reads a matrix of some heads [n·width, d_model]: of n heads from head on, of W_K and W_V
// key-value heads.
func (d *database) headRows(l *headLayer, m modelfile.HeadMatrix, head, n int) ([]float32, error) {
	dModel, from, rows := l.model.dModel, head*l.width, 0
	values := make([]float32, n*l.width*dModel)
	err := d.query(fmt.Sprintf(`SELECT head_row, weights FROM %s WHERE model_id = %d AND layer = %d AND matrix = '%s'
		AND head_row >= %d AND head_row < %d AND weights IS NOT NULL`,
		l.model.in("stored_head_weights"), l.model.id, l.layer, m, from, from+n*l.width), func(chunk capi.Chunk) error {
		count := chunk.Rows()
		rows += count
		ids, lists := capi.Values[int32](chunk.Column(0), count), chunk.Column(1)
		flat := capi.Values[float32](lists.Elements(), lists.ElementCount())
		for i, entry := range capi.Values[capi.Entry](lists, count) {
			if int(entry.Length) != dModel {
				return l.model.damaged(fmt.Sprintf("row %d of W_%s of layer %d is damaged", ids[i], strings.ToUpper(m.String()), l.layer),
					fmt.Sprintf("%d values", dModel), int(entry.Length))
			}
			copy(values[(int(ids[i])-from)*dModel:], flat[entry.Offset:entry.Offset+entry.Length])
		}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case rows == n*l.width:
		return values, nil
	case rows == 0:
		return nil, &fault.Error{
			Problem: fmt.Sprintf("the heads of layer %d are not in this database, which has results alone", l.layer),
			Hint:    "use the database that they were computed in, or load the model with --replace",
		}
	}
	return nil, l.model.damaged(fmt.Sprintf("W_%s of layer %d is damaged", strings.ToUpper(m.String()), l.layer), fmt.Sprintf("%d rows", n*l.width), rows)
}

// own is the key-value head of a head, or the head itself.
func (l *headLayer) own(m modelfile.HeadMatrix, head int) int {
	if m == modelfile.Keys || m == modelfile.Values {
		return head / (l.heads / l.kvHeads)
	}
	return head
}

// headCall is what a row asks for: a head, and the matrices that lead into it and out of it.
type headCall struct {
	layer   *headLayer
	head    int
	in, out modelfile.HeadMatrix
}

// headMemory bounds the heads that one use of a function keeps.
const headMemory = 256 << 20

// through returns a head for the kernels.
func (f *execution) through(call headCall) (*compute.Through, error) {
	if known := f.heads[call]; known != nil {
		return known, nil
	}
	var matrices [2][]float32
	for i, m := range []modelfile.HeadMatrix{call.in, call.out} {
		var err error
		if matrices[i], err = f.readers.database.headRows(call.layer, m, call.layer.own(m, call.head), 1); err != nil {
			return nil, err
		}
	}
	t := compute.NewThrough(matrices[0], matrices[1], call.layer.model.dModel)
	if int64(len(f.heads)+1)*t.Bytes() > headMemory {
		clear(f.heads)
	}
	f.heads[call] = t
	return t, nil
}
