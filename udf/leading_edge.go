package udf

import (
	"slices"

	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var leadingEdgeFamily = family{
	register: registerLeadingEdge,
	docs: []schema.Function{{
		Name:      "leading_edge",
		Signature: "leading_edge(w_dec, model, token_set [, weight]) → STRUCT(token_id INTEGER, token VARCHAR, text VARCHAR, rank INTEGER, logit_weight DOUBLE)[]",
		Description: "The members of a token set that make its enrichment score: those up to the point where the running sum is furthest from 0 " +
			"(promoted), or from there on (suppressed), outermost first. rank counts from 1 at the highest logit weight. " +
			"With a weight, the score is that of weighted_enrichment; 0 is the same as none.",
		Example: "SELECT unnest(leading_edge(w_dec, model, 'all_digits'), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature = 63 LIMIT 5",
	}},
}

var leadingEdgeFields = []capi.Field{
	{Name: "token_id", Type: capi.Integer}, {Name: "token", Type: capi.Varchar}, {Name: "text", Type: capi.Varchar},
	{Name: "rank", Type: capi.Integer}, {Name: "logit_weight", Type: capi.Double},
}

func registerLeadingEdge(f *Functions, c capi.Connection) error {
	result := capi.List(capi.Struct(leadingEdgeFields...))
	return c.RegisterScalar("leading_edge",
		capi.Scalar{Parameters: []capi.Type{capi.Any, capi.Varchar, capi.Varchar}, Returns: result, Call: f.leadingEdge},
		capi.Scalar{Parameters: []capi.Type{capi.Any, capi.Varchar, capi.Varchar, capi.Double}, Returns: result, Call: f.weightedLeadingEdge})
}

func (f *Functions) leadingEdge(input capi.Chunk, output capi.Vector) error {
	ask, names := askOneSet(input)
	return f.leadingEdges(input, output, ask, names)
}

func (f *Functions) weightedLeadingEdge(input capi.Chunk, output capi.Vector) error {
	askSet, names := askOneSet(input)
	weights, valid := capi.Values[float64](input.Column(3), input.Rows()), input.Column(3).Validity()
	return f.leadingEdges(input, output, func(row int) (call, bool, error) {
		asked, ok, err := askSet(row)
		if !ok || err != nil || !valid.Valid(row) {
			return call{}, false, err
		}
		asked.weight = weights[row]
		return asked, true, asked.checkWeighting("leading_edge")
	}, names)
}

func (f *Functions) leadingEdges(input capi.Chunk, output capi.Vector, ask func(row int) (call, bool, error), names map[string][]string) error {
	const name = "leading_edge"
	all, null, err := f.batches(name, input, ask)
	if err != nil {
		return err
	}
	out := newListWriter(output, input.Rows(), null)
	for _, b := range all {
		sets, err := f.setsOf(name, b, names[b.sets])
		if err != nil {
			return err
		}
		if err := f.writeLeadingEdges(out, b, sets.index); err != nil {
			return err
		}
	}
	return nil
}

// writeLeadingEdges ranks one direction after the other: people ask for few.
func (f *Functions) writeLeadingEdges(out *listWriter, b *batch, sets *enrichment.Sets) error {
	u := b.model.unembedding
	weights, ranker := make([]float32, u.Tokens()), enrichment.NewRanker(u.Tokens())
	for i, row := range b.rows {
		direction := b.directions[i*u.DModel() : (i+1)*u.DModel()]
		if err := u.LogitWeights(f.context(), direction, weights); err != nil {
			return err
		}
		edge, ranks, err := f.leadingEdgeOf(sets, b.weight, weights, ranker)
		if err != nil {
			return err
		}
		fields, at, err := out.grow([]int{row}, len(edge))
		if err != nil {
			return err
		}
		total := at + len(edge)
		ids, places, values := capi.Values[int32](fields(0), total), capi.Values[int32](fields(3), total), capi.Values[float64](fields(4), total)
		for j, position := range edge {
			id := u.TokenIDs()[position]
			ids[at+j], places[at+j], values[at+j] = id, ranks[position]+1, u.LogitWeight(direction, int(id))
			fields(1).SetText(at+j, b.model.tokens[id].token)
			fields(2).SetText(at+j, b.model.tokens[id].text)
		}
	}
	return nil
}

// leadingEdgeOf returns the leading edge of the only set, outermost first, and the
// rank of every position.
func (f *Functions) leadingEdgeOf(sets *enrichment.Sets, weight float64, weights []float32, ranker *enrichment.Ranker) (edge, ranks []int32, err error) {
	order, ranks := ranker.Rank(weights)
	var promoted bool
	if weight == 0 {
		score := make([]enrichment.Score, 1)
		sets.Scores(ranker, score)
		edge, promoted = sets.LeadingEdge(0, score[0], ranks), score[0].Promoted
	} else {
		score := make([]enrichment.WeightedScore, 1)
		err := sets.WeightedScores(f.context(), enrichment.Weighting{Exponent: weight}, weights, order, ranks, score)
		if err != nil {
			return nil, nil, err
		}
		edge, promoted = sets.WeightedLeadingEdge(0, score[0], ranks), score[0].Promoted()
	}
	if !promoted {
		slices.Reverse(edge)
	}
	return edge, ranks, nil
}
