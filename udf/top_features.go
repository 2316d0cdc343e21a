package udf

import (
	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var topFeaturesFamily = family{
	register: registerTopFeatures,
	docs: []schema.Function{
		{
			Name:      "top_features",
			Signature: "top_features(w_dec, reader [, k]) → STRUCT(feature INTEGER, weight DOUBLE)[]",
			Description: "The k features (10 by default) of an encoder or a decoder whose product with the direction is highest, highest first; ties by lower feature. " +
				"reader is 'SAE#encoder', the features that the direction excites most before biases, or 'SAE#decoder', those that write the most along it. " +
				"Products are float64's.",
			Example: "SELECT feature, unnest(top_features(w_dec, 'layer_29#decoder', 3), recursive := true) FROM decoder_directions WHERE layer = 14 AND feature = 1535",
		},
		{
			Name:        "bottom_features",
			Signature:   "bottom_features(w_dec, reader [, k]) → STRUCT(feature INTEGER, weight DOUBLE)[]",
			Description: "The k features (10 by default) whose product with the direction is lowest, lowest first; ties by lower feature. Otherwise as top_features.",
			Example:     "SELECT feature, unnest(bottom_features(w_dec, 'layer_29#decoder', 3), recursive := true) FROM decoder_directions WHERE layer = 14 AND feature = 1535",
		},
	},
}

// defaultK is as many as saedb compute stores of tokens.
const defaultK = endTokenCount

func registerTopFeatures(f *Functions, c capi.Connection) error {
	return registerEnds(f, c, "feature", map[string]endOf{"top_features": top, "bottom_features": bottom})
}

// registerEnds registers functions that give an end of the ranking of a reader's rows, which are
// called so.
func registerEnds(f *Functions, c capi.Connection, row string, ends map[string]endOf) error {
	fields := []capi.Field{{Name: row, Type: capi.Integer}, {Name: "weight", Type: capi.Double}}
	parameters, result := []capi.Type{capi.Any, capi.Varchar, capi.Integer}, capi.List(capi.Struct(fields...))
	for name, end := range ends {
		run := func(ks func(capi.Chunk) ksArgument) func(*capi.Run, capi.Chunk, capi.Vector) error {
			return f.of(func(f *execution, input capi.Chunk, output capi.Vector) error {
				return f.writeEnd(name, end, input, output, ks(input), tokensArgument{}, (*listWriter).writeFeatures)
			})
		}
		byDefault := func(capi.Chunk) ksArgument { return constantK(defaultK) }
		err := c.RegisterScalar(name,
			capi.Scalar{Parameters: parameters[:2], Returns: result, Run: run(byDefault)},
			capi.Scalar{Parameters: parameters, Returns: result, Run: run(givenKs)})
		if err != nil {
			return err
		}
	}
	return nil
}

// constantK is k where it is no argument.
func constantK(k int32) ksArgument { return func(int) (int32, bool) { return k, true } }

// writeFeatures appends the lists of ranked's entries 0, 1, …, one for each of rows.
func (w *listWriter) writeFeatures(rows []int, ranked *compute.Tokens, _ *reader) error {
	fields, at, err := w.grow(rows, ranked.K)
	if err != nil {
		return err
	}
	total := at + len(rows)*ranked.K
	features, weights := capi.Values[int32](fields(0), total), capi.Values[float64](fields(1), total)
	copy(features[at:], ranked.IDs)
	copy(weights[at:], ranked.Logits)
	return nil
}
