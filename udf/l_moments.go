package udf

import (
	"math"

	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var lMomentsFamily = family{
	register: registerLMoments,
	docs: []schema.Function{{
		Name:      "l_moments",
		Signature: "l_moments(w_dec, reader [, tokens]) → STRUCT(l_scale, l_skewness, l_kurtosis DOUBLE)",
		Description: "Shape of the distribution of the direction's logit weights, or of its products with the rows of another reader, by their order (Hosking 1990), on which a few far tokens weigh less than on the moments of logit_stats: " +
			"l_scale λ₂ is half the expected distance of two tokens' logit weights, l_skewness λ₃/λ₂ (0 where symmetric) and l_kurtosis λ₄/λ₂ (0.1226 of a normal distribution) are within -1 and 1. " +
			"The two are NULL where all logit weights are equal, λᵣ for fewer than r tokens. It sorts the vocabulary for each direction. " +
			"tokens is 'all' (the default) or 'real'.",
		Example: "SELECT feature, unnest(l_moments(w_dec, model)) FROM decoder_directions WHERE layer = 29 LIMIT 5",
	}},
}

var lMomentsFields = []capi.Field{
	{Name: "l_scale", Type: capi.Double}, {Name: "l_skewness", Type: capi.Double}, {Name: "l_kurtosis", Type: capi.Double},
}

func registerLMoments(f *Functions, c capi.Connection) error {
	return c.RegisterScalar("l_moments", withTokens("l_moments", []capi.Type{capi.Any, capi.Varchar}, capi.Struct(lMomentsFields...), f, (*execution).lMoments)...)
}

func (f *execution) lMoments(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	models := newTexts(input.Column(1))
	all, null, err := f.batches("l_moments", input, tokens.in(func(row int) (call, bool, error) {
		return call{reader: models.at(row), scope: scopeAll}, models.valid(row), nil
	}))
	if err != nil {
		return err
	}
	for _, i := range null {
		output.SetNull(i, len(lMomentsFields))
	}
	var fields [3]capi.Vector
	var values [3][]float64
	for j := range fields {
		fields[j] = output.Field(j)
		values[j] = capi.Values[float64](fields[j], input.Rows())
	}
	for _, b := range all {
		shapes, err := enrichment.FeatureLMoments(f.ctx, b.reader.matrix, b.directions, f.finished)
		if err != nil {
			return err
		}
		for i, row := range b.rows {
			for j, value := range [3]float64{shapes[i].Scale, shapes[i].Skewness, shapes[i].Kurtosis} {
				if values[j][row] = value; math.IsNaN(value) {
					fields[j].SetNull(row, 0)
				}
			}
		}
	}
	return nil
}
