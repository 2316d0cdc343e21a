package compute

import (
	"context"
	"math"
	"slices"
)

// Options choose what [Unembedding.Summarize] computes.
type Options struct {
	TopK    int  // tokens at either end of the ranking; 0 for none
	Workers int  // goroutines that compute; 0 for GOMAXPROCS
	Cosine  bool // also the moments of logit weights over unit-length token columns
	// Absolute asks for the mean magnitude of the logit weights, from the same pass.
	Absolute bool
	// Visit is given every direction's logit weights, from the same pass; see
	// [Unembedding.VisitLogitWeights]. It may be nil.
	Visit Visit
	// Done is told of every few directions that are finished, from any goroutine.
	// It may be nil.
	Done func(directions int)
}

// Summary holds the results of [Unembedding.Summarize], one entry or row a
// direction. Its slices are reused when they are large enough.
type Summary struct {
	Plain Moments
	// Cosine describes logit weights divided by the norm of the token's column,
	// where directions keep their own length; a zero column counts as 0. Empty
	// without [Options.Cosine].
	Cosine Moments
	Top    Tokens // the largest logit weights
	Bottom Tokens // the smallest
	// MeanAbsolute is mean |z| over the tokens; empty without [Options.Absolute].
	MeanAbsolute []float64
}

// Tokens are the first K tokens of each direction's ranking, best first: the ids
// of the model, and their logit weights as [Unembedding.LogitWeight] gives them.
// Equal logit weights rank by lower id. K is TopK, or the number of tokens when
// that is smaller.
type Tokens struct {
	K      int
	IDs    []int32   // [n, K]
	Logits []float64 // [n, K]
}

// Summarize computes the statistics and outermost tokens of directions [n,
// d_model], row-major. A row that is not finite gives a [*NonFiniteError]; when
// ctx ends, ctx.Err() is returned within some milliseconds. After an error s holds
// nothing of use. It panics when directions are not whole rows or TopK is negative.
//
// Beside the unembedding it takes, for each worker, one tile of products and the
// shortlists of at most 252 directions; where logit weights are visited, 16 MiB of
// those or a 32nd of the unembedding.
func (u *Unembedding) Summarize(ctx context.Context, directions []float32, o Options, s *Summary) error {
	n, err := u.checkDirections(directions)
	if err != nil {
		return err
	}
	if o.TopK < 0 {
		panic(panicTopK)
	}
	size := min(o.TopK, u.Tokens())
	s.resize(n, size, o.Cosine)
	s.MeanAbsolute = s.MeanAbsolute[:0]
	if o.Absolute {
		s.MeanAbsolute = resized(s.MeanAbsolute, n)
	}
	rows, kept := u.blockRows(n, o.Workers, size), o.Visit != nil
	if kept {
		rows = u.visitRows(n, o.Workers, size)
	}
	each := workersOfBlock(n, rows, o.Workers)
	return inParallel(ctx, n, rows, o.Workers, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], size)
		b.cosine, b.absolute = o.Cosine, o.Absolute
		b.workers = each
		if kept {
			defer u.borrowProducts(b)()
		}
		if err := u.panels.summarize(ctx, b); err != nil {
			return err
		}
		if err := b.weighShortlists(ctx); err != nil {
			return err
		}
		for i := range b.projections {
			var weights *Rankable
			var err error
			p := &b.projections[i]
			if kept { // the constants of the projection may change as it settles
				if weights, err = b.rankable(ctx, i); err != nil {
					return err
				}
			}
			if err := p.settle(ctx, u, o.Cosine); err != nil {
				return err
			}
			s.store(u, from+i, p, o.Cosine)
			if o.Absolute {
				s.MeanAbsolute[from+i] = math.Abs(s.Plain.Mean[from+i]) // of equal ones
				if s.Plain.Std[from+i] != 0 {
					s.MeanAbsolute[from+i] = p.magnitude * powerOfTwo(p.plainExponent) / float64(u.Tokens())
				}
			}
			if o.Visit != nil {
				if err := o.Visit(ctx, from+i, weights); err != nil {
					return err
				}
			}
		}
		if o.Done != nil {
			o.Done(to - from)
		}
		return nil
	})
}

