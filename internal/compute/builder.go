package compute

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// maxDModel bounds d_model so that the relative error bound of a float32 product,
// which grows with it, stays well below one. Models have some ten thousand.
const maxDModel = 1 << 20

// Builder collects the rows of an unembedding, or of another reader. A Builder is used once.
type Builder struct {
	vocab, dModel int
	rows          []float32 // [vocab, dModel]
	set           []bool    // [vocab], which rows were given
	tokens        []int32   // ascending ids of the tokens to project on; nil for all
	unit          bool      // rows count at unit length
	unknown       error     // set by Only for an id outside the vocabulary
}

// NewBuilder returns a Builder for an unembedding of vocab tokens and dModel
// dimensions. It takes vocab·dModel·4 bytes at once, vocab rounded up to a kernel's
// group, so that the kernel's layout can take the same memory, so a size from a file has to
// have been checked against the file before.
func NewBuilder(vocab, dModel int) (*Builder, error) {
	if vocab < 1 || vocab > math.MaxInt32 {
		return nil, fmt.Errorf("compute: matrix to multiply with: expected 1 to %d rows, found %d", math.MaxInt32, vocab)
	}
	if dModel < 1 || dModel > maxDModel {
		return nil, fmt.Errorf("compute: matrix to multiply with: expected d_model from 1 to %d, found %d", maxDModel, dModel)
	}
	return &Builder{
		vocab:  vocab,
		dModel: dModel,
		rows:   alignedFloats(ceilOf(vocab, groupTokens)*groupTokens*dModel, lineFloats)[:vocab*dModel],
		set:    make([]bool, vocab),
	}, nil
}

// SetRows copies rows [n, d_model], the columns of W_U for token ids from to
// from+n-1. Calls may come in any order, and at the same time for ranges that do
// not overlap. It panics on a partial row or one outside the vocabulary.
func (b *Builder) SetRows(from int, rows []float32) {
	if b.rows == nil {
		panic(panicBuilt)
	}
	n := len(rows) / b.dModel
	if len(rows)%b.dModel != 0 || from < 0 || from > b.vocab-n {
		panic(panicRows)
	}
	copy(b.rows[from*b.dModel:], rows)
	for i := range n {
		b.set[from+i] = true
	}
}

// Only restricts the projection to the tokens of ids, in any order, for example
// to those that are neither padding nor special. Statistics and rankings then
// take these alone. Without a call, all tokens count. ids is not kept.
func (b *Builder) Only(ids []int32) {
	tokens := slices.Clone(ids)
	slices.Sort(tokens)
	b.tokens = slices.Compact(tokens)
	b.unknown = nil
	for _, id := range b.tokens {
		if id < 0 || int(id) >= b.vocab {
			b.unknown = fmt.Errorf("compute: unembedding: expected token ids below %d, found %d", b.vocab, id)
		}
	}
	if len(b.tokens) == 0 {
		b.unknown = fmt.Errorf("compute: unembedding: expected at least one token, found none")
	}
}

// NonzeroRows returns the ids of the rows that are not zero, ascending.
func (b *Builder) NonzeroRows() []int32 {
	var ids []int32
	for id := range b.vocab {
		if largestMagnitude(b.rows[id*b.dModel:(id+1)*b.dModel]) != 0 {
			ids = append(ids, int32(id))
		}
	}
	return ids
}

// Unit has rows count at unit length, so that a logit weight is ‖direction‖ times the cosine of
// the two; zero rows stay zero. Float64 decides by the rows as given. The kernel multiplies rows
// that are rounded to float32 at that length, or where it holds rows once, those as given, and
// then the products.
func (b *Builder) Unit() { b.unit = true }

// Build prepares the unembedding for the kernel that [KernelVariable] names, or
// the fastest. It returns an error when a row was never set, when [Builder.Only]
// named no token or one outside the vocabulary, when the variable names no kernel
// of this machine, and a [*NonFiniteError] for the first weight that is not
// finite. The Builder gives its memory away and cannot be used again.
func (b *Builder) Build() (*Unembedding, error) {
	k, err := kernelFromEnvironment()
	if err != nil {
		return nil, err
	}
	return b.build(k)
}

// BuildFor is [Builder.Build] for the kernel of a name, whatever [KernelVariable] says.
func (b *Builder) BuildFor(kernel string) (*Unembedding, error) {
	k, err := chooseKernel(kernel)
	if err != nil {
		return nil, err
	}
	return b.build(k)
}

func (b *Builder) build(k kernel) (*Unembedding, error) {
	if b.rows == nil {
		panic(panicBuilt)
	}
	if b.unknown != nil {
		return nil, b.unknown
	}
	if missing := slices.Index(b.set, false); missing >= 0 {
		return nil, fmt.Errorf("compute: matrix to multiply with: expected %d rows, found no row %d", b.vocab, missing)
	}
	u := &Unembedding{vocab: b.vocab, dModel: b.dModel, rows: b.rows, tokens: b.tokens, kernel: k.name(), tiny: k.underflow(), largestFactor: 1}
	if u.tokens == nil {
		u.tokens = make([]int32, b.vocab)
		for i := range u.tokens {
			u.tokens[i] = int32(i)
		}
	}
	if finite := u.prepare(b.unit); !finite || u.Tokens() < b.vocab {
		if err := b.checkFinite(); err != nil {
			return nil, err
		}
	}
	b.rows = nil
	u.panels = k.pack(u)
	return u, nil
}

// checkFinite looks at every row, those that Only leaves out too: a model with a
// broken row is a broken file.
func (b *Builder) checkFinite() error {
	const rowsAtOnce = 1024
	failures := make([]error, (b.vocab+rowsAtOnce-1)/rowsAtOnce)
	err := inParallel(context.Background(), b.vocab, rowsAtOnce, 0, func(_ context.Context, from, to int) error {
		failures[from/rowsAtOnce] = checkFinite("unembedding", b.rows[from*b.dModel:to*b.dModel], b.dModel, from)
		return nil
	})
	if err != nil {
		return err
	}
	for _, failure := range failures { // the lowest token's, whichever range ended first
		if failure != nil {
			return failure
		}
	}
	return nil
}
