package compute

import (
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestNewBuilderRefusesSizes(t *testing.T) {
	for _, size := range [][2]int{{0, 4}, {-1, 4}, {4, 0}, {4, -1}, {math.MaxInt32 + 1, 1}, {1, maxDModel + 1}} {
		if _, err := NewBuilder(size[0], size[1]); err == nil {
			t.Errorf("NewBuilder(%d, %d): got no error", size[0], size[1])
		}
	}
}

func TestBuildErrors(t *testing.T) {
	whole := func(b *Builder) { b.SetRows(0, make([]float32, 12)) }
	for _, test := range []struct {
		name string
		fill func(*Builder)
		want string
	}{
		{"a row missing", func(b *Builder) { b.SetRows(0, make([]float32, 6)); b.SetRows(3, make([]float32, 3)) }, "found no row 2"},
		{"token outside", func(b *Builder) { whole(b); b.Only([]int32{1, 4}) }, "token ids below 4, found 4"},
		{"negative token", func(b *Builder) { whole(b); b.Only([]int32{-1, 2}) }, "found -1"},
		{"no token", func(b *Builder) { whole(b); b.Only(nil) }, "at least one token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := NewBuilder(4, 3)
			if err != nil {
				t.Fatal(err)
			}
			test.fill(b)
			if _, err := b.Build(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestOnlyCanBeCalledAgain(t *testing.T) {
	b, err := NewBuilder(4, 3)
	if err != nil {
		t.Fatal(err)
	}
	b.SetRows(0, make([]float32, 12))
	b.Only([]int32{9})
	b.Only([]int32{2, 0})
	u, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if u.Tokens() != 2 || u.Vocab() != 4 {
		t.Errorf("got %d tokens of %d, want 2 of 4", u.Tokens(), u.Vocab())
	}
}

func TestNonFiniteWeights(t *testing.T) {
	const vocab, d = 3000, 5
	for _, value := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		b, err := NewBuilder(vocab, d)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]float32, vocab*d)
		rows[2500*d+3], rows[2900*d] = float32(value), float32(value)
		b.SetRows(0, rows)
		b.Only([]int32{1}) // rows that are left out are checked as well
		_, err = b.Build()
		checkNonFinite(t, err, "unembedding", 2500, 3)
	}
	r := rand.New(rand.NewPCG(1, 1))
	u := built(t, gonumKernel{}, normal(r, 10*d), d, nil)
	directions := normal(r, 4*d)
	directions[2*d+1] = float32(math.Inf(1))
	checkNonFinite(t, u.Summarize(t.Context(), directions, Options{}, new(Summary)), "directions", 2, 1)
	checkNonFinite(t, u.LogitWeights(t.Context(), directions, make([]float32, 40)), "directions", 2, 1)
}

func checkNonFinite(t *testing.T, err error, matrix string, row, position int) {
	t.Helper()
	var e *NonFiniteError
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want a NonFiniteError", err)
	}
	if e.Matrix != matrix || e.Row != row || e.Position != position {
		t.Errorf("got %s, row %d, position %d, want %s, %d, %d", e.Matrix, e.Row, e.Position, matrix, row, position)
	}
}

func TestSetRowsConcurrently(t *testing.T) {
	const vocab, d = 1003, 7
	r := rand.New(rand.NewPCG(2, 2))
	w := normal(r, vocab*d)
	b, err := NewBuilder(vocab, d)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for from := vocab - vocab%10; from >= 0; from -= 10 {
		group.Go(func() { b.SetRows(from, w[from*d:min(from+10, vocab)*d]) })
	}
	group.Wait()
	u, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	direction := normal(r, d)
	for _, token := range []int{0, 9, 10, 500, vocab - 1} {
		if got, want := u.LogitWeight(direction, token), dot(direction, w[token*d:(token+1)*d]); got != want {
			t.Errorf("token %d: got %g, want %g", token, got, want)
		}
	}
}

func TestWrongShapesPanic(t *testing.T) {
	u := built(t, gonumKernel{}, make([]float32, 12), 3, nil)
	b, err := NewBuilder(4, 3)
	if err != nil {
		t.Fatal(err)
	}
	spent, err := NewBuilder(1, 1)
	if err != nil {
		t.Fatal(err)
	}
	spent.SetRows(0, []float32{1})
	if _, err := spent.Build(); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for name, test := range map[string]struct {
		text string
		call func()
	}{
		"partial row":        {panicRows, func() { b.SetRows(0, make([]float32, 4)) }},
		"rows before":        {panicRows, func() { b.SetRows(-1, make([]float32, 3)) }},
		"rows beyond":        {panicRows, func() { b.SetRows(3, make([]float32, 6)) }},
		"rows after Build":   {panicBuilt, func() { spent.SetRows(0, []float32{1}) }},
		"second Build":       {panicBuilt, func() { _, _ = spent.Build() }},
		"partial direction":  {panicDirections, func() { _ = u.Summarize(ctx, make([]float32, 4), Options{}, new(Summary)) }},
		"negative TopK":      {panicTopK, func() { _ = u.Summarize(ctx, make([]float32, 3), Options{TopK: -1}, new(Summary)) }},
		"short output":       {panicOutput, func() { _ = u.LogitWeights(ctx, make([]float32, 3), make([]float32, 3)) }},
		"token beyond":       {panicToken, func() { u.LogitWeight(make([]float32, 3), 4) }},
		"token before":       {panicToken, func() { u.LogitWeight(make([]float32, 3), -1) }},
		"direction too long": {panicDirection, func() { u.LogitWeight(make([]float32, 4), 0) }},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if got := recover(); got != test.text {
					t.Errorf("got panic %v, want %q", got, test.text)
				}
			}()
			test.call()
		})
	}
}

