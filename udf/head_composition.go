package udf

import (
	"context"
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const tableComposition = "head_composition"

var compositionFamily = family{
	register: registerComposition,
	docs: []schema.Function{{
		Name:      tableComposition,
		Signature: "head_composition(sae, layers) → TABLE(sae VARCHAR, feature, layer, head INTEGER, q, k, v, o, q_z, k_z, v_z, o_z DOUBLE)",
		Description: "How much of each feature of an SAE the heads of layers take up and write: ‖M·w‖ / (‖M‖·‖w‖), the norm of the product over the product of norms. " +
			"Of the decoder direction q is through the queries (M = W_K·W_Qᵀ), k through the keys (W_Q·W_Kᵀ) and v through the values (W_Oᵀ·W_Vᵀ); o is of the encoder through what the head writes (W_V·W_O), NULL where it is not loaded. " +
			"A random direction has 1/√d_model (root mean square), whatever the head; the _z columns are how many standard deviations the square is above that of random directions. " +
			"A head reads a decoder at its own block's input or before, and writes for an encoder after it: which layers these are is for the query to say. " +
			"sae is one SAE in the words of readers, layers 'all' that are loaded (load model … --attention), or '9', '0-3,9'. All scores are computed. A zero direction has NULL.",
		Example: "SELECT count(*) AS heads FROM attention, head_composition('layer_29', 'all')",
	}},
}

func registerComposition(f *Functions, c capi.Connection) error {
	return c.RegisterTable(tableComposition, 2, func(caller capi.Caller, arguments []string) (capi.Table, error) {
		t, err := f.readers.database.composing(arguments[0], arguments[1])
		if err != nil {
			return nil, fault.At(tableComposition, "", err)
		}
		t.functions, t.caller = f, caller
		return t, nil
	})
}

// composing is one use of head_composition.
type composing struct {
	functions        *Functions
	caller           capi.Caller
	name             string
	decoder, encoder *storedReader // encoder is nil where it is not loaded
	layers           []*headLayer
}

// composing finds the SAE and the layers.
func (d *database) composing(words, layers string) (*composing, error) {
	saes, err := d.saes()
	if err != nil {
		return nil, err
	}
	s, err := oneSAE(words, saes)
	if err != nil {
		return nil, fault.At("", fmt.Sprintf("SAE %q", words), err)
	}
	c := &composing{name: s.name}
	if c.decoder, err = findFeatures(tableComposition, words, decoder, saes); err != nil {
		return nil, err
	}
	if s.encoder {
		if c.encoder, err = findFeatures(tableComposition, words, encoder, saes); err != nil {
			return nil, err
		}
	}
	model, err := d.modelOf(s)
	if err != nil {
		return nil, err
	}
	loaded, err := d.headLayers(model)
	if err != nil {
		return nil, err
	}
	none := &fault.Error{Subject: model.String(), Problem: "no heads are loaded", Hint: "saedb load model … --attention all adds them"}
	if len(loaded) == 0 {
		if layers == modelfile.AllLayers {
			return c, nil // of none, all
		}
		return nil, none
	}
	last := int(loaded[len(loaded)-1].layer)
	wanted, err := modelfile.BlockLayers(layers, last+1)
	if err != nil {
		return nil, fault.At("", model.String(), err)
	}
	for _, layer := range wanted {
		found := false
		for _, l := range loaded {
			if int(l.layer) == layer {
				c.layers, found = append(c.layers, l), true
			}
		}
		if !found && layers != modelfile.AllLayers {
			none.Problem, none.Hint = fmt.Sprintf("the heads of layer %d are not loaded", layer), fmt.Sprintf("saedb load model … --attention %d adds them", layer)
			return nil, none
		}
	}
	return c, nil
}

// modelOf is the model of an SAE.
func (d *database) modelOf(s *storedSAE) (*storedReader, error) {
	models, err := d.list()
	if err != nil {
		return nil, err
	}
	var id int32
	err = d.query(fmt.Sprintf("SELECT model_id FROM %s WHERE sae_id = %d", s.in.table("stored_saes"), s.id), func(chunk capi.Chunk) error {
		id = capi.Values[int32](chunk.Column(0), 1)[0]
		return nil
	})
	if err != nil {
		return nil, err
	}
	found := choose(models, func(m *storedReader) bool { return m.database == s.in.name && m.id == id })
	if len(found) == 0 {
		return nil, &fault.Error{Subject: "SAE " + s.name, Problem: "its model is not in this database"}
	}
	return found[0], nil
}

func (c *composing) Columns() []capi.Field { return c.table(nil, 0, 0).Columns() }
func (c *composing) Rows() int64           { return -1 }
func (c *composing) Close() error          { return nil }

func (c *composing) Scan(columns []int) (capi.Scan, error) {
	return &compositionScan{composing: c, execution: c.functions.execution(c.caller.Connection), columns: columns}, nil
}

// composedBlock is the scores of some features with the heads of a layer, [features, heads], of q, k, v
// and o, and their standard scores.
type composedBlock struct {
	scores, z [4][]float64
}

// table is the rows of n features from the one at first on, with the heads of a layer.
func (c *composing) table(l *headLayer, first, n int, of ...composedBlock) *table {
	t := &table{functions: c.functions, connection: c.caller.Connection}
	heads := 1
	if l != nil {
		heads, t.rows = l.heads, n*l.heads
	}
	number := func(name string, at func(row int) int) column {
		return valueColumn(name, capi.Integer, func(row int) int32 { return int32(at(row)) })
	}
	t.columns = []column{
		textColumn("sae", func(int) (string, bool) { return c.name, true }),
		number("feature", func(row int) int { return first + row/heads }),
		number("layer", func(int) int { return int(l.layer) }),
		number("head", func(row int) int { return row % heads }),
	}
	figure := func(name string, i int, values func(b *composedBlock) *[4][]float64) {
		t.columns = append(t.columns, knownColumn(name, capi.Double, func(row int) (float64, bool) {
			all := values(&of[0])[i]
			if all == nil {
				return 0, false
			}
			return all[row], !math.IsNaN(all[row]) && !math.IsInf(all[row], 0)
		}))
	}
	for i, name := range []string{"q", "k", "v", "o"} {
		figure(name, i, func(b *composedBlock) *[4][]float64 { return &b.scores })
	}
	for i, name := range []string{"q_z", "k_z", "v_z", "o_z"} {
		figure(name, i, func(b *composedBlock) *[4][]float64 { return &b.z })
	}
	return t
}

type compositionScan struct {
	*composing
	*execution
	columns []int
	layer   int // index of layers
	feature int // first of the next block
	by      [4]*compute.Composition
	rows    capi.Scan

	directions []float32 // of the block
}

func (s *compositionScan) Threads() int { return 1 }
func (s *compositionScan) Close() error { return nil }

// composedFeatures are computed at a time.
const composedFeatures = 1024

func (s *compositionScan) Next(output capi.Chunk) (int, error) {
	for {
		if s.rows != nil {
			if n, err := s.rows.Next(output); n > 0 || err != nil {
				return n, err
			}
			s.rows = nil
		}
		if s.layer == len(s.composing.layers) {
			return 0, nil
		}
		if err := s.During(s.of, s.caller, s.block); err != nil {
			return 0, fault.At(tableComposition, s.composing.layers[s.layer].String(), err)
		}
	}
}

// block computes the next block of features.
func (s *compositionScan) block(ctx context.Context) (err error) {
	l := s.composing.layers[s.layer]
	if s.feature == 0 {
		if err := s.functions.readers.database.compositions(l, &s.by, s.encoder != nil); err != nil {
			return err
		}
	}
	n := min(composedFeatures, s.decoder.rows-s.feature)
	var b composedBlock
	for i, from := range []*storedReader{s.decoder, s.decoder, s.decoder, s.encoder} {
		if s.by[i] == nil {
			continue
		}
		if i == 0 || i == 3 {
			if s.directions, err = s.functions.readers.database.readSome(ctx, from, s.feature, n, s.directions); err != nil {
				return err
			}
		}
		b.scores[i], b.z[i] = make([]float64, n*l.heads), make([]float64, n*l.heads)
		if err := s.by[i].Score(ctx, s.directions, b.scores[i], b.z[i]); err != nil {
			return err
		}
	}
	if s.rows, err = s.table(l, s.feature, n, b).Scan(s.columns); err != nil {
		return err
	}
	if s.feature += n; s.feature == s.decoder.rows {
		s.layer, s.feature = s.layer+1, 0
	}
	return nil
}

// compositions makes what scores q, k, v and, where there is an encoder, o of a layer.
func (d *database) compositions(l *headLayer, to *[4]*compute.Composition, encoder bool) error {
	var matrices [4][]float32
	for m := modelfile.Queries; m <= modelfile.Outputs; m++ {
		n := l.heads
		if l.own(m, l.heads-1) < l.heads-1 {
			n = l.kvHeads
		}
		var err error
		if matrices[m], err = d.headRows(l, m, 0, n); err != nil {
			return err
		}
	}
	for i, way := range [][2]modelfile.HeadMatrix{
		{modelfile.Queries, modelfile.Keys}, {modelfile.Keys, modelfile.Queries}, {modelfile.Values, modelfile.Outputs}, {modelfile.Outputs, modelfile.Values},
	} {
		if to[i] = nil; i == 3 && !encoder {
			continue
		}
		places := make([]compute.HeadPlace, l.heads)
		for head := range places {
			places[head] = compute.HeadPlace{In: l.own(way[0], head), Out: l.own(way[1], head)}
		}
		var err error
		if to[i], err = compute.NewComposition(matrices[way[0]], matrices[way[1]], places, l.width, l.model.dModel); err != nil {
			return err
		}
	}
	return nil
}
