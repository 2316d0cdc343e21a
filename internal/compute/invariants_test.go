package compute

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
)

// The tests of this file compare saedb with itself: what must change nothing, and
// what must change results in a known way.

// mixedDirections has rows that take every path: ordinary, zero, and nearly
// annihilated ones.
func mixedDirections(r *rand.Rand, n, d int) []float32 {
	directions := normal(r, n*d)
	for i := 0; i < n; i += 7 {
		clear(directions[i*d : (i+1)*d])
	}
	for i := 3; i < n; i += 7 {
		for j := range d {
			directions[i*d+j] = 1
		}
	}
	return directions
}

func centredRows(r *rand.Rand, vocab, d int) []float32 {
	w := normal(r, vocab*d)
	annihilate(r, problem{vocab: vocab, d: d}, nil, w)
	return w
}

// sameBits reports whether two summaries are equal, NaN being equal to NaN.
func sameBits(a, b *Summary) bool {
	bits := func(values []float64) []uint64 {
		list := make([]uint64, len(values))
		for i, v := range values {
			list[i] = math.Float64bits(v)
		}
		return list
	}
	flat := func(s *Summary) [][]uint64 {
		var list [][]uint64
		for _, m := range []Moments{s.Plain, s.Cosine} {
			list = append(list, bits(m.Mean), bits(m.Std), bits(m.Skewness), bits(m.Kurtosis))
		}
		return append(list, bits(s.Top.Logits), bits(s.Bottom.Logits))
	}
	return reflect.DeepEqual(flat(a), flat(b)) &&
		slices.Equal(a.Top.IDs, b.Top.IDs) && slices.Equal(a.Bottom.IDs, b.Bottom.IDs)
}

func TestWorkersAndBatchesChangeNothing(t *testing.T) {
	const n, vocab, d = 150, 1013, 45
	r := rand.New(rand.NewPCG(1, 2))
	directions, w := mixedDirections(r, n, d), centredRows(r, vocab, d)
	for _, k := range kernelsUnderTest() {
		t.Run(k.name(), func(t *testing.T) {
			u := built(t, k, w, d, nil)
			o := Options{TopK: 6, Cosine: true, Workers: 1}
			want := summarized(t, u, directions, o)
			for _, workers := range []int{2, 3, 16, 0} {
				o.Workers = workers
				if !sameBits(summarized(t, u, directions, o), want) {
					t.Errorf("%d workers: results differ from those of one", workers)
				}
			}
			for _, size := range []int{1, 2, 63, 64, 65, 149} {
				if !sameBits(inBatches(t, u, directions, size, o), want) {
					t.Errorf("batches of %d: results differ from those of one batch", size)
				}
			}
			again := built(t, k, w, d, nil)
			if !sameBits(summarized(t, again, directions, o), want) {
				t.Error("a second Build of the same rows gives other results")
			}
		})
	}
}

