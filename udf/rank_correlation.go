package udf

import (
	"math"

	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var rankCorrelationFamily = family{
	register: registerRankCorrelation,
	docs: []schema.Function{{
		Name:      "rank_correlation",
		Signature: "rank_correlation(w_dec, reader, other [, tokens]) → DOUBLE",
		Description: "Spearman's rank correlation of the logit weights of two directions, or of their products with the rows of another reader: 1 where both rank all tokens alike, -1 where one ranks them as the other does from below. " +
			"So rank_correlation(w_dec, 'gpt2', through_lens(w_dec, 'jlens', 8)) says how far a lens moves a feature. Tokens of equal weights share the mean of their ranks; NULL where all weights of one direction are equal. " +
			"It sorts the vocabulary twice for each pair. tokens is 'all' (the default) or 'real'.",
		Example: "SELECT a.feature AS feature, b.feature AS other, rank_correlation(a.w_dec, a.model, b.w_dec) AS correlation FROM decoder_directions a JOIN decoder_directions b USING (layer) WHERE layer = 29 AND a.feature = 1328 AND b.feature < 5",
	}},
}

func registerRankCorrelation(f *Functions, c capi.Connection) error {
	parameters := []capi.Type{capi.Any, capi.Varchar, capi.Any}
	return c.RegisterScalar("rank_correlation", withTokens("rank_correlation", parameters, capi.Double, f, (*execution).rankCorrelation)...)
}

func (f *execution) rankCorrelation(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	const function = "rank_correlation"
	readers := newTexts(input.Column(1))
	others, err := readDirectionsOf(function, "other", input.Column(2), input.Rows())
	if err != nil {
		return err
	}
	all, null, err := f.batches(function, input, tokens.in(func(row int) (call, bool, error) {
		return call{reader: readers.at(row), scope: scopeAll}, readers.valid(row) && others.valid(row), nil
	}))
	if err != nil {
		return err
	}
	for _, i := range null {
		output.SetNull(i, 0)
	}
	values := capi.Values[float64](output, input.Rows())
	for _, b := range all {
		d := b.reader.matrix.DModel()
		second := make([]float32, len(b.directions))
		for i, row := range b.rows {
			if err := others.copy(second[i*d:(i+1)*d], row, b.reader.stored); err != nil {
				return err
			}
		}
		correlations, err := enrichment.RankCorrelations(f.ctx, b.reader.matrix, b.directions, second, f.finished)
		if err != nil {
			return err
		}
		for i, row := range b.rows {
			if values[row] = correlations[i]; math.IsNaN(values[row]) {
				output.SetNull(row, 0)
			}
		}
	}
	return nil
}