// TestMeasured: what is read of rows before they are packed is the same on every processor, and
// that of plain Go, whose float64 sums run over the rows in their order.
func TestMeasured(t *testing.T) {
	const d, vocab = 77, 300 // a rest after every vector
	rows := normal(rand.New(rand.NewPCG(1, 2)), vocab*d)
	for i := range d {
		rows[5*d+i] = 0
	}
	tokens := make([]int32, 0, vocab)
	for id := range int32(vocab) {
		if id%7 != 3 {
			tokens = append(tokens, id)
		}
	}
	shift := make([]float64, d)
	for i := range shift {
		shift[i] = float64(i) / 1000
	}
	for _, unit := range []bool{false, true} {
		for _, without := range [][]float64{nil, shift} {
			expected, largest := newAverages(d), 0.0
			for _, id := range tokens {
				row := rows[int(id)*d : int(id+1)*d]
				scale, inverse := 1.0, 0.0
				if square := dot(row, row); square != 0 {
					inverse = 1 / math.Sqrt(square)
				}
				if unit {
					scale, inverse = inverse, min(1, inverse*math.MaxFloat64)
				}
				for i, w := range row {
					v := float64(float64(w) * scale)
					if without != nil {
						v -= without[i]
					}
					largest = max(largest, math.Abs(v))
					cosine := float64(v * inverse)
					expected.mean[i] += v
					expected.square[i] += float64(v * v)
					expected.cosineMean[i] += cosine
					expected.cosineSquare[i] += float64(cosine * cosine)
				}
			}
			for _, k := range kernels {
				native, ok := k.(nativeKernel)
				if !ok || !native.available() {
					continue
				}
				u := &Unembedding{vocab: vocab, dModel: d, rows: rows, tokens: tokens, inverseNorms: make([]float64, len(tokens))}
				if unit {
					u.scales = make([]float64, len(tokens))
				}
				squares := make([]float64, len(tokens))
				got, most := u.measurePart(native.functions, 0, len(tokens), nil, squares)
				if without != nil {
					got, most = u.measurePart(native.functions, 0, len(tokens), without, squares)
				}
				if !reflect.DeepEqual(got, expected) || most != largest {
					t.Errorf("%s, unit %v, shift %v: got %v of at most %g, want %v of %g", k.name(), unit, without != nil, got.square[:3], most, expected.square[:3], largest)
				}
			}
		}
	}
}
