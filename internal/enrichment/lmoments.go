package enrichment

import (
	"context"
	"sync"

	"github.com/saedb/saedb/internal/compute"
)

// LMoments describe the distribution of a direction's logit weights by its order, which one
// far token moves less than it moves moments (Hosking, L-moments: analysis and estimation of
// distributions using linear combinations of order statistics, J. R. Statist. Soc. B 52, 1990,
// 105–124): expectations over 2, 3 and 4 different tokens, of weights x₁ ≤ x₂ ≤ … drawn,
//
//	λ₂ = E(x₂-x₁)/2    λ₃ = E(x₃-2x₂+x₁)/3    λ₄ = E(x₄-3x₃+3x₂-x₁)/4.
//
// What is not defined is NaN: ratios where all weights are equal, and λᵣ of fewer than r tokens.
type LMoments struct {
	Scale    float64 // λ₂, half the expected distance of two tokens' weights
	Skewness float64 // λ₃/λ₂, from -1 to 1; 0 of a symmetric distribution
	Kurtosis float64 // λ₄/λ₂, from -1/4 to 1; 0.1226 of a normal distribution, 0 of a uniform one
}

// FeatureLMoments returns the L-moments of the logit weights of directions [n, d_model], from
// float32 products, or float64 ones where rounding might show ([compute.Rankable]). done, which
// may be nil, is told of directions that are finished. Errors are those of
// [compute.Unembedding.VisitLogitWeights].
func FeatureLMoments(ctx context.Context, u *compute.Unembedding, directions []float32, done func(directions int)) ([]LMoments, error) {
	rankers := sync.Pool{New: func() any { return NewRanker(u.Tokens()) }}
	all := make([]LMoments, len(directions)/u.DModel())
	err := u.VisitLogitWeights(ctx, directions, func(ctx context.Context, direction int, weights *compute.Rankable) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		ranker := rankers.Get().(*Ranker)
		defer rankers.Put(ranker)
		all[direction] = ranker.lMoments(weights)
		if done != nil {
			done(1)
		}
		return nil
	})
	return all, err
}

func (r *Ranker) lMoments(weights *compute.Rankable) LMoments {
	r.sortLogitWeights(weights)
	if weights.Exact != nil {
		return lMoments(r.order, weights.Exact, 1)
	}
	return lMoments(r.order, weights.Products, weights.Unit)
}

// lMoments takes the positions of values in descending order. λᵣ is a sum over all of them in
// which the j-th of n from below has the weight of Hosking's unbiased estimator, a polynomial of
// degree r-1 in j. The weights' sum is 0, so a middle value is taken off, whose digits would
// cost the differences theirs.
func lMoments[T float32 | float64](order []int32, values []T, unit float64) LMoments {
	n := float64(len(order))
	middle := float64(values[order[len(order)/2]])
	var second, third, fourth float64
	for rank, position := range order {
		x, j := float64(values[position])-middle, n-1-float64(rank)
		one := j / (n - 1) // the chances that one, two, three others of the n are all below
		two := one * (j - 1) / (n - 2)
		three := two * (j - 2) / (n - 3)
		second += (2*one - 1) * x
		third += (6*two - 6*one + 1) * x
		fourth += (20*three - 30*two + 12*one - 1) * x
	}
	return LMoments{Scale: second / n * unit, Skewness: third / second, Kurtosis: fourth / second}
}
