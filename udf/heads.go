package udf

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	modelfile "github.com/saedb/saedb/loader/model"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

const (
	throughHead = "through_head"
	queryKey    = "query_key"
)

var headsFamily = family{
	register: registerHeads,
	docs: []schema.Function{
		{
			Name:      throughHead,
			Signature: "through_head(w_dec, model, layer, head) → FLOAT[]",
			Description: "What an attention head writes of a direction that it reads: W_Oᵀ · W_Vᵀ · w_dec, TransformerLens's OV. It is a direction again, which every function takes: " +
				"top_tokens(through_head(…), …). The norm before the head is in it by its weight and without its scale, and attention is 1. " +
				"Its sums are float64's. The model was loaded with load model … --attention.",
			Example: "SELECT count(through_head(w_dec, d.model, a.layer, 0)) AS through_heads FROM decoder_directions d JOIN attention a USING (model) WHERE feature = 1535",
		},
		{
			Name:      queryKey,
			Signature: "query_key(w_dec, model, layer, head [, at]) → FLOAT[]",
			Description: "What a head's attention makes of a direction, by TransformerLens's QK = W_Q · W_Kᵀ. at 'key' (the default) gives W_Q · W_Kᵀ · w_dec: the direction of queries that attend to a key with w_dec. " +
				"at 'query' gives W_K · W_Qᵀ · w_dec: the direction of keys that a query with w_dec attends to. " +
				"The product of a query's direction with query_key of a key's is their attention score times √d_head, at the same position: position embeddings, biases and the scale of norms are left out. " +
				"Its sums are float64's.",
			Example: "SELECT count(query_key(w_dec, d.model, a.layer, 0, 'query')) AS attended FROM decoder_directions d JOIN attention a USING (model) WHERE feature = 1535",
		},
	},
}

func registerHeads(f *Functions, c capi.Connection) error {
	parameters := []capi.Type{capi.Any, capi.Varchar, capi.Integer, capi.Integer}
	list := capi.List(capi.Float)
	err := c.RegisterScalar(throughHead, capi.Scalar{Parameters: parameters, Returns: list, Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
		return f.passHeads(throughHead, input, output, always(modelfile.Values, modelfile.Outputs))
	})})
	if err != nil {
		return err
	}
	return c.RegisterScalar(queryKey,
		capi.Scalar{Parameters: parameters, Returns: list, Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
			return f.passHeads(queryKey, input, output, always(modelfile.Keys, modelfile.Queries))
		})},
		capi.Scalar{Parameters: append(parameters[:4:4], capi.Varchar), Returns: list, Run: f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
			at := newTexts(input.Column(4))
			return f.passHeads(queryKey, input, output, func(row int) (in, out modelfile.HeadMatrix, given bool, err error) {
				if !at.valid(row) {
					return in, out, false, nil
				}
				switch at.at(row) {
				case "key":
					return modelfile.Keys, modelfile.Queries, true, nil
				case "query":
					return modelfile.Queries, modelfile.Keys, true, nil
				}
				return in, out, false, &fault.Error{Op: queryKey, Subject: "at", Expected: "'key' or 'query'", Found: schema.Literal(at.at(row))}
			})
		})})
}

// way is the matrices that lead a row's direction into a head and out of it; given is false where
// an argument is NULL.
type way func(row int) (in, out modelfile.HeadMatrix, given bool, err error)

func always(in, out modelfile.HeadMatrix) way {
	return func(int) (modelfile.HeadMatrix, modelfile.HeadMatrix, bool, error) { return in, out, true, nil }
}

// passHeads takes the directions of a chunk through the heads that their rows name.
func (f *execution) passHeads(function string, input capi.Chunk, output capi.Vector, matrices way) error {
	directions, err := readDirections(function, input)
	if err != nil {
		return err
	}
	calls, null, err := f.headCalls(function, input, directions, matrices)
	if err != nil {
		return err
	}
	lists := newListWriter(output, input.Rows(), null)
	for _, c := range calls {
		d := c.layer.model.dModel
		t, err := f.through(c.headCall)
		if err != nil {
			return fault.At(function, c.layer.model.String(), err)
		}
		values := make([]float32, len(c.rows)*d)
		for i, row := range c.rows {
			if err := directions.copy(values[i*d:(i+1)*d], row, c.layer.model); err != nil {
				return err
			}
		}
		out, err := numbersOf[float32](lists, c.rows, d)
		if err != nil {
			return err
		}
		if err := t.Pass(f.ctx, values, out); err != nil {
			return err
		}
		f.finished(len(c.rows))
	}
	return nil
}

// headBatch is the rows of a chunk that ask for the same head.
type headBatch struct {
	headCall
	rows []int
}

// headCalls gathers the rows of a chunk by the heads that they ask for.
func (f *execution) headCalls(function string, input capi.Chunk, directions *directionReader, matrices way) (all []*headBatch, null []int, err error) {
	rows := input.Rows()
	models := newTexts(input.Column(1))
	layers, heads := capi.Values[int32](input.Column(2), rows), capi.Values[int32](input.Column(3), rows)
	layerGiven, headGiven := input.Column(2).Validity(), input.Column(3).Validity()
	byCall := map[headCall]*headBatch{}
	for row := range rows {
		in, out, given, err := matrices(row)
		if err != nil {
			return nil, nil, err
		}
		if !given || !models.valid(row) || !layerGiven.Valid(row) || !headGiven.Valid(row) || !directions.valid(row) {
			null = append(null, row)
			continue
		}
		layer, err := f.headLayer(function, models.at(row), layers[row])
		if err != nil {
			return nil, nil, err
		}
		if heads[row] < 0 || int(heads[row]) >= layer.heads {
			return nil, nil, &fault.Error{
				Op: function, Subject: layer.String(), Problem: "head", Expected: fmt.Sprintf("0 to %d", layer.heads-1), Found: fmt.Sprint(heads[row]),
			}
		}
		call := headCall{layer, int(heads[row]), in, out}
		if byCall[call] == nil {
			byCall[call] = &headBatch{headCall: call}
			all = append(all, byCall[call])
		}
		byCall[call].rows = append(byCall[call].rows, row)
	}
	return all, null, nil
}