// TestFewDirections: what is multiplied by groups that are packed for it, and by several goroutines,
// has the bits of what is multiplied by a matrix that is packed whole, which is done after a few.
func TestFewDirections(t *testing.T) {
	const n, vocab = 40, 1100
	for _, d := range []int{29, 1000} {
		r := rand.New(rand.NewPCG(5, uint64(d)))
		directions, w := mixedDirections(r, n, d), centredRows(r, vocab, d)
		far := slices.Clone(w)
		for i := range far {
			far[i] += 9 // a common part, which is taken off
		}
		for _, k := range kernelsUnderTest() {
			for name, build := range map[string]func() *Unembedding{
				"as given": func() *Unembedding { return built(t, k, w, d, nil) },
				"some":     func() *Unembedding { return built(t, k, w, d, []int32{1, 5, 8, 600, 1099}) },
				"shifted":  func() *Unembedding { return built(t, k, far, d, nil) },
				"unit": func() *Unembedding {
					b, err := NewBuilder(vocab, d)
					if err != nil {
						t.Fatal(err)
					}
					b.SetRows(0, w)
					b.Unit()
					u, err := b.build(k)
					if err != nil {
						t.Fatal(err)
					}
					return u
				},
			} {
				t.Run(fmt.Sprintf("%s/%d/%s", k.name(), d, name), func(t *testing.T) {
					o := Options{TopK: 6, Cosine: true, Workers: 2}
					whole := build()
					want := summarized(t, whole, directions, o)
					weights := make([]float32, n*whole.Tokens())
					if err := whole.LogitWeights(t.Context(), directions, weights); err != nil {
						t.Fatal(err)
					}
					few := build()
					native, lazy := few.panels.(*nativePanels)
					lazy = lazy && few.rows != nil
					some := make([]float32, few.Tokens())
					if err := few.LogitWeights(t.Context(), directions[:d], some); err != nil {
						t.Fatal(err)
					}
					if lazy && native.packed.Load() {
						t.Error("the matrix was packed whole for one direction")
					}
					for _, o.Workers = range []int{1, 7} {
						if !sameBits(inBatches(t, few, directions, 1, o), want) {
							t.Errorf("%d workers: one direction at a time gives other results", o.Workers)
						}
					}
					for i := range n {
						if err := few.LogitWeights(t.Context(), directions[i*d:(i+1)*d], some); err != nil {
							t.Fatal(err)
						}
						if !slices.Equal(some, weights[i*few.Tokens():(i+1)*few.Tokens()]) {
							t.Fatalf("direction %d alone has other logit weights", i)
						}
					}
					if lazy && !native.packed.Load() {
						t.Errorf("%d directions one by one did not have the matrix packed", n)
					}
				})
			}
		}
	}
}

// inBatches joins the summaries of runs of size directions.
func inBatches(t *testing.T, u *Unembedding, directions []float32, size int, o Options) *Summary {
	t.Helper()
	var all Summary
	for batch := range slices.Chunk(directions, size*u.DModel()) {
		s := summarized(t, u, batch, o)
		for _, pair := range [][2]*Moments{{&all.Plain, &s.Plain}, {&all.Cosine, &s.Cosine}} {
			pair[0].Mean = append(pair[0].Mean, pair[1].Mean...)
			pair[0].Std = append(pair[0].Std, pair[1].Std...)
			pair[0].Skewness = append(pair[0].Skewness, pair[1].Skewness...)
			pair[0].Kurtosis = append(pair[0].Kurtosis, pair[1].Kurtosis...)
		}
		for _, pair := range [][2]*Tokens{{&all.Top, &s.Top}, {&all.Bottom, &s.Bottom}} {
			pair[0].IDs = append(pair[0].IDs, pair[1].IDs...)
			pair[0].Logits = append(pair[0].Logits, pair[1].Logits...)
		}
	}
	return &all
}

func TestRowOrderPermutesResults(t *testing.T) {
	const n, vocab, d = 40, 701, 29
	r := rand.New(rand.NewPCG(3, 4))
	directions, w := mixedDirections(r, n, d), centredRows(r, vocab, d)
	order := r.Perm(n)
	permuted := make([]float32, 0, n*d)
	for _, i := range order {
		permuted = append(permuted, directions[i*d:(i+1)*d]...)
	}
	for _, k := range kernelsUnderTest() {
		t.Run(k.name(), func(t *testing.T) {
			u := built(t, k, w, d, nil)
			o := Options{TopK: 4, Cosine: true}
			a, b := summarized(t, u, directions, o), summarized(t, u, permuted, o)
			for to, from := range order {
				if math.Float64bits(a.Plain.Kurtosis[from]) != math.Float64bits(b.Plain.Kurtosis[to]) ||
					a.Cosine.Std[from] != b.Cosine.Std[to] ||
					!slices.Equal(a.Top.IDs[from*4:from*4+4], b.Top.IDs[to*4:to*4+4]) {
					t.Errorf("row %d: results differ when it is row %d", from, to)
				}
			}
		})
	}
}

