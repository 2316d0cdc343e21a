package enrichment

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/saedb/saedb/internal/compute"
)

// blockBytes bounds the logit weights that are held at a time.
const blockBytes = 32 << 20

// Features scores every set for directions [n, d_model]: into is [n, Len()]. The
// sets' positions are those of u's tokens. Logit weights are float32 products;
// ranks, and so scores, depend on the direction alone, not on the number of
// workers nor on what else is in the call. logP [n, Len()] receives the natural
// logarithms of p-values unless it is nil. done, which may be nil, is told of
// directions that are finished. When ctx ends, its error is returned.
func (s *Sets) Features(ctx context.Context, u *compute.Unembedding, directions []float32, done func(directions int), into []Score, logP []float64) error {
	d, tokens := u.DModel(), u.Tokens()
	n := len(directions) / d
	if tokens != s.Tokens() || len(into) != n*s.Len() || logP != nil && len(logP) != len(into) {
		panic("enrichment: sets, unembedding and scores do not fit each other")
	}
	rows := min(max(blockBytes/(4*tokens), 1), 128, max(n, 1))
	weights := make([]float32, rows*tokens)
	rankers := make([]*Ranker, min(runtime.GOMAXPROCS(0), rows))
	for i := range rankers {
		rankers[i] = NewRanker(tokens)
	}
	for from := 0; from < n; from += rows {
		to := min(from+rows, n)
		block := weights[:(to-from)*tokens]
		if err := u.LogitWeights(ctx, directions[from*d:to*d], block); err != nil {
			return err
		}
		var p []float64
		if logP != nil {
			p = logP[from*s.Len() : to*s.Len()]
		}
		if err := s.scoreRows(ctx, rankers, block, into[from*s.Len():to*s.Len()], p); err != nil {
			return err
		}
		if done != nil {
			done(to - from)
		}
	}
	return nil
}

// scoreRows ranks and scores rows of logit weights, each ranker on a goroutine.
func (s *Sets) scoreRows(ctx context.Context, rankers []*Ranker, weights []float32, into []Score, logP []float64) error {
	var next atomic.Int64
	var group sync.WaitGroup
	n := len(weights) / s.Tokens()
	for _, ranker := range rankers {
		group.Go(func() {
			for ctx.Err() == nil {
				row := int(next.Add(1)) - 1
				if row >= n {
					return
				}
				ranker.sort(weights[row*s.Tokens() : (row+1)*s.Tokens()])
				scores := into[row*s.Len() : (row+1)*s.Len()]
				s.Scores(ranker, scores)
				if logP == nil {
					continue
				}
				for set, score := range scores {
					logP[row*s.Len()+set] = s.LogPValue(set, score)
				}
			}
		})
	}
	group.Wait()
	return ctx.Err()
}
