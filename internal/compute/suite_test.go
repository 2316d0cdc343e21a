package compute

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
)

// kernelsUnderTest are all kernels that this machine can run.
func kernelsUnderTest() []kernel {
	var list []kernel
	for _, k := range kernels {
		if k.available() {
			list = append(list, k)
			if native, ok := k.(nativeKernel); ok {
				native.keptRows = 0 // as for a large model
				list = append(list, native)
			}
		}
	}
	return list
}

// problem is one input of the suite.
type problem struct {
	name           string
	n, vocab, d, k int
	only           []int32 // nil for all tokens
	// shape changes directions [n, d] and W [vocab, d], which start as standard normal.
	shape          func(r *rand.Rand, p problem, directions, w []float32)
	constant       bool // plain logit weights have no spread
	constantCosine bool
}

func (p problem) generate() (directions, w []float32) {
	r := rand.New(rand.NewPCG(uint64(p.vocab), uint64(p.d)))
	directions, w = normal(r, p.n*p.d), normal(r, p.vocab*p.d)
	if p.shape != nil {
		p.shape(r, p, directions, w)
	}
	return directions, w
}

func (p problem) ids() []int32 {
	if p.only != nil {
		return p.only
	}
	ids := make([]int32, p.vocab)
	for i := range ids {
		ids[i] = int32(i)
	}
	return ids
}

func normal(r *rand.Rand, n int) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	return values
}

func scaled(values []float32, factor float64) {
	for i := range values {
		values[i] = float32(float64(values[i]) * factor)
	}
}

