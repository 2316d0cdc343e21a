package compute

// #include "native.h"
import "C"

import (
	"context"
	"math"
	"slices"
	"sync"
)

// Unembedding is a model's W_U, or another reader: a matrix of rows in the residual stream
// that directions are multiplied with, as an embedding, the encoder or the decoder of an SAE.
// What is said of tokens is then true of its rows. It is prepared once for a kernel,
// immutable, and shared by any number of goroutines. A [Builder] makes it.
type Unembedding struct {
	vocab, dModel int
	kernel        string
	tiny          float64   // the kernel's underflow
	rows          []float32 // [vocab, dModel], W as given; nil once panels hold the rows of tokens
	others        []float32 // [vocab - tokens, dModel], the rows of other ids, where rows is nil
	tokens        []int32   // [tokens], the ids projected on, ascending
	// [tokens], 1/‖row as given‖ where rows count at unit length ([Builder.Unit]), 0 for a zero
	// row; nil where they count as given. W below is then the rows times these.
	scales []float64

	terms       averages  // of w
	packedTerms averages  // of w - shift
	shift       []float64 // [dModel], taken off every row before packing; nil for none
	exponent    int       // packed rows are (w - shift)·2^-exponent, largest magnitude in [0.5, 1)

	inverseNorms []float64 // [tokens], 2^exponent/‖w‖; 0 for a zero row
	packedNorms  []float32 // [tokens], ‖w - shift‖·2^-exponent, rounded up
	// The most that a panel multiplies a product by, which its underflow is multiplied by too.
	largestFactor float64
	// Root mean square of inverseNorms.
	inverseNormRMS float64

	panels  panels
	visited sync.Pool // of *[]float32, logit weights on their way to a visit
}

// averages are means over the tokens projected on of quantities of token rows.
type averages struct {
	mean         []float64 // [dModel], of w
	square       []float64 // [dModel], of w²
	cosineMean   []float64 // [dModel], of w/‖w‖
	cosineSquare []float64 // [dModel], of (w/‖w‖)²
}

// DModel returns the length of a direction.
func (u *Unembedding) DModel() int { return u.dModel }

// Vocab returns the number of tokens of the model.
func (u *Unembedding) Vocab() int { return u.vocab }

// Tokens returns the number of tokens projected on: Vocab, or as many as
// [Builder.Only] named.
func (u *Unembedding) Tokens() int { return len(u.tokens) }

// TokenIDs returns the ids of the tokens projected on, ascending. The caller must
// not change it.
func (u *Unembedding) TokenIDs() []int32 { return u.tokens }

// Kernel returns the name of the kernel that the unembedding is packed for.
func (u *Unembedding) Kernel() string { return u.kernel }

// Bytes returns the memory that the unembedding holds, the kernel's layout
// included.
func (u *Unembedding) Bytes() int64 {
	perToken := int64(4 + 8 + 4)
	return 4*int64(len(u.rows)+len(u.others)) + perToken*int64(len(u.tokens)) + 8*8*int64(u.dModel) + u.panels.bytes()
}

// row returns the weights of the token at position j of those projected on, while
// rows are there.
func (u *Unembedding) row(j int) []float32 { return u.given(int(u.tokens[j])) }

// given returns the weights of the token with the given id, while rows are there.
func (u *Unembedding) given(id int) []float32 {
	return u.rows[id*u.dModel : (id+1)*u.dModel]
}

// scaleOf returns what the row of the token at position j counts times.
func (u *Unembedding) scaleOf(j int) float64 {
	if u.scales == nil {
		return 1
	}
	return u.scales[j]
}

// rowOf returns the weights of the token with the given id as they were given, at any time.
// The caller must not change them.
func (u *Unembedding) rowOf(id int) []float32 {
	if u.rows != nil {
		return u.given(id)
	}
	position, projected := slices.BinarySearch(u.tokens, int32(id))
	if !projected {
		other := id - position // as many of the ids below it are projected on
		return u.others[other*u.dModel : (other+1)*u.dModel]
	}
	row := make([]float32, u.dModel)
	u.panels.unpack(position, row)
	return row
}

// putOthersAside copies the rows of ids that are not projected on, before a layout
// of those that are takes the memory of all.
func (u *Unembedding) putOthersAside() {
	u.others = make([]float32, 0, (u.vocab-u.Tokens())*u.dModel)
	position := 0
	for id := range u.vocab {
		if position < u.Tokens() && int(u.tokens[position]) == id {
			position++
			continue
		}
		u.others = append(u.others, u.given(id)...)
	}
}

