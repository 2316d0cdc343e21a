package udf

import (
	"context"
	"slices"
	"sync"

	"github.com/saedb/saedb/internal/compute"
	"github.com/saedb/saedb/internal/enrichment"
	schema "github.com/saedb/saedb/sql"
	"github.com/saedb/saedb/udf/capi"
)

var leadingEdgeFamily = family{
	register: registerLeadingEdge,
	docs: []schema.Function{{
		Name:      "leading_edge",
		Signature: "leading_edge(w_dec, model, token_set [, weight] [, tokens]) → STRUCT(token_id INTEGER, token VARCHAR, text VARCHAR, rank INTEGER, logit_weight DOUBLE)[]",
		Description: "The members of a token set that make its enrichment score: those up to the point where the running sum is furthest from 0 " +
			"(promoted), or from there on (suppressed), outermost first. rank counts from 1 at the highest logit weight; equal ones share a rank. " +
			"With a weight, the score is that of weighted_enrichment; 0 is the same as none. " +
			"tokens is 'all' (the default) or 'real'.",
		Example: "SELECT unnest(leading_edge(w_dec, model, 'all_digits'), recursive := true) FROM decoder_directions WHERE layer = 29 AND feature = 63 LIMIT 5",
	}},
}

var leadingEdgeFields = []capi.Field{
	{Name: "token_id", Type: capi.Integer}, {Name: "token", Type: capi.Varchar}, {Name: "text", Type: capi.Varchar},
	{Name: "rank", Type: capi.Integer}, {Name: "logit_weight", Type: capi.Double},
}

func registerLeadingEdge(f *Functions, c capi.Connection) error {
	result := capi.List(capi.Struct(leadingEdgeFields...))
	return c.RegisterScalar("leading_edge", slices.Concat(
		withTokens("leading_edge", []capi.Type{capi.Any, capi.Varchar, capi.Varchar}, result, f, (*execution).leadingEdge),
		withTokens("leading_edge", []capi.Type{capi.Any, capi.Varchar, capi.Varchar, capi.Double}, result, f, (*execution).weightedLeadingEdge))...)
}

func (f *execution) leadingEdge(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	ask, names := askOneSet(input)
	return f.leadingEdges(input, output, tokens.in(ask), names)
}

func (f *execution) weightedLeadingEdge(input capi.Chunk, output capi.Vector, tokens tokensArgument) error {
	askSet, names := askOneSet(input)
	weights, valid := capi.Values[float64](input.Column(3), input.Rows()), input.Column(3).Validity()
	return f.leadingEdges(input, output, tokens.in(func(row int) (call, bool, error) {
		asked, ok, err := askSet(row)
		if !ok || err != nil || !valid.Valid(row) {
			return call{}, false, err
		}
		asked.weight = weights[row]
		return asked, true, asked.checkWeighting("leading_edge")
	}), names)
}

func (f *execution) leadingEdges(input capi.Chunk, output capi.Vector, ask func(row int) (call, bool, error), names map[string][]string) error {
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

// mostRanked directions are multiplied at once: their leading edges, which may be half of the
// vocabulary each, are kept until the last of them is ranked.
const mostRanked = 64

// A rankedToken is a member of a leading edge.
type rankedToken struct {
	id, place int32
	weight    float64
}

// writeLeadingEdges ranks for the directions of a batch, as many at once as are multiplied
// together: the unembedding is read from memory once for all of these.
func (f *execution) writeLeadingEdges(out *listWriter, b *batch, sets *enrichment.Sets) error {
	size := b.reader.matrix.DModel()
	for rows, directions := b.rows, b.directions; len(rows) > 0; {
		n := min(len(rows), mostRanked)
		edges, err := f.leadingEdgesOf(b, directions[:n*size], sets)
		if err != nil {
			return err
		}
		for i, edge := range edges {
			if err := out.writeRanked(rows[i], edge, b.reader.tokens); err != nil {
				return err
			}
		}
		rows, directions = rows[n:], directions[n*size:]
	}
	return nil
}

// leadingEdgesOf returns the leading edges of the only set for directions [n, d_model].
func (f *execution) leadingEdgesOf(b *batch, directions []float32, sets *enrichment.Sets) ([][]rankedToken, error) {
	u := b.reader.matrix
	size := u.DModel()
	edges := make([][]rankedToken, len(directions)/size)
	rankers := sync.Pool{New: func() any { return newDirectionRanker(u) }}
	err := u.VisitLogitWeights(f.ctx, directions, func(_ context.Context, i int, weights *compute.Rankable) error {
		ranker := rankers.Get().(*directionRanker)
		defer rankers.Put(ranker)
		ranker.take(weights)
		edge, err := f.leadingEdgeOf(sets, b.weight, ranker)
		if err != nil {
			return err
		}
		edges[i] = make([]rankedToken, len(edge))
		for j, position := range edge {
			id := u.TokenIDs()[position]
			edges[i][j] = rankedToken{id, ranker.Place(ranker.ranks[position]) + 1, u.LogitWeight(directions[i*size:(i+1)*size], int(id))}
		}
		return nil
	})
	return edges, err
}

// writeRanked writes a row's leading edge.
func (w *listWriter) writeRanked(row int, edge []rankedToken, tokens []token) error {
	fields, at, err := w.grow([]int{row}, len(edge))
	if err != nil {
		return err
	}
	total := at + len(edge)
	ids, places, values := capi.Values[int32](fields(0), total), capi.Values[int32](fields(3), total), capi.Values[float64](fields(4), total)
	for j, t := range edge {
		ids[at+j], places[at+j], values[at+j] = t.id, t.place, t.weight
		fields(1).SetText(at+j, tokens[t.id].token)
		fields(2).SetText(at+j, tokens[t.id].text)
	}
	return nil
}

// leadingEdgeOf returns the leading edge of the only set, outermost first.
func (f *execution) leadingEdgeOf(sets *enrichment.Sets, weight float64, r *directionRanker) (edge []int32, err error) {
	var promoted bool
	if weight == 0 {
		score := make([]enrichment.Score, 1)
		sets.Scores(r.Ranker, score)
		edge, promoted = sets.LeadingEdge(0, score[0], r.ranks), score[0].Promoted
	} else {
		score := make([]enrichment.WeightedScore, 1)
		err := sets.WeightedScores(f.ctx, enrichment.Weighting{Exponent: weight}, r.weights, r.Ranker, score)
		if err != nil {
			return nil, err
		}
		edge, promoted = sets.WeightedLeadingEdge(0, score[0], r.ranks), score[0].Promoted()
	}
	if !promoted {
		slices.Reverse(edge)
	}
	return edge, nil
}

// directionRanker ranks the tokens for one direction at a time, as the scores that are
// stored rank them.
type directionRanker struct {
	*enrichment.Ranker
	u       *compute.Unembedding
	weights []float64 // logit weights of the last direction
	ranks   []int32
}

func newDirectionRanker(u *compute.Unembedding) *directionRanker {
	return &directionRanker{Ranker: enrichment.NewRanker(u.Tokens()), u: u, weights: make([]float64, u.Tokens())}
}

func (r *directionRanker) rank(ctx context.Context, direction []float32) error {
	return r.u.VisitLogitWeights(ctx, direction, func(_ context.Context, _ int, weights *compute.Rankable) error {
		r.take(weights)
		return nil
	})
}

// take ranks by the logit weights of one direction.
func (r *directionRanker) take(weights *compute.Rankable) {
	weights.LogitWeights(r.weights)
	_, r.ranks = r.RankLogitWeights(weights)
}