var problems = []problem{
	{name: "one feature", n: 1, vocab: 1009, d: 64, k: 10},
	{name: "one token", n: 3, vocab: 1, d: 64, k: 10, constant: true, constantCosine: true},
	{name: "two tokens", n: 70, vocab: 2, d: 33, k: 2},
	{name: "one dimension", n: 5, vocab: 777, d: 1, k: 7},
	{name: "575 dimensions", n: 3, vocab: 331, d: 575, k: 10},
	{name: "576 dimensions", n: 3, vocab: 331, d: 576, k: 10},
	{name: "577 dimensions", n: 3, vocab: 331, d: 577, k: 10},
	{name: "long rows", n: 4, vocab: 499, d: 5000, k: 10},
	{name: "many features", n: 193, vocab: 1021, d: 31, k: 3},
	{name: "many tokens", n: 9, vocab: 20011, d: 48, k: 25},
	{name: "more wanted than there are", n: 3, vocab: 37, d: 20, k: 100},
	{name: "the whole vocabulary", n: 2, vocab: 3001, d: 20, k: 3001},
	// Around the groups and tiles of the C kernels.
	{name: "127 tokens", n: 13, vocab: 127, d: 48, k: 10},
	{name: "128 tokens", n: 14, vocab: 128, d: 48, k: 10},
	{name: "129 tokens", n: 15, vocab: 129, d: 48, k: 10},
	{name: "257 tokens", n: 29, vocab: 257, d: 769, k: 10},
	{name: "1537 dimensions", n: 10, vocab: 200, d: 1537, k: 10},
	{name: "no tokens wanted", n: 3, vocab: 501, d: 20, k: 0},
	{name: "subset of tokens", n: 5, vocab: 503, d: 24, k: 8, only: []int32{3, 4, 100, 101, 250, 251, 252, 399, 400, 502}},
	{name: "huge", n: 4, vocab: 601, d: 96, k: 5, shape: func(_ *rand.Rand, _ problem, directions, w []float32) {
		scaled(directions, 5e37)
		scaled(w, 5e37)
	}},
	{name: "denormal", n: 4, vocab: 601, d: 96, k: 5, shape: func(_ *rand.Rand, _ problem, directions, w []float32) {
		scaled(directions, 1e-41)
		scaled(w, 1e-41)
	}},
	{name: "huge and denormal dimensions", n: 4, vocab: 601, d: 2, k: 5, shape: func(_ *rand.Rand, _ problem, directions, w []float32) {
		for i := 0; i < len(w); i += 2 {
			scaled(w[i:i+1], 1e37)
			scaled(w[i+1:i+2], 1e-37)
		}
		directions[0], directions[2], directions[4] = 0, 0, 1e-38
	}},
	{name: "zero directions", n: 4, vocab: 601, d: 16, k: 5, constant: true, constantCosine: true,
		shape: func(_ *rand.Rand, _ problem, directions, _ []float32) { clear(directions) }},
	{name: "zero unembedding", n: 4, vocab: 3001, d: 16, k: 5, constant: true, constantCosine: true,
		shape: func(_ *rand.Rand, _ problem, _, w []float32) { clear(w) }},
	{name: "padding of zeros", n: 4, vocab: 601, d: 16, k: 5,
		shape: func(_ *rand.Rand, p problem, _, w []float32) { clear(w[512*p.d:]) }},
	{name: "equal columns", n: 4, vocab: 3001, d: 33, k: 5, constant: true, constantCosine: true,
		shape: func(_ *rand.Rand, p problem, _, w []float32) {
			for j := 1; j < p.vocab; j++ {
				copy(w[j*p.d:(j+1)*p.d], w[:p.d])
			}
		}},
	{name: "parallel columns", n: 4, vocab: 601, d: 1200, k: 5, constantCosine: true,
		shape: func(_ *rand.Rand, p problem, directions, w []float32) {
			for i := range directions { // terms of one sign: the sum rounds most
				directions[i] = float32(math.Abs(float64(directions[i])))
				w[i%p.d] = float32(math.Abs(float64(w[i%p.d])))
			}
			for j := 1; j < p.vocab; j++ {
				factor := float32(int(1) << (j % 5))
				for i := range p.d {
					w[j*p.d+i] = w[i] * factor
				}
			}
		}},
	{name: "pairs of equal columns", n: 6, vocab: 1202, d: 40, k: 9,
		shape: func(_ *rand.Rand, p problem, _, w []float32) { copy(w[601*p.d:], w[:601*p.d]) }},
	{name: "thousands of nearly equal columns", n: 3, vocab: 5000, d: 40, k: 9,
		shape: func(r *rand.Rand, p problem, _, w []float32) {
			for j := 1000; j < p.vocab; j++ {
				for i := range p.d {
					w[j*p.d+i] = 8 * w[i] * (1 + float32(r.IntN(3))*0x1p-23)
				}
			}
		}},
	{name: "outlying tokens", n: 4, vocab: 9973, d: 64, k: 5,
		shape: func(_ *rand.Rand, p problem, directions, w []float32) {
			for i := range p.n { // kurtosis of some thousands
				copy(w[(17+i)*p.d:(18+i)*p.d], directions[i*p.d:(i+1)*p.d])
				scaled(w[(17+i)*p.d:(18+i)*p.d], 20)
			}
		}},
	{name: "one token a thousand times longer", n: 4, vocab: 4001, d: 256, k: 6,
		shape: func(_ *rand.Rand, p problem, _, w []float32) { scaled(w[5*p.d:6*p.d], 1000) }},
	{name: "tokens too short for float32 beside the rest", n: 4, vocab: 1201, d: 64, k: 5,
		shape: func(_ *rand.Rand, p problem, _, w []float32) {
			scaled(w[:1000*p.d], 1e25)
			scaled(w[1000*p.d:], 1e-15)
		}},
	{name: "common part", n: 4, vocab: 1999, d: 64, k: 5,
		shape: func(_ *rand.Rand, _ problem, _, w []float32) {
			for i := range w {
				w[i] = 1000 + float32(i%64) + w[i]
			}
		}},
	{name: "direction along the common part", n: 3, vocab: 1013, d: 2048, k: 5,
		shape: func(r *rand.Rand, p problem, directions, w []float32) {
			common := normal(r, p.d)
			for i := range w {
				w[i] += 3 * common[i%p.d]
			}
			for i := range directions {
				directions[i] = common[i%p.d] + directions[i]/8
			}
		}},
	{name: "short tokens beside a common part", n: 4, vocab: 1999, d: 64, k: 5,
		shape: func(_ *rand.Rand, p problem, _, w []float32) {
			for i := range w {
				w[i] += 50
			}
			scaled(w[1990*p.d:], 1e-6)
		}},
	{name: "one dimension outweighs", n: 6, vocab: 2003, d: 65, k: 5,
		shape: func(_ *rand.Rand, p problem, directions, w []float32) {
			for j := range p.vocab {
				w[j*p.d] *= 1e5
			}
			for i := range p.n / 2 {
				directions[i*p.d] = 0
			}
		}},
	{name: "direction that W_U nearly annihilates", n: 3, vocab: 1511, d: 128, k: 5, shape: annihilate},
}

