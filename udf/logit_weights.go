package udf

import (
	"fmt"

	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var logitWeightsFamily = family{
	register: registerLogitWeights,
	docs: []schema.Function{
		{
			Name:        "logit_weight",
			Signature:   "logit_weight(w_dec, reader, token_id) → DOUBLE",
			Description: "The direction's logit weight for one token, or its product with one row of another reader, by the row's number.",
			Example: "SELECT feature, logit_weight(w_dec, 'smollm2-135m', token_id) AS weight FROM decoder_directions, tokens " +
				"WHERE layer = 29 AND token = 'Ġthe' ORDER BY weight DESC LIMIT 5",
		},
		{
			Name:      "logit_weights",
			Signature: "logit_weights(w_dec, reader) → FLOAT[]",
			Description: "The direction's logit weight for every token, in order of token id, or its product with every row of another reader. A vocabulary of numbers a row: " +
				"ask for few rows, or use the functions that never make it.",
			Example: "SELECT feature, list_max(logit_weights(w_dec, 'smollm2-135m')) AS highest FROM decoder_directions WHERE layer = 29 LIMIT 5",
		},
	},
}

func registerLogitWeights(f *Functions, c capi.Connection) error {
	err := c.RegisterScalar("logit_weight", capi.Scalar{
		Parameters: []capi.Type{capi.Any, capi.Varchar, capi.Integer}, Returns: capi.Double, Run: f.of((*execution).logitWeight),
	})
	if err != nil {
		return err
	}
	return c.RegisterScalar("logit_weights", capi.Scalar{
		Parameters: []capi.Type{capi.Any, capi.Varchar}, Returns: capi.List(capi.Float), Run: f.of((*execution).logitWeights),
	})
}

func (f *execution) logitWeight(input capi.Chunk, output capi.Vector) error {
	models := newTexts(input.Column(1))
	ids, given := capi.Values[int32](input.Column(2), input.Rows()), input.Column(2).Validity()
	all, null, err := f.batches("logit_weight", input, func(row int) (call, bool, error) {
		return call{reader: models.at(row), scope: scopeAll}, models.valid(row) && given.Valid(row), nil
	})
	if err != nil {
		return err
	}
	for _, i := range null {
		output.SetNull(i, 0)
	}
	out := capi.Values[float64](output, input.Rows())
	for _, b := range all {
		d := b.reader.matrix.DModel()
		for i, row := range b.rows {
			if vocab := b.reader.matrix.Vocab(); ids[row] < 0 || int(ids[row]) >= vocab {
				return &fault.Error{
					Op: "logit_weight", Subject: "token_id", Expected: fmt.Sprintf("0 to %d, %s", vocab-1, b.reader.stored.contents()),
					Found: fmt.Sprint(ids[row]),
				}
			}
			out[row] = b.reader.matrix.LogitWeight(b.directions[i*d:(i+1)*d], int(ids[row]))
		}
		f.finished(len(b.rows))
	}
	return nil
}

func (f *execution) logitWeights(input capi.Chunk, output capi.Vector) error {
	models := newTexts(input.Column(1))
	all, null, err := f.batches("logit_weights", input, func(row int) (call, bool, error) {
		return call{reader: models.at(row), scope: scopeAll}, models.valid(row), nil
	})
	if err != nil {
		return err
	}
	lists := newListWriter(output, input.Rows(), null)
	for _, b := range all {
		out, err := numbersOf[float32](lists, b.rows, b.reader.matrix.Vocab())
		if err != nil {
			return err
		}
		if err := b.reader.matrix.LogitWeights(f.ctx, b.directions, out); err != nil {
			return err
		}
		f.finished(len(b.rows))
	}
	return nil
}
