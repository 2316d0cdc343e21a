package compute

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// nativeUnderTest are the C kernels that this machine can run.
func nativeUnderTest() []nativeKernel {
	var list []nativeKernel
	for _, k := range kernelsUnderTest() {
		if native, ok := k.(nativeKernel); ok {
			list = append(list, native)
		}
	}
	return list
}

// The sums that C takes in float32 are those of its own products in float64, to
// within roundings relative to Σ|x|ᵏ: see statistics.h. The mean that deviations are
// from is rounded too, which moves sums by as much, and moments not at all.
func TestNativeSums(t *testing.T) {
	shapes := map[string]struct {
		vocab   int
		outlier float32 // length of one token among those of length 1
		worst   float64
	}{
		"normal":   {vocab: 20000, outlier: 1, worst: 2e-7},
		"outlier":  {vocab: 20000, outlier: 100, worst: 8 * unit32},
		"one part": {vocab: groupTokens - 1, outlier: 1, worst: 8 * unit32},
	}
	const n, d = 20, 96
	for name, shape := range shapes {
		r := rand.New(rand.NewPCG(13, 14))
		w := normal(r, shape.vocab*d)
		for i := range d {
			w[i] *= shape.outlier
		}
		directions := normal(r, n*d)
		for _, k := range nativeUnderTest() {
			t.Run(k.name()+"/"+name, func(t *testing.T) {
				u := built(t, k, w, d, nil)
				b := u.newBlock(directions, 0)
				b.cosine = true
				if err := u.panels.summarize(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				b.products = make([]float32, n*u.Tokens())
				if err := u.panels.products(t.Context(), b); err != nil {
					t.Fatal(err)
				}
				for i := range n {
					p := &b.projections[i]
					row := b.products[i*u.Tokens() : (i+1)*u.Tokens()]
					deviations, cosines := make([]float64, len(row)), make([]float64, len(row))
					for j, x := range row {
						deviations[j] = float64(x) + p.offset
						cosines[j] = (float64(x)+p.shift)*u.inverseNorms[j] - p.cosineMean
					}
					checkSums(t, fmt.Sprintf("plain sums of row %d", i), p.plain, deviations, shape.worst)
					checkSums(t, fmt.Sprintf("cosine sums of row %d", i), p.cosine, cosines, shape.worst)
				}
			})
		}
	}
}

// Kernels that fuse each multiplication with its addition have the same products, and so
// the same ranks: those of one chain of fused sums, in the order of d_model.
func TestFusedProducts(t *testing.T) {
	const n, d, vocab = 10, 1100, 300 // more than a kernel's depth
	r := rand.New(rand.NewPCG(15, 16))
	w, directions := normal(r, vocab*d), normal(r, n*d)
	for _, k := range nativeUnderTest() {
		if !slices.Contains(Fused, k.name()) {
			continue
		}
		t.Run(k.name(), func(t *testing.T) {
			u := built(t, k, w, d, nil)
			b := blockOfProducts(t, u, directions)
			packed := powerOfTwo(-u.exponent)
			for i := range n {
				for j := range vocab {
					var sum float32
					for l := range d {
						sum = fusedMultiplyAdd(b.directions[i*d+l], float32(float64(w[j*d+l])*packed), sum)
					}
					if got := b.products[i*vocab+j]; got != sum {
						t.Fatalf("direction %d, token %d: %v, want %v", i, j, got, sum)
					}
				}
			}
		})
	}
}

// blockOfProducts has u's kernel write the products of directions.
func blockOfProducts(t *testing.T, u *Unembedding, directions []float32) *block {
	t.Helper()
	b := u.newBlock(directions, 0)
	b.products = make([]float32, b.rows*u.Tokens())
	if err := u.panels.products(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// The three bfloat16 that AMX takes for a float32 lose no more than one chain of fused sums
// does, for numbers that need all three, two of them and one.
func TestTileProducts(t *testing.T) {
	amx, err := chooseKernel("amx")
	if err != nil {
		t.Skip("needs a processor with AMX")
	}
	chain, err := chooseKernel("avx512")
	if err != nil {
		t.Fatal(err)
	}
	const n, d, vocab = 45, 1100, 300
	for _, bits := range []int{24, 16, 8} {
		t.Run(fmt.Sprintf("%d bits", bits), func(t *testing.T) {
			r := rand.New(rand.NewPCG(17, uint64(bits)))
			w, directions := normal(r, vocab*d), normal(r, n*d)
			for i, v := range w {
				w[i] = math.Float32frombits(math.Float32bits(v) &^ (1<<(24-bits) - 1))
			}
			squares := func(k kernel) (sum float64) {
				u := built(t, k, w, d, nil)
				b := blockOfProducts(t, u, directions)
				for i := range n {
					for j := range vocab {
						exact := dot(b.directions[i*d:(i+1)*d], w[j*d:(j+1)*d]) * powerOfTwo(-u.exponent)
						sum += math.Pow(float64(b.products[i*vocab+j])-exact, 2)
					}
				}
				return sum
			}
			if tiles, one := squares(amx), squares(chain); !(tiles <= one) || one == 0 {
				t.Errorf("errors of AMX: sum of squares %g, want at most %g, those of AVX-512", tiles, one)
			}
		})
	}
}

// What tokens are bfloat16 takes fewer products; it does not show in the bits of those that are not,
// nor in theirs.
func TestTilesOfOtherTokens(t *testing.T) {
	amx, err := chooseKernel("amx")
	if err != nil {
		t.Skip("needs a processor with AMX")
	}
	const n, d, vocab = 40, 300, groupTokens
	r := rand.New(rand.NewPCG(18, 19))
	w, directions := normal(r, vocab*d), normal(r, n*d)
	for i := d; i < len(w); i++ { // all tokens but the first
		w[i] = math.Float32frombits(math.Float32bits(w[i]) &^ 0xffff)
	}
	among := slices.Clone(blockOfProducts(t, built(t, amx, w, d, nil), directions).products)
	copy(w[:d], w[d:])
	alone := blockOfProducts(t, built(t, amx, w, d, nil), directions).products
	for i := range n {
		if got, want := alone[i*vocab+1:(i+1)*vocab], among[i*vocab+1:(i+1)*vocab]; !slices.Equal(got, want) {
			t.Fatalf("direction %d: other products where the group's first token is bfloat16 too", i)
		}
		// So few directions go through half a tile.
		few := blockOfProducts(t, built(t, amx, w, d, nil), directions[i*d:(i+1)*d]).products
		if !slices.Equal(few, alone[i*vocab:(i+1)*vocab]) {
			t.Fatalf("direction %d: other products alone than among %d", i, n)
		}
	}
}

// fusedMultiplyAdd is a·b + c rounded once. The product is exact in float64; the sum is
// rounded to odd there, after which rounding to float32 is as if it were the first: Boldo
// and Melquiond, Emulation of FMA and correctly rounded sums, 2008.
func fusedMultiplyAdd(a, b, c float32) float32 {
	product, addend := float64(a)*float64(b), float64(c)
	sum := product + addend
	rest := sum - product
	lost := (product - (sum - rest)) + (addend - rest) // exact, as of Knuth's TwoSum
	if lost != 0 && math.Float64bits(sum)&1 == 0 {
		sum = math.Nextafter(sum, math.Inf(int(math.Copysign(1, lost))))
	}
	return float32(sum)
}

// checkSums compares power sums with those of x, relative to the sums of |x|ᵏ.
func checkSums(t *testing.T, what string, got powerSums, x []float64, worst float64) {
	t.Helper()
	var want, size powerSums
	for _, v := range x {
		want.add(v)
		size.add(math.Abs(v))
	}
	for k, pair := range [][3]float64{
		{got.first, want.first, size.first},
		{got.second, want.second, size.second},
		{got.third, want.third, size.third},
		{got.fourth, want.fourth, size.fourth},
	} {
		if !(math.Abs(pair[0]-pair[1]) <= worst*pair[2]) {
			t.Errorf("%s: power %d: got %.12g, want %.12g; off by %.2g of its size, want at most %.2g",
				what, k+1, pair[0], pair[1], math.Abs(pair[0]-pair[1])/pair[2], worst)
		}
	}
}

// Every kernel's float64 logit weights are dot's, bit for bit.
func TestWeighEqualsDot(t *testing.T) {
	const vocab = 50
	ids := []int32{0, 49, 7, 7, 31}
	for _, d := range []int{1, 7, 8, 9, 16, 33, 768} {
		r := rand.New(rand.NewPCG(15, uint64(d)))
		direction, w := normal(r, d), normal(r, vocab*d)
		for _, k := range kernelsUnderTest() {
			u := built(t, k, w, d, nil)
			got := make([]float64, len(ids))
			var pairs []pair
			for i, id := range ids {
				pairs = append(pairs, pair{row: id, out: int32(i)})
			}
			u.weigh(direction, pairs, got)
			for i, id := range ids {
				if want := dot(direction, w[int(id)*d:int(id+1)*d]); got[i] != want {
					t.Errorf("%s, d_model %d, token %d: got %v, want %v", k.name(), d, id, got[i], want)
				}
			}
		}
	}
}

// A token's place among the others does not change its products: panels, groups
// and tiles all end somewhere.
func TestPlacesChangeNoProduct(t *testing.T) {
	const n, vocab, d = 31, 300, 800
	r := rand.New(rand.NewPCG(17, 18))
	directions, w := normal(r, n*d), normal(r, vocab*d)
	for _, k := range nativeUnderTest() {
		want := make([]float32, n*vocab)
		if err := built(t, k, w, d, nil).LogitWeights(t.Context(), directions, want); err != nil {
			t.Fatal(err)
		}
		for _, turn := range []int{1, 8, 44, 127, 172} {
			turned := slices.Concat(w[turn*d:], w[:turn*d])
			got := make([]float32, n*vocab)
			if err := built(t, k, turned, d, nil).LogitWeights(t.Context(), directions, got); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				row := want[i*vocab : (i+1)*vocab]
				if !slices.Equal(got[i*vocab:(i+1)*vocab], slices.Concat(row[turn:], row[:turn])) {
					t.Errorf("%s: direction %d: tokens turned by %d have other products", k.name(), i, turn)
				}
			}
		}
	}
}

func TestBlockRows(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	w := normal(r, 10)
	for _, k := range nativeUnderTest() {
		u := built(t, k, w, 1, nil)
		most, multiple := u.panels.blockRows()
		if most%multiple != 0 {
			t.Errorf("%s: blocks of %d directions are not whole tiles of %d", k.name(), most, multiple)
		}
		for _, n := range []int{1, multiple, multiple + 1, 251, 252, 253, 505, 2048, 24576} {
			for _, workers := range []int{1, 2, 3, 64} {
				rows := u.blockRows(n, workers, 10)
				if rows%multiple != 0 || rows < 1 || rows > most {
					t.Errorf("%s: %d directions, %d workers: blocks of %d", k.name(), n, workers, rows)
				}
				if share := ceilOf(n, workers); rows >= share+multiple {
					t.Errorf("%s: %d directions, %d workers: blocks of %d, more than a worker's share and a tile",
						k.name(), n, workers, rows)
				}
			}
		}
		if rows := u.blockRows(24576, 1, 1<<20); rows != multiple {
			t.Errorf("%s: shortlists of a million: blocks of %d directions, want %d", k.name(), rows, multiple)
		}
	}
}

// The C shortlists keep what shortlist.go keeps, and give up when it does; a long one keeps to its
// own room, in whatever order the tokens come.
func TestNativeShortlists(t *testing.T) {
	const n, vocab, d = 5, 4000, 24
	r := rand.New(rand.NewPCG(21, 22))
	directions, w := normal(r, n*d), normal(r, vocab*d)
	for _, c := range []struct{ size, ties int }{{7, 0}, {513, 0}, {1000, 0}, {1500, 0}, {7, 300}, {7, 3000}} {
		size, ties := c.size, c.ties
		for j := range ties { // a crowd of near ties, above or below most
			for i := range d {
				w[j*d+i] = 5 * w[i+3999*d] * (1 + float32(r.IntN(3))*0x1p-23)
			}
		}
		for _, k := range nativeUnderTest() {
			u := built(t, k, w, d, nil)
			b := u.newBlock(directions, size)
			if err := u.panels.summarize(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			b.products = make([]float32, n*vocab)
			if err := u.panels.products(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				p := &b.projections[i]
				for _, got := range []*shortlist{&p.top, &p.bottom} {
					want := newShortlist(size, got.sign)
					want.offer(0, b.products[i*vocab:(i+1)*vocab], u.packedNorms, p.relative, p.absolute)
					want.prune()
					checkShortlist(t, fmt.Sprintf("%s, the best %d, %d ties, row %d, sign %g", k.name(), size, ties, i, got.sign), got, &want)
				}
			}
		}
	}
}

func checkShortlist(t *testing.T, what string, got, want *shortlist) {
	t.Helper()
	positions := func(l *shortlist) []int32 {
		var list []int32
		for _, c := range l.candidates {
			list = append(list, c.position)
		}
		return list
	}
	if got.overflowed != want.overflowed || (!got.overflowed && got.floor != want.floor) {
		t.Errorf("%s: got overflowed %t, floor %g, want %t, %g", what, got.overflowed, got.floor, want.overflowed, want.floor)
	}
	if !slices.Equal(positions(got), positions(want)) {
		t.Errorf("%s: got positions %v, want %v", what, head(positions(got)), head(positions(want)))
	}
}