// packRow writes (w - shift)·2^-exponent of the token at position j to dst
// [d_model], rounded to float32.
func (u *Unembedding) packRow(j int, dst []float32) {
	var shift *C.double
	if u.shift != nil {
		shift = (*C.double)(&u.shift[0])
	}
	C.native_scale_row(fastest(), (*C.float)(&u.row(j)[0]), C.int64_t(u.dModel), C.double(u.scaleOf(j)), shift,
		C.double(powerOfTwo(-u.exponent)), (*C.float)(&dst[0]))
}

// packsExactly reports whether every row can be restored from what is packed of it, as given
// times 2^-exponent: nothing is taken off, its power of two is a normal float32, no weight becomes
// subnormal by it, and where rows count at another length, so is what their products count times.
func (u *Unembedding) packsExactly() (exponent int, exactly bool) {
	const largest, leastNormal = 126, 0x1p-126
	if u.shift != nil {
		return 0, false
	}
	exponent = u.exponent
	if u.scales != nil {
		exponent = exponentOf(u.largestGiven())
		for _, factor := range u.factors(exponent) {
			if factor != 0 && !(factor >= leastNormal && factor <= 1/leastNormal) {
				return 0, false
			}
		}
	}
	if exponent > largest || exponent < -largest {
		return 0, false
	}
	if exponent <= 0 {
		return exponent, true
	}
	least := float32(leastNormal * powerOfTwo(exponent))
	lost := make([]bool, u.chunks())
	u.overTokens(func(chunk, from, to int) {
		for j := from; j < to; j++ {
			for _, w := range u.row(j) {
				if w != 0 && w > -least && w < least {
					lost[chunk] = true
				}
			}
		}
	})
	return exponent, !slices.Contains(lost, true)
}

// factors are what products with rows that are packed as given, times 2^-exponent, count times
// to be in units of 2^u.exponent: one a token, zeros up to whole groups.
func (u *Unembedding) factors(exponent int) []float32 {
	factors := make([]float32, ceilOf(u.Tokens(), groupTokens)*groupTokens)
	up := powerOfTwo(exponent - u.exponent)
	for j, scale := range u.scales {
		factors[j] = float32(scale * up)
	}
	return factors
}

// weigh writes direction · row of W to out for each pair of a direction of directions
// [n, d_model] and a token's position, in float64 as [dot] has it.
func (u *Unembedding) weigh(directions []float32, pairs []pair, out []float64) {
	u.panels.weigh(directions, pairs, out)
	if u.scales == nil {
		return
	}
	for _, one := range pairs {
		out[one.out] *= u.scales[one.row]
	}
}

// prepare computes everything but the panels. Rows are long and many, so that what they are
// read for is done in one pass, or in two where something is taken off them.
//
// It reports whether all rows are finite, and stops where one is not.
func (u *Unembedding) prepare(unit bool) (finite bool) {
	u.inverseNorms = make([]float64, u.Tokens())
	if unit {
		u.scales = make([]float64, u.Tokens())
	}
	squares := make([]float64, u.Tokens())
	largest := u.measure(&u.terms, nil, squares)
	if math.IsNaN(largest) {
		return false
	}
	u.packedTerms = u.terms
	if u.commonPartDominates() {
		u.shift = u.terms.mean
		largest = u.measure(&u.packedTerms, u.shift, squares)
	}
	u.exponent = exponentOf(largest)
	u.toPackedUnits(squares)
	return true
}

// commonPartDominates reports whether the tokens' mean row is so much longer than
// their distances from it that a product's float32 rounding, which goes with the
// whole row, would show in the moments, which go with the distances.
//
// The mean is left in otherwise: taking it off would cost tokens much shorter than
// it the relative precision of their own weights, and so of their cosines.
func (u *Unembedding) commonPartDominates() bool {
	const factor = 4
	var common, spread float64
	for i, m := range u.terms.mean {
		common += m * m
		spread += max(u.terms.square[i]-m*m, 0)
	}
	return common > factor*factor*spread
}

// toPackedUnits fills packedNorms from squared lengths of rows as they are packed, in the units
// of w, and brings inverseNorms to packed units.
func (u *Unembedding) toPackedUnits(squares []float64) {
	u.packedNorms = make([]float32, u.Tokens())
	down, up := powerOfTwo(-u.exponent), powerOfTwo(u.exponent)
	var square float64
	for j := range u.inverseNorms {
		u.inverseNorms[j] *= up
		square += u.inverseNorms[j] * u.inverseNorms[j]
		u.packedNorms[j] = math.Nextafter32(float32(math.Sqrt(squares[j])*down), math.MaxFloat32)
	}
	u.inverseNormRMS = math.Sqrt(square / float64(u.Tokens()))
}

