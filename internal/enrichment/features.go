package enrichment

import (
	"context"
	"sync"

	"github.com/saedb/saedb/internal/compute"
)

// Scorer returns what scores every set for the logit weights that it is shown, those
// of the i-th direction into into[i·Len():]. The sets' positions are those of the
// weights. Ranks, and so scores, depend on the direction alone.
func (s *Sets) Scorer(into []Score) compute.Visit {
	rankers := sync.Pool{New: func() any { return NewRanker(s.tokens) }}
	return func(ctx context.Context, direction int, weights *compute.Rankable) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		ranker := rankers.Get().(*Ranker)
		defer rankers.Put(ranker)
		s.rank(ranker, weights)
		at := direction * s.Len()
		s.Scores(ranker, into[at:at+s.Len()])
		return nil
	}
}

// rank has r rank what the scores of all sets need.
func (s *Sets) rank(r *Ranker, weights *compute.Rankable) {
	if p := s.split(); p != nil && weights.Exact == nil {
		r.sortMembers(weights.Products, p)
	} else {
		r.sortLogitWeights(weights)
	}
}

// Features scores every set for directions [n, d_model]: into is [n, Len()], as of
// [Sets.Scorer]. Tokens are ranked by float32 products, or float64 ones where rounding might
// show ([compute.Rankable]); scores do not depend on the number of workers nor on what else
// is in the call.
// done, which may be nil, is told of directions that are finished. When ctx ends, its
// error is returned.
func (s *Sets) Features(ctx context.Context, u *compute.Unembedding, directions []float32, done func(directions int), into []Score) error {
	n := len(directions) / u.DModel()
	if u.Tokens() != s.Tokens() || len(into) != n*s.Len() {
		panic("enrichment: sets, unembedding and scores do not fit each other")
	}
	score := s.Scorer(into)
	return u.VisitLogitWeights(ctx, directions, func(ctx context.Context, direction int, weights *compute.Rankable) error {
		err := score(ctx, direction, weights)
		if err == nil && done != nil {
			done(1)
		}
		return err
	})
}