func TestScalingADirection(t *testing.T) {
	const n, vocab, d = 6, 907, 51
	r := rand.New(rand.NewPCG(5, 6))
	directions, w := normal(r, n*d), normal(r, vocab*d)
	for _, k := range kernelsUnderTest() {
		u := built(t, k, w, d, nil)
		o := Options{TopK: 5, Cosine: true}
		want := summarized(t, u, directions, o)
		for _, factor := range []float64{3, 0.125, 1e-20, 7e20} {
			grown := slices.Clone(directions)
			scaled(grown, factor)
			got := summarized(t, u, grown, o)
			if !slices.Equal(got.Top.IDs, want.Top.IDs) || !slices.Equal(got.Bottom.IDs, want.Bottom.IDs) {
				t.Errorf("%s: factor %g: ranking changed", k.name(), factor)
			}
			for i := range n {
				near(t, "mean", i, got.Plain.Mean[i], factor*want.Plain.Mean[i], factor)
				near(t, "std", i, got.Plain.Std[i], factor*want.Plain.Std[i], got.Plain.Std[i])
				near(t, "skewness", i, got.Plain.Skewness[i], want.Plain.Skewness[i], 1)
				near(t, "kurtosis", i, got.Plain.Kurtosis[i], want.Plain.Kurtosis[i], 1)
				near(t, "cosine std", i, got.Cosine.Std[i], factor*want.Cosine.Std[i], got.Cosine.Std[i])
				near(t, "cosine kurtosis", i, got.Cosine.Kurtosis[i], want.Cosine.Kurtosis[i], 1)
			}
		}
	}
}

// Centring W_U over the vocabulary takes the mean away and leaves the rest.
func TestCentringOverTheVocabulary(t *testing.T) {
	const n, vocab, d = 6, 1201, 37
	r := rand.New(rand.NewPCG(7, 8))
	directions, w := normal(r, n*d), normal(r, vocab*d)
	for i := range w {
		w[i] += float32(i % d)
	}
	centred := slices.Clone(w)
	for i := range d {
		var mean float64
		for j := range vocab {
			mean += float64(w[j*d+i]) / vocab
		}
		for j := range vocab {
			centred[j*d+i] = float32(float64(w[j*d+i]) - mean)
		}
	}
	for _, k := range kernelsUnderTest() {
		want := summarized(t, built(t, k, w, d, nil), directions, Options{TopK: 5})
		got := summarized(t, built(t, k, centred, d, nil), directions, Options{TopK: 5})
		if !slices.Equal(got.Top.IDs, want.Top.IDs) || !slices.Equal(got.Bottom.IDs, want.Bottom.IDs) {
			t.Errorf("%s: ranking changed", k.name())
		}
		for i := range n {
			near(t, "mean", i, got.Plain.Mean[i], 0, 1)
			near(t, "std", i, got.Plain.Std[i], want.Plain.Std[i], want.Plain.Std[i])
			near(t, "skewness", i, got.Plain.Skewness[i], want.Plain.Skewness[i], 1)
			near(t, "kurtosis", i, got.Plain.Kurtosis[i], want.Plain.Kurtosis[i], 1)
		}
	}
}

// A restricted unembedding gives what one of those rows alone gives, ids apart.
func TestOnlyEqualsASmallerVocabulary(t *testing.T) {
	const n, vocab, d = 5, 400, 22
	r := rand.New(rand.NewPCG(9, 10))
	directions, w := normal(r, n*d), normal(r, vocab*d)
	var ids []int32
	var kept []float32
	for id := 1; id < vocab; id += 3 {
		ids = append(ids, int32(id))
		kept = append(kept, w[id*d:(id+1)*d]...)
	}
	shuffled := append(slices.Clone(ids), ids[:10]...) // any order, repeats allowed
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, k := range kernelsUnderTest() {
		u := built(t, k, w, d, shuffled)
		if !slices.Equal(u.TokenIDs(), ids) {
			t.Fatalf("%s: TokenIDs: got %v, want %v", k.name(), head(u.TokenIDs()), head(ids))
		}
		o := Options{TopK: 6, Cosine: true}
		got, want := summarized(t, u, directions, o), summarized(t, built(t, k, kept, d, nil), directions, o)
		for _, tokens := range []Tokens{want.Top, want.Bottom} {
			for i, position := range tokens.IDs {
				tokens.IDs[i] = ids[position]
			}
		}
		if !sameBits(got, want) {
			t.Errorf("%s: results differ", k.name())
		}
	}
}

