package udf

import (
	"fmt"
	"math"

	"github.com/saedb/saedb/internal/enrichment"
	"github.com/saedb/saedb/internal/fault"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var weightedEnrichmentFamily = family{
	register: registerWeightedEnrichment,
	docs: []schema.Function{{
		Name:      "weighted_enrichment",
		Signature: "weighted_enrichment(w_dec, model, token_sets, weight, permutations) → STRUCT(token_set VARCHAR, size INTEGER, es DOUBLE, nes DOUBLE, p_value DOUBLE)[]",
		Description: "Enrichment as GSEA's preranked analysis defines it: a member counts with its logit weight's magnitude to the power of weight (1 is GSEA's), " +
			"es has a sign, nes is es over the mean of permuted scores of that sign, and the p-value counts permutations (1,000 are usual). " +
			"Permutations are seeded: the same call gives the same figures.",
		Example: "SELECT feature, unnest(weighted_enrichment(w_dec, model, ['all_digits'], 1, 100), recursive := true) FROM decoder_directions WHERE layer = 29 LIMIT 2",
	}},
}

var weightedFields = []capi.Field{
	{Name: "token_set", Type: capi.Varchar}, {Name: "size", Type: capi.Integer}, {Name: "es", Type: capi.Double},
	{Name: "nes", Type: capi.Double}, {Name: "p_value", Type: capi.Double},
}

// maxPermutations bounds the work of one row.
const maxPermutations = 1_000_000

func registerWeightedEnrichment(f *Functions, c capi.Connection) error {
	return c.RegisterScalar("weighted_enrichment", capi.Scalar{
		Parameters: []capi.Type{capi.Any, capi.Varchar, capi.List(capi.Varchar), capi.Double, capi.Integer},
		Returns:    capi.List(capi.Struct(weightedFields...)), Call: f.weightedEnrichment,
	})
}

func (f *Functions) weightedEnrichment(input capi.Chunk, output capi.Vector) error {
	const name = "weighted_enrichment"
	rows := input.Rows()
	models, wanted := newTexts(input.Column(1)), newTextLists(input.Column(2), rows)
	weights, permutations := capi.Values[float64](input.Column(3), rows), capi.Values[int32](input.Column(4), rows)
	names := map[string][]string{}
	all, null, err := f.batches(name, input, func(row int) (call, bool, error) {
		if !models.valid(row) || !wanted.valid(row) || !input.Column(3).Validity().Valid(row) || !input.Column(4).Validity().Valid(row) {
			return call{}, false, nil
		}
		asked := call{model: models.at(row), scope: scopeAll, sets: "false", weight: weights[row], permutations: int(permutations[row])}
		if list := wanted.at(row); len(list) > 0 {
			asked.sets = named(list)
			names[asked.sets] = list
		}
		return asked, true, asked.checkWeighting(name)
	})
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
func (f *Functions) writeWeighted(out *listWriter, b *batch, sets *tokenSets) error {
	u, n := b.model.unembedding, sets.index.Len()
	weights, ranker, scores := make([]float32, u.Tokens()), enrichment.NewRanker(u.Tokens()), make([]enrichment.WeightedScore, n)
	for i, row := range b.rows {
		if err := u.LogitWeights(f.context(), b.directions[i*u.DModel():(i+1)*u.DModel()], weights); err != nil {
			return err
		}
		order, ranks := ranker.Rank(weights)
		w := enrichment.Weighting{Exponent: b.weight, Permutations: b.permutations}
		if err := sets.index.WeightedScores(f.context(), w, weights, order, ranks, scores); err != nil {
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
			for field, value := range map[int]float64{2: score.ES, 3: score.NES, 4: score.PValue} {
				if capi.Values[float64](fields(field), at+n)[at+j] = value; math.IsNaN(value) {
					fields(field).SetNull(at+j, 0)
				}
			}
		}
		f.finished(1)
	}
	return nil
}