// checkDirections returns the number of directions. It panics on a partial row.
func (u *Unembedding) checkDirections(directions []float32) (int, error) {
	if len(directions)%u.dModel != 0 {
		panic(panicDirections)
	}
	return len(directions) / u.dModel, checkFinite("directions", directions, u.dModel, 0)
}

// shortlistBytes bounds the memory of a block's shortlists, beside the room that any
// shortlist has for ties.
const shortlistBytes = 16 << 20

// blockRows returns how many of n directions to take at once, so that every worker
// has some and blocks are about equal. size is that of a shortlist.
func (u *Unembedding) blockRows(n, workers, size int) int {
	most, multiple := u.panels.blockRows()
	if perRow := shortlistBytesOf(size); perRow*most > shortlistBytes {
		most = max(shortlistBytes/perRow/multiple, 1) * multiple
	}
	share := max(ceilOf(n, workerCount(workers)), 1)
	rows := ceilOf(share, ceilOf(share, most))
	return min(ceilOf(rows, multiple)*multiple, most)
}

// workersOfBlock returns how many goroutines a block may take where n directions are taken by rows,
// so that few directions keep all of them busy too.
func workersOfBlock(n, rows, workers int) int {
	return max(workerCount(workers)/max(ceilOf(n, rows), 1), 1)
}

// ceilOf returns ⌈a/b⌉.
func ceilOf(a, b int) int { return (a + b - 1) / b }

func (u *Unembedding) newBlock(directions []float32, size int) *block {
	rows := len(directions) / u.dModel
	b := &block{
		u:           u,
		rows:        rows,
		given:       directions,
		directions:  make([]float32, len(directions)),
		projections: make([]projection, rows),
		tokens:      size > 0,
	}
	for i := range rows {
		row := directions[i*u.dModel : (i+1)*u.dModel]
		b.projections[i] = newProjection(u, row, b.directions[i*u.dModel:(i+1)*u.dModel], size)
	}
	return b
}

func (s *Summary) resize(n, size int, cosine bool) {
	s.Plain.resize(n)
	s.Top.resize(n, size)
	s.Bottom.resize(n, size)
	if cosine {
		s.Cosine.resize(n)
	} else {
		s.Cosine.resize(0)
	}
}

func (m *Moments) resize(n int) {
	m.Mean = resized(m.Mean, n)
	m.Std = resized(m.Std, n)
	m.Skewness = resized(m.Skewness, n)
	m.Kurtosis = resized(m.Kurtosis, n)
}

func (t *Tokens) resize(n, size int) {
	t.K = size
	t.IDs = resized(t.IDs, n*size)
	t.Logits = resized(t.Logits, n*size)
}

func resized[T any](s []T, n int) []T { return slices.Grow(s[:0], n)[:n] }

// store writes the results of a settled projection to the given row.
func (s *Summary) store(u *Unembedding, row int, p *projection, cosine bool) {
	s.Plain.store(row, u, &p.plain, p.terms.mean, p.terms.length, p.plainExponent)
	if cosine {
		s.Cosine.store(row, u, &p.cosine, p.terms.cosineMean, p.terms.cosineLength, p.cosineExponent)
	}
	s.Top.store(row, u, p.topTokens)
	s.Bottom.store(row, u, p.bottomTokens)
}

// store writes a row from sums in units of 2^exponent; length is that of the
// products' terms and mean the logit weights', in units of 1.
func (m *Moments) store(row int, u *Unembedding, sums *powerSums, mean, length float64, exponent int) {
	zero := zeroSpread(u.dModel, length) * powerOfTwo(-exponent)
	std, skewness, kurtosis := sums.shape(u.Tokens(), zero)
	m.Mean[row] = mean
	m.Std[row] = std * powerOfTwo(exponent)
	m.Skewness[row] = skewness
	m.Kurtosis[row] = kurtosis
}

func (t *Tokens) store(row int, u *Unembedding, ranked []candidate) {
	for i, c := range ranked {
		t.IDs[row*t.K+i] = u.tokens[c.position]
		t.Logits[row*t.K+i] = c.value
	}
}
