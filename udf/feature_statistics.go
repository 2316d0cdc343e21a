package udf

import (
	"github.com/saedb/saedb/internal/compute"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var featureStatisticsFamily = family{
	register: registerFeatureStatistics,
	docs: []schema.Function{{
		Name: "feature_statistics",
		Signature: "feature_statistics(w_dec, model [, tokens [, set_ids]]) → STRUCT(mean, std, skewness, kurtosis, cos_mean, cos_std, cos_skewness, cos_kurtosis DOUBLE, " +
			"top_tokens VARCHAR[], top_token_ids INTEGER[], top_logit_weights DOUBLE[], bottom_tokens VARCHAR[], bottom_token_ids INTEGER[], bottom_logit_weights DOUBLE[]" +
			" [, enrichment STRUCT[]])",
		Description: "Everything that saedb compute stores of a direction, from one pass over its logit weights. " +
			"tokens is 'all' (the default), or 'real' to leave out padding and special tokens. " +
			"With set_ids (INTEGER[]), also its enrichment in these sets, as of enrichment_values.",
		Example: "SELECT feature, unnest(feature_statistics(w_dec, 'smollm2-135m', 'real')) FROM decoder_directions WHERE layer = 29 LIMIT 5",
	}},
}

// endTokenCount is how many tokens are kept of each end.
const endTokenCount = 10

func registerFeatureStatistics(f *Functions, c capi.Connection) error {
	fields := append([]capi.Field{}, moments...)
	for _, m := range moments {
		fields = append(fields, capi.Field{Name: "cos_" + m.Name, Type: m.Type})
	}
	for _, end := range []string{"top", "bottom"} {
		fields = append(fields,
			capi.Field{Name: end + "_tokens", Type: capi.List(capi.Varchar)},
			capi.Field{Name: end + "_token_ids", Type: capi.List(capi.Integer)},
			capi.Field{Name: end + "_logit_weights", Type: capi.List(capi.Double)})
	}
	result := capi.Struct(fields...)
	withEnrichment := capi.Struct(append(fields, capi.Field{Name: "enrichment", Type: capi.List(capi.Struct(enrichmentValueFields...))})...)
	parameters := []capi.Type{capi.Any, capi.Varchar, capi.Varchar, capi.List(capi.Integer)}
	return c.RegisterScalar("feature_statistics",
		capi.Scalar{Parameters: parameters[:2], Returns: result, Run: f.of(featureStatistics(2))},
		capi.Scalar{Parameters: parameters[:3], Returns: result, Run: f.of(featureStatistics(3))},
		capi.Scalar{Parameters: parameters, Returns: withEnrichment, Run: f.of(featureStatistics(4))})
}

func featureStatistics(arguments int) func(*execution, capi.Chunk, capi.Vector) error {
	return func(f *execution, input capi.Chunk, output capi.Vector) error {
		return f.writeFeatureStatistics(input, output, askFeatureStatistics(input, arguments), arguments > 3)
	}
}

// askFeatureStatistics reads the arguments (w_dec, model [, tokens [, set_ids]]).
func askFeatureStatistics(input capi.Chunk, arguments int) func(row int) (call, bool, error) {
	models := newTexts(input.Column(1))
	var scopes *texts
	var lists *integerLists
	if arguments > 2 {
		scopes = newTexts(input.Column(2))
	}
	if arguments > 3 {
		lists = newIntegerLists(input.Column(3), input.Rows())
	}
	return func(row int) (call, bool, error) {
		if !models.valid(row) || scopes != nil && !scopes.valid(row) || lists != nil && !lists.valid(row) {
			return call{}, false, nil
		}
		asked := call{reader: models.at(row), scope: scopeAll}
		if scopes != nil {
			asked.scope = scopes.at(row)
		}
		if lists != nil {
			asked.sets = numbered(lists.at(row))
		}
		return asked, true, checkScope("feature_statistics", asked.scope)
	}
}

func (f *execution) writeFeatureStatistics(input capi.Chunk, output capi.Vector, ask func(int) (call, bool, error), enriched bool) error {
	const name = "feature_statistics"
	all, null, err := f.batches(name, input, ask)
	if err != nil {
		return err
	}
	fields := 2*len(moments) + 6
	rows := input.Rows()
	plain, cosine := newMomentsWriter(output, 0, rows), newMomentsWriter(output, len(moments), rows)
	top, bottom := newEndLists(output, 2*len(moments), 3, rows), newEndLists(output, 2*len(moments)+3, 3, rows)
	var lists *listWriter
	if enriched {
		lists = newListWriter(output.Field(fields), rows, null)
		fields++
	}
	for _, i := range null {
		output.SetNull(i, fields)
		top.empty(i)
		bottom.empty(i)
	}
	for _, b := range all {
		options := compute.Options{Cosine: true, TopK: endTokenCount}
		var scored *setScores
		if enriched {
			if scored, err = f.scoresOf(name, b, nil); err != nil {
				return err
			}
			options.Visit = scored.index.Scorer(scored.scores)
		}
		s, err := f.summarize(b, options)
		if err != nil {
			return err
		}
		if enriched {
			if err := lists.writeValues(b.rows, scored); err != nil {
				return err
			}
		}
		for i, row := range b.rows {
			plain.write(row, &s.Plain, i)
			cosine.write(row, &s.Cosine, i)
		}
		if err := top.writeTokens(b.rows, &s.Top, b.reader); err != nil {
			return err
		}
		if err := bottom.writeTokens(b.rows, &s.Bottom, b.reader); err != nil {
			return err
		}
	}
	return nil
}
