package enrichment

import (
	"context"
	"math"
	"sync"

	"github.com/saedb/saedb/internal/compute"
)

// rankMemory is how many bytes of ranks are held at once, or those of one pair of directions.
const rankMemory = 16 << 20

// RankCorrelations returns for each pair of directions and others, both [n, d_model], Spearman's
// rank correlation of their logit weights over the tokens: Pearson's of the ranks, where tokens of
// equal weights share the mean of theirs (C. Spearman, The proof and measurement of association
// between two things, 1904). It is NaN where all weights of one are equal. Weights are float32
// products, or float64 ones where rounding might show ([compute.Rankable]). done, which may be nil,
// is told of pairs that are finished. Errors are those of [compute.Unembedding.VisitLogitWeights].
func RankCorrelations(ctx context.Context, u *compute.Unembedding, directions, others []float32, done func(pairs int)) ([]float64, error) {
	d, v := u.DModel(), u.Tokens()
	pairs := len(directions) / d
	step := min(max(1, rankMemory/(2*4*v)), pairs)
	rankers := sync.Pool{New: func() any { return NewRanker(v) }}
	ranks := make([][]int32, 2*step)
	both := make([]float32, 0, 2*step*d)
	all := make([]float64, 0, pairs)
	for from := 0; from < pairs; from += step {
		both = both[:0]
		for i := from; i < min(from+step, pairs); i++ {
			both = append(append(both, directions[i*d:(i+1)*d]...), others[i*d:(i+1)*d]...)
		}
		err := u.VisitLogitWeights(ctx, both, func(ctx context.Context, direction int, weights *compute.Rankable) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			ranker := rankers.Get().(*Ranker)
			defer rankers.Put(ranker)
			ranker.sortLogitWeights(weights)
			ranks[direction] = ranker.meanRanks(ranks[direction])
			return nil
		})
		if err != nil {
			return nil, err
		}
		for i := 0; i < len(both)/d; i += 2 {
			all = append(all, correlation(ranks[i], ranks[i+1]))
		}
		if done != nil {
			done(len(both) / d / 2)
		}
	}
	return all, nil
}

// meanRanks writes to into, which may be nil, twice the rank of each position, less the mean:
// whole numbers, where equal weights have the mean of the ranks of their run.
func (r *Ranker) meanRanks(into []int32) []int32 {
	n := int32(len(r.order))
	if into == nil {
		into = make([]int32, n)
	}
	for rank, position := range r.order {
		into[position] = 2*int32(rank) - (n - 1)
	}
	for i := 0; i < len(r.ties); i += 2 {
		first, last := r.ties[i], r.ties[i+1]
		for _, position := range r.order[first : last+1] {
			into[position] = first + last - (n - 1)
		}
	}
	return into
}

// correlation is Pearson's of values whose mean is 0. Sums of products are exact: each is below
// n³, and n below 2²¹.
func correlation(a, b []int32) float64 {
	var ab, aa, bb int64
	for i := range a {
		ab += int64(a[i]) * int64(b[i])
		aa += int64(a[i]) * int64(a[i])
		bb += int64(b[i]) * int64(b[i])
	}
	if aa == 0 || bb == 0 {
		return math.NaN()
	}
	return float64(ab) / math.Sqrt(float64(aa)*float64(bb))
}
