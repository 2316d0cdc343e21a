package udf

import (
	"fmt"
	"math"
	"slices"

	"github.com/saedb/saedb/internal/enrichment"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var weightedEnrichmentFamily = family{
	register: registerWeightedEnrichment,
	docs: []schema.Function{{
		Name:      "weighted_enrichment",
		Signature: "weighted_enrichment(w_dec, model, token_sets, weight, permutations [, seed] [, tokens]) → STRUCT(token_set VARCHAR, size INTEGER, es DOUBLE, nes DOUBLE, p_value DOUBLE, q_value DOUBLE)[]",
		Description: "Enrichment as GSEA's preranked analysis defines it: a member counts with its logit weight's magnitude to the power of weight (1 is GSEA's), " +
			"es has a sign, nes is es over the mean of permuted scores of that sign, and the p-value counts permutations (1,000 are usual) of that sign; " +
			"where there are none, both are NULL. q_value is adjusted over the sets of the call (Benjamini-Hochberg). " +
			"Permutations are seeded (BIGINT, 0 by default): the same call gives the same figures. " +
			"tokens is 'all' (the default) or 'real'.",
		Example: "SELECT feature, unnest(weighted_enrichment(w_dec, model, ['all_digits'], 1, 100), recursive := true) FROM decoder_directions WHERE layer = 29 LIMIT 2",
	}},
}

var weightedFields = []capi.Field{
	{Name: "token_set", Type: capi.Varchar}, {Name: "size", Type: capi.Integer}, {Name: "es", Type: capi.Double},
	{Name: "nes", Type: capi.Double}, {Name: "p_value", Type: capi.Double}, {Name: "q_value", Type: capi.Double},
}

// maxPermutations bounds the work of one row.
const maxPermutations = 1_000_000

func registerWeightedEnrichment(f *Functions, c capi.Connection) error {
	parameters := []capi.Type{capi.Any, capi.Varchar, capi.List(capi.Varchar), capi.Double, capi.Integer}
	result := capi.List(capi.Struct(weightedFields...))
	return c.RegisterScalar("weighted_enrichment", slices.Concat(
		withTokens("weighted_enrichment", parameters, result, f, (*execution).weightedEnrichment),
		withTokens("weighted_enrichment", append(slices.Clone(parameters), capi.Bigint), result, f, (*execution).seededEnrichment))...)
}

func (f *execution) weightedEnrichment(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	return f.weightedEnrichments(input, output, tokens, func(int) (int64, bool) { return 0, true })
}

func (f *execution) seededEnrichment(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	seeds, valid := capi.Values[int64](input.Column(5), input.Rows()), input.Column(5).Validity()
	return f.weightedEnrichments(input, output, tokens, func(row int) (int64, bool) { return seeds[row], valid.Valid(row) })
}

func (f *execution) weightedEnrichments(input capi.Chunk, output capi.Vector, tokens tokensArgument, seedOf func(row int) (seed int64, valid bool)) error {
	const name = "weighted_enrichment"
	rows := input.Rows()
	models, wanted := newTexts(input.Column(1)), newTextLists(input.Column(2), rows)
	weights, permutations := capi.Values[float64](input.Column(3), rows), capi.Values[int32](input.Column(4), rows)
	names := map[string][]string{}
	all, null, err := f.batches(name, input, tokens.in(func(row int) (call, bool, error) {
		seed, valid := seedOf(row)
		if !valid || !models.valid(row) || !wanted.valid(row) || !input.Column(3).Validity().Valid(row) || !input.Column(4).Validity().Valid(row) {
			return call{}, false, nil
		}
		asked := call{reader: models.at(row), scope: scopeAll, sets: "false", weight: weights[row], permutations: int(permutations[row]), seed: seed}
		if list := wanted.at(row); len(list) > 0 {
			asked.sets = named(list)
			names[asked.sets] = list
		}
		return asked, true, asked.checkWeighting(name)
	}))
	if err != nil {
		return err
	}
	out := newListWriter(output, rows, null)
	for _, b := range all {
		sets, err := f.setsOf(name, b, names[b.sets])
		if err != nil {
			return err
		}
		if err := f.writeWeighted(out, b, sets); err != nil {
			return err
		}
	}
	return nil
}

func (c call) checkWeighting(function string) error {
	if !(c.weight >= 0) || math.IsInf(c.weight, 0) {
		return &fault.Error{Op: function, Subject: "weight", Expected: "a number of at least 0", Found: fmt.Sprint(c.weight)}
	}
	if c.permutations < 0 || c.permutations > maxPermutations {
		return &fault.Error{Op: function, Subject: "permutations", Expected: fmt.Sprintf("0 to %d", maxPermutations), Found: fmt.Sprint(c.permutations)}
	}
	return nil
}

// writeWeighted scores one direction after the other; its permutations run in
// parallel.
func (f *execution) writeWeighted(out *listWriter, b *batch, sets *tokenSets) error {
	u, n := b.reader.matrix, sets.index.Len()
	ranker, scores := newDirectionRanker(u), make([]enrichment.WeightedScore, n)
	w := enrichment.Weighting{Exponent: b.weight, Permutations: b.permutations, Seed: uint64(b.seed)}
	for i, row := range b.rows {
		if err := ranker.rank(f.ctx, b.directions[i*u.DModel():(i+1)*u.DModel()]); err != nil {
			return err
		}
		if err := sets.index.WeightedScores(f.ctx, w, ranker.weights, ranker.Ranker, scores); err != nil {
			return err
		}
		fields, at, err := out.grow([]int{row}, n)
		if err != nil {
			return err
		}
		sizes := capi.Values[int32](fields(1), at+n)
		for j, score := range scores {
			fields(0).SetText(at+j, sets.names[j])
			sizes[at+j] = int32(sets.index.Size(j))
			for field, value := range map[int]float64{2: score.ES, 3: score.NES, 4: score.PValue, 5: score.QValue} {
				if capi.Values[float64](fields(field), at+n)[at+j] = value; math.IsNaN(value) {
					fields(field).SetNull(at+j, 0)
				}
			}
		}
		f.finished(1)
	}
	return nil
}