// annihilate centres W over d_model, and makes directions constant but for a part
// that is a millionth of them.
func annihilate(_ *rand.Rand, p problem, directions, w []float32) {
	for j := range p.vocab {
		row := w[j*p.d : (j+1)*p.d]
		var mean float64
		for _, v := range row {
			mean += float64(v) / float64(p.d)
		}
		for i := range row {
			row[i] = float32(float64(row[i]) - mean)
		}
	}
	for i := range directions {
		directions[i] = 1 + 1e-6*directions[i]
	}
}

func built(t testing.TB, k kernel, w []float32, d int, only []int32) *Unembedding {
	t.Helper()
	b, err := NewBuilder(len(w)/d, d)
	if err != nil {
		t.Fatal(err)
	}
	b.SetRows(0, w)
	if only != nil {
		b.Only(only)
	}
	u, err := b.build(k)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func summarized(t testing.TB, u *Unembedding, directions []float32, o Options) *Summary {
	t.Helper()
	var s Summary
	if err := u.Summarize(context.Background(), directions, o, &s); err != nil {
		t.Fatal(err)
	}
	return &s
}

// TestSuite holds every kernel to gonum in float64.
func TestSuite(t *testing.T) {
	for _, k := range kernelsUnderTest() {
		for _, p := range problems {
			t.Run(k.name()+"/"+p.name, func(t *testing.T) {
				directions, w := p.generate()
				u := built(t, k, w, p.d, p.only)
				o := newOracle(directions, w, p.d, p.ids())
				s := summarized(t, u, directions, Options{TopK: p.k, Cosine: true})
				checkMoments(t, "plain", s.Plain, o.plain, p.constant)
				checkMoments(t, "cosine", s.Cosine, o.cosine, p.constantCosine)
				checkTokens(t, u, directions, s.Top, o, p.k, 1)
				checkTokens(t, u, directions, s.Bottom, o, p.k, -1)
			})
		}
	}
}

// TestLogitWeights holds every kernel's products to gonum in float64, to within
// float32's bound of ‖direction‖·‖column‖.
func TestLogitWeights(t *testing.T) {
	for _, k := range kernelsUnderTest() {
		for _, p := range problems {
			t.Run(k.name()+"/"+p.name, func(t *testing.T) {
				directions, w := p.generate()
				u := built(t, k, w, p.d, p.only)
				out := make([]float32, p.n*u.Tokens())
				if err := u.LogitWeights(context.Background(), directions, out); err != nil {
					t.Fatal(err)
				}
				o := newOracle(directions, w, p.d, p.ids())
				checkLogitWeights(t, u, directions, out, o)
			})
		}
	}
}

func checkLogitWeights(t *testing.T, u *Unembedding, directions, out []float32, o *oracle) {
	t.Helper()
	d := u.DModel()
	for i := range len(directions) / d {
		direction := directions[i*d : (i+1)*d]
		relative, _ := productBound(d, math.Sqrt(dot(direction, direction)), u.tiny)
		for j, id := range u.TokenIDs() {
			got, want := out[i*u.Tokens()+j], o.plain.At(i, j)
			row := u.rowOf(int(id))
			// Underflow beside the matrix's largest weight, and of the result.
			underflow := float64(largestMagnitude(direction)) * powerOfTwo(u.exponent) * float64(d) * u.tiny
			square := dot(row, row)
			if u.shift != nil {
				without := 0.0
				for k, w := range row {
					without += (float64(w) - u.shift[k]) * (float64(w) - u.shift[k])
				}
				square = max(square, without)
			}
			bound := relative*math.Sqrt(square) + underflow + tiny32
			if math.Abs(want) > math.MaxFloat32 {
				if !math.IsInf(float64(got), int(math.Copysign(1, want))) {
					t.Fatalf("direction %d, token %d: got %g, want infinity for %g", i, id, got, want)
				}
				continue
			}
			if !(math.Abs(float64(got)-want) <= bound) {
				t.Fatalf("direction %d, token %d: got %g, want %g within %g", i, id, got, want, bound)
			}
		}
	}
}
