package udf

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var topNeuronsFamily = family{
	register: func(f *Functions, c capi.Connection) error {
		return registerEnds(f, c, "neuron", map[string]endOf{"top_neurons": top, "bottom_neurons": bottom})
	},
	docs: []schema.Function{
		{
			Name:      "top_neurons",
			Signature: "top_neurons(w_dec, reader [, k]) → STRUCT(neuron INTEGER, weight DOUBLE)[]",
			Description: "The k neurons (10 by default) of an MLP whose input weights have the highest product with the direction, highest first; ties by lower neuron: those that it excites most before biases. " +
				"reader is 'MODEL#mlp_in.LAYER', or of gated MLPs 'MODEL#mlp_gate.LAYER', of a model that was loaded with load model … --mlp. Products are float64's.",
			Example: "SELECT count(top_neurons(d.w_dec, d.model || '#mlp_in.' || m.layer, 3)) AS lists FROM decoder_directions d JOIN mlps m USING (model) WHERE d.feature = 1535",
		},
		{
			Name:        "bottom_neurons",
			Signature:   "bottom_neurons(w_dec, reader [, k]) → STRUCT(neuron INTEGER, weight DOUBLE)[]",
			Description: "The k neurons (10 by default) whose input weights have the lowest product with the direction, lowest first. Otherwise as top_neurons.",
			Example:     "SELECT count(bottom_neurons(d.w_dec, d.model || '#mlp_in.' || m.layer, 3)) AS lists FROM decoder_directions d JOIN mlps m USING (model) WHERE d.feature = 1535",
		},
	},
}

// neuronKinds are the kinds of readers that are a layer's, by their suffixes, each made once:
// kinds are compared by their addresses.
var neuronKinds sync.Map

// neuronKind returns the kind of a suffix such as mlp_in.9, nil for others.
func neuronKind(suffix string) *readerKind {
	matrix, layer, ok := schema.NeuronReader(suffix)
	if !ok {
		return nil
	}
	kind, _ := neuronKinds.LoadOrStore(suffix, &readerKind{
		suffix: suffix, neurons: true, layer: int32(layer), gate: matrix == modelfile.NeuronsGate.String(),
		table: "stored_mlp_weights", owner: "model_id", row: "neuron", weights: "w_in",
		where: fmt.Sprintf(" AND layer = %d AND matrix = '%s'", layer, matrix),
	})
	return kind.(*readerKind)
}

// findNeurons finds the input weights of an MLP of the model of a name.
func (d *database) findNeurons(function, name string, kind *readerKind, models []*storedReader, saes []*storedSAE) (*storedReader, error) {
	m, err := oneOf(function, name, kind, models)
	if err != nil {
		return nil, err
	}
	if m == nil {
		if registered := d.registeredModel(name); registered != nil {
			return nil, &fault.Error{
				Op: function, Subject: "model " + name, Problem: "the MLPs of a model that is registered are not read", Hint: "load it with load model … --mlp",
			}
		}
		return nil, unknownModel(function, name, models, saes)
	}
	found := *m
	found.kind, found.rows = kind, 0
	databases, err := d.having("stored_mlps", "")
	if err != nil {
		return nil, fault.At(function, "look up "+found.String(), err)
	}
	var there []string
	gated := true
	for _, in := range databases {
		if in.name != m.database {
			continue
		}
		err := d.query(fmt.Sprintf("SELECT layer, d_mlp, gated, sha256 || ' ' || norm_folded || centered FROM %s WHERE model_id = %d ORDER BY layer",
			in.table("stored_mlps"), m.id), func(chunk capi.Chunk) error {
			n := chunk.Rows()
			layers, sizes, gates := capi.Values[int32](chunk.Column(0), n), capi.Values[int32](chunk.Column(1), n), capi.Values[bool](chunk.Column(2), n)
			for i := range n {
				there = append(there, schema.Literal(schema.ReaderName(name, schema.MLPInReader)+"."+strconv.Itoa(int(layers[i]))))
				if gates[i] {
					there = append(there, schema.Literal(schema.ReaderName(name, schema.MLPGateReader)+"."+strconv.Itoa(int(layers[i]))))
				}
				if layers[i] == kind.layer {
					found.rows, gated, found.content = int(sizes[i]), gates[i], m.content+" "+chunk.Column(3).Text(i)
				}
			}
			return nil
		})
		if err != nil {
			return nil, fault.At(function, "look up "+found.String(), err)
		}
	}
	fails := &fault.Error{Op: function, Subject: found.String()}
	switch {
	case found.rows == 0:
		fails.Problem, fails.Hint = fmt.Sprintf("the MLP of layer %d was not loaded", kind.layer), fmt.Sprintf("saedb load model … --mlp %d adds it", kind.layer)
	case kind.gate && !gated:
		fails.Problem, fails.Hint = "the model's MLPs have no gate", "their input weights are "+schema.MLPInReader
	default:
		return &found, nil
	}
	if len(there) > 0 {
		fails.Hint += "; there are: " + strings.Join(there[:min(len(there), 12)], ", ")
	}
	return nil, fails
}

// endOf is an end of a ranking.
type endOf = func(*compute.Summary) *compute.Tokens

// mlpRows is a row for each neuron of an open MLP, of gated ones two: matrix VARCHAR, neuron
// INTEGER, w_in FLOAT[].
func mlpRows(m *modelfile.MLP) *table {
	info := m.Info()
	n, all := info.Neurons, info.Neurons
	if info.Gated {
		all *= 2
	}
	of := func(row int) modelfile.MLPMatrix { return modelfile.MLPMatrix(row / n) }
	return &table{rows: all, columns: []column{
		textColumn("matrix", func(row int) (string, bool) { return of(row).String(), true }),
		valueColumn("neuron", capi.Integer, func(row int) int32 { return int32(row % n) }),
		floatsColumn("w_in", info.DModel, func(from int, to []float32) error {
			for len(to) > 0 {
				some := min(n-from%n, len(to)/info.DModel)
				if err := m.ReadRows(of(from), from%n, to[:some*info.DModel]); err != nil {
					return err
				}
				from, to = from+some, to[some*info.DModel:]
			}
			return nil
		}),
	}}
}