// Ordinary directions must not fall back on float64, which would be right and slow.
func TestOrdinaryDirectionsAreTrusted(t *testing.T) {
	for _, shape := range []struct{ vocab, d int }{{1000, 64}, {4000, 768}, {8000, 2304}, {8000, 5376}} {
		r := rand.New(rand.NewPCG(11, uint64(shape.d)))
		directions, w := normal(r, 8*shape.d), normal(r, shape.vocab*shape.d)
		for _, k := range kernelsUnderTest() {
			u := built(t, k, w, shape.d, nil)
			b := u.newBlock(directions, 10)
			b.cosine = true
			if err := u.panels.summarize(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for i := range b.projections {
				if !b.projections[i].trusted(u, true) {
					t.Errorf("%s, d_model %d: direction %d is not trusted", k.name(), shape.d, i)
				}
			}
		}
	}
}

// Logit weights that are visited are float64's within the rounding of their spread, the
// same with or without statistics, for every direction once; and statistics are as
// without a visit. Directions that W_U nearly annihilates are visited in float64.
func TestVisitChangesNothing(t *testing.T) {
	const n, vocab, d = 150, 1013, 45
	r := rand.New(rand.NewPCG(1, 9))
	directions, w := mixedDirections(r, n, d), centredRows(r, vocab, d)
	for _, k := range kernelsUnderTest() {
		t.Run(k.name(), func(t *testing.T) {
			u := built(t, k, w, d, []int32{0, 1, 2, 5, 7, 900, 1012})
			tokens := u.Tokens()
			visited, exact, got := make([]atomic.Int32, n), make([]bool, n), make([]float64, n*tokens)
			visit := func(_ context.Context, direction int, weights *Rankable) error {
				visited[direction].Add(1)
				exact[direction] = weights.Exact != nil
				weights.LogitWeights(got[direction*tokens : (direction+1)*tokens])
				clear(weights.Products)
				clear(weights.Exact)
				return nil
			}
			o := Options{TopK: 3, Cosine: true}
			statistics := summarized(t, u, directions, o)
			o.Visit = visit
			if !sameBits(summarized(t, u, directions, o), statistics) {
				t.Error("statistics differ where logit weights are visited")
			}
			want := slices.Clone(got)
			clear(got)
			if err := u.VisitLogitWeights(t.Context(), directions, visit); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want) {
				t.Error("VisitLogitWeights: other logit weights than Summarize")
			}
			for i := range n {
				if times := visited[i].Load(); times != 2 {
					t.Errorf("direction %d was visited %d times in two passes", i, times)
				}
				if i%7 == 3 && !exact[i] {
					t.Errorf("direction %d was not visited in float64", i)
				}
				for j, id := range u.TokenIDs() {
					direction := directions[i*d : (i+1)*d]
					if want := u.LogitWeight(direction, int(id)); math.Abs(got[i*tokens+j]-want) > 1e-6*statistics.Plain.Std[i] {
						t.Errorf("direction %d, token %d: %v, want %v", i, id, got[i*tokens+j], want)
					}
				}
			}
		})
	}
}

// The error of a visit ends the computation and is returned.
func TestVisitFails(t *testing.T) {
	const n, d = 600, 8
	r := rand.New(rand.NewPCG(1, 10))
	u, failure := built(t, gonumKernel{}, normal(r, 50*d), d, nil), errors.New("enough")
	visit := func(context.Context, int, *Rankable) error { return failure }
	if err := u.VisitLogitWeights(t.Context(), normal(r, n*d), visit); err != failure {
		t.Errorf("got %v", err)
	}
	if err := u.Summarize(t.Context(), normal(r, n*d), Options{Visit: visit}, new(Summary)); err != failure {
		t.Errorf("got %v", err)
	}
}
