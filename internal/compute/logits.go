package compute

// #include "native.h"
import "C"

import (
	"context"
	"unsafe"
)

// LogitWeight returns direction · W_U[:, token] in float64, for any token of the
// vocabulary, projected on or not, by its row as it was given. Products of float32 are exact in
// float64; the sum is rounded in a fixed order.
func (u *Unembedding) LogitWeight(direction []float32, token int) float64 {
	if len(direction) != u.dModel {
		panic(panicDirection)
	}
	if token < 0 || token >= u.vocab {
		panic(panicToken)
	}
	return dot(direction, u.rowOf(token))
}

// LogitWeights writes directions · W_U to out [n, Tokens], in the order of
// [Unembedding.TokenIDs], from float32 products: each errs by some 10⁻⁷ of
// ‖direction‖·‖column‖. A logit weight beyond float32 is ±Inf. Errors, panics and
// ctx are as in [Unembedding.Summarize].
func (u *Unembedding) LogitWeights(ctx context.Context, directions []float32, out []float32) error {
	n, err := u.checkDirections(directions)
	if err != nil {
		return err
	}
	if len(out) != n*u.Tokens() {
		panic(panicOutput)
	}
	rows := u.blockRows(n, 0, 0)
	return inParallel(ctx, n, rows, 0, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], 0)
		b.workers = workersOfBlock(n, rows, 0)
		b.products = out[from*u.Tokens() : to*u.Tokens()]
		return b.project(ctx)
	})
}

// Rankable is one direction's logit weights in a form that ranks the tokens as float64
// does, in the order of [Unembedding.TokenIDs].
type Rankable struct {
	// Products [Tokens] are as the kernel has them, before a common part is put back and
	// the scale undone, either of which may round differences away or leave the range of
	// float32: (product + Shift)·Unit is the logit weight. Unit is positive. They are nil
	// where their rounding is not far below the spread.
	Products    []float32
	Shift, Unit float64
	// Exact [Tokens] are float64 logit weights, as [Unembedding.LogitWeight] has them; all
	// 0 where their spread is no more than the rounding of float64. They are nil where
	// Products are enough, and rank the tokens where they are not.
	Exact []float64
}

// LogitWeights writes the logit weights to out [Tokens].
func (r *Rankable) LogitWeights(out []float64) {
	if r.Exact != nil {
		copy(out, r.Exact)
		return
	}
	for j, product := range r.Products {
		out[j] = (float64(product) + r.Shift) * r.Unit
	}
}

// Visit takes the logit weights of the direction with the given index in the call, to be
// changed at will and valid until it returns. It is called for each direction once, by
// several goroutines at a time; its error ends the computation.
type Visit func(ctx context.Context, direction int, weights *Rankable) error

// VisitLogitWeights calls visit with the logit weights of directions [n, d_model].
// Errors, panics and ctx are as in [Unembedding.Summarize], as is the memory.
func (u *Unembedding) VisitLogitWeights(ctx context.Context, directions []float32, visit Visit) error {
	n, err := u.checkDirections(directions)
	if err != nil {
		return err
	}
	rows := u.visitRows(n, 0, 0)
	return inParallel(ctx, n, rows, 0, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], 0)
		b.workers = workersOfBlock(n, rows, 0)
		defer u.borrowProducts(b)()
		if err := u.panels.summarize(ctx, b); err != nil {
			return err
		}
		for i := range b.projections {
			weights, err := b.rankable(ctx, i)
			if err != nil {
				return err
			}
			if err := visit(ctx, from+i, weights); err != nil {
				return err
			}
		}
		return nil
	})
}

// What a worker holds of logit weights to be visited: visitBytes, or a part of the
// unembedding where that is more, since it is read from memory once a block.
const (
	visitBytes = 16 << 20
	visitPart  = 32
)

// visitRows is blockRows where logit weights are kept.
func (u *Unembedding) visitRows(n, workers, size int) int {
	_, multiple := u.panels.blockRows()
	bytes := max(visitBytes, 4*u.Tokens()*u.dModel/visitPart)
	most := max(bytes/(4*u.Tokens())/multiple, 1) * multiple
	return min(u.blockRows(n, workers, size), most)
}

// borrowProducts gives b room for its products; release takes it back.
func (u *Unembedding) borrowProducts(b *block) (release func()) {
	room, ok := u.visited.Get().(*[]float32)
	if !ok {
		room = new([]float32)
	}
	*room = resized(*room, b.rows*u.Tokens())
	b.products = *room
	return func() { u.visited.Put(room) }
}

// project fills products with logit weights.
func (b *block) project(ctx context.Context) error {
	if err := b.u.panels.products(ctx, b); err != nil {
		return err
	}
	for i := range b.projections {
		b.projections[i].unscale(b.productsOf(i))
	}
	return nil
}

// productsOf returns the products of the i-th direction.
func (b *block) productsOf(i int) []float32 {
	tokens := b.u.Tokens()
	return b.products[i*tokens : (i+1)*tokens]
}

// rankable returns the logit weights of the i-th direction, whose projection has seen
// all products and is not settled.
func (b *block) rankable(ctx context.Context, i int) (*Rankable, error) {
	p := &b.projections[i]
	var r Rankable
	if p.zero || p.ranks(b.u) {
		r = Rankable{Products: b.productsOf(i), Shift: p.shift, Unit: powerOfTwo(p.plainExponent)}
		if p.zero || b.u.Tokens()*b.u.dModel > smallUnembedding {
			return &r, nil
		}
	}
	b.weights = resized(b.weights, b.u.Tokens())
	err := p.weigh(ctx, b.u, func(j int, weight float64) { b.weights[j] = weight })
	if err != nil {
		return nil, err
	}
	p.weights, r.Exact = b.weights, b.weights // settle uses them too
	if !p.spreads(b.u, r.Exact) {
		r.Exact = make([]float64, len(r.Exact))
	}
	return &r, nil
}

// smallUnembedding is the number of weights up to which tokens are always ranked by float64
// logit weights. Two tokens that float32 products put in the wrong order may move a set's
// enrichment score by 1/tokens, which shows where they are few, and float64 costs little.
const smallUnembedding = 1 << 20

// unscale turns products into logit weights, in place.
func (p *projection) unscale(products []float32) {
	C.native_unscale((*C.float)(unsafe.SliceData(products)), C.int64_t(len(products)), C.double(p.shift), C.double(powerOfTwo(p.plainExponent)))
}