// largestGiven returns the largest magnitude in the rows as given.
func (u *Unembedding) largestGiven() float64 {
	largest := make([]float64, u.chunks())
	u.overTokens(func(chunk, from, to int) {
		for j := from; j < to; j++ {
			largest[chunk] = max(largest[chunk], float64(largestMagnitude(u.row(j))))
		}
	})
	return slices.Max(largest)
}

// measure fills total with the averages of w - shift, where a nil shift is zero, and squares
// [tokens] with ‖w - shift‖², and returns max |w - shift|, or NaN where a row is not finite. The
// norms that divide the averages are those of w, which the pass without a shift sets, with the
// scales. A zero row's norm is taken for infinite: its cosine with anything is undefined, and
// counts as 0, so that padding with zeros, which models have, does not make every cosine
// statistic NaN.
func (u *Unembedding) measure(total *averages, shift, squares []float64) float64 {
	parts, largest := make([]averages, u.chunks()), make([]float64, u.chunks())
	functions := fastest()
	u.overTokens(func(chunk, from, to int) {
		parts[chunk], largest[chunk] = u.measurePart(functions, from, to, shift, squares)
	})
	*total = newAverages(u.dModel)
	for _, part := range parts { // in order, so that rounding does not depend on timing
		total.merge(part)
	}
	total.divide(float64(u.Tokens()))
	return slices.Max(largest) // which is NaN where one is
}

// measurePart does so for the tokens at positions [from, to), and returns sums in place of averages.
func (u *Unembedding) measurePart(functions *C.struct_native_kernel, from, to int, shift, squares []float64) (averages, float64) {
	sums := make([]float64, 4*u.dModel)
	rows, tokens := (*C.float)(&u.rows[0]), (*C.int32_t)(&u.tokens[from])
	n, d := C.int64_t(to-from), C.int64_t(u.dModel)
	inverse, square, out := (*C.double)(&u.inverseNorms[from]), (*C.double)(&squares[from]), (*C.double)(&sums[0])
	var scales *C.double
	if u.scales != nil {
		scales = (*C.double)(&u.scales[from])
	}
	var largest C.double
	if shift == nil {
		largest = C.native_measure(functions, rows, tokens, n, d, scales, inverse, square, out)
	} else {
		largest = C.native_measure_without(functions, rows, tokens, n, d, scales, inverse, (*C.double)(&shift[0]), square, out)
	}
	each := slices.Collect(slices.Chunk(sums, u.dModel))
	return averages{each[0], each[1], each[2], each[3]}, float64(largest)
}

func newAverages(dModel int) averages {
	return averages{
		mean:         make([]float64, dModel),
		square:       make([]float64, dModel),
		cosineMean:   make([]float64, dModel),
		cosineSquare: make([]float64, dModel),
	}
}

func (a *averages) merge(b averages) {
	for i := range a.mean {
		a.mean[i] += b.mean[i]
		a.square[i] += b.square[i]
		a.cosineMean[i] += b.cosineMean[i]
		a.cosineSquare[i] += b.cosineSquare[i]
	}
}

func (a *averages) divide(count float64) {
	for i := range a.mean {
		a.mean[i] /= count
		a.square[i] /= count
		a.cosineMean[i] /= count
		a.cosineSquare[i] /= count
	}
}

const (
	maxChunks      = 64 // each holds four float64 a dimension while averaging
	minChunkTokens = 256
)

// chunkTokens is the number of token positions in a chunk of [overTokens]. It
// depends on the number of tokens alone, so sums by chunk are the same anywhere.
func (u *Unembedding) chunkTokens() int {
	return max((u.Tokens()+maxChunks-1)/maxChunks, minChunkTokens)
}

func (u *Unembedding) chunks() int {
	return (u.Tokens() + u.chunkTokens() - 1) / u.chunkTokens()
}

// overTokens calls do for every chunk of token positions [from, to), on all cores.
func (u *Unembedding) overTokens(do func(chunk, from, to int)) {
	size := u.chunkTokens()
	// Neither do nor the background context can fail.
	_ = inParallel(context.Background(), u.Tokens(), size, 0, func(_ context.Context, from, to int) error {
		do(from/size, from, to)
		return nil
	})
}
