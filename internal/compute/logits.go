package compute

// #include "native.h"
import "C"

import (
	"context"
	"unsafe"
)

// LogitWeight returns direction · W_U[:, token] in float64, for any token of the
// vocabulary, projected on or not. Products of float32 are exact in float64; the
// sum is rounded in a fixed order.
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
	return inParallel(ctx, n, u.blockRows(n, 0, 0), 0, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], 0)
		b.products = out[from*u.Tokens() : to*u.Tokens()]
		return b.project(ctx)
	})
}

// Visit takes the logit weights of some directions, the first-th and those after
// it: [_, Tokens], as [Unembedding.LogitWeights] has them, to be changed at will and
// valid until it returns. It is called for each direction once, by several
// goroutines at a time; its error ends the computation.
type Visit func(ctx context.Context, first int, weights []float32) error

// VisitLogitWeights calls visit with the logit weights of directions [n, d_model].
// Errors, panics and ctx are as in [Unembedding.Summarize], as is the memory.
func (u *Unembedding) VisitLogitWeights(ctx context.Context, directions []float32, visit Visit) error {
	n, err := u.checkDirections(directions)
	if err != nil {
		return err
	}
	return inParallel(ctx, n, u.visitRows(n, 0, 0), 0, func(ctx context.Context, from, to int) error {
		b := u.newBlock(directions[from*u.dModel:to*u.dModel], 0)
		defer u.borrowProducts(b)()
		if err := b.project(ctx); err != nil {
			return err
		}
		return visit(ctx, from, b.products)
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
	b.unscale()
	return nil
}

// unscale turns products into logit weights.
func (b *block) unscale() {
	tokens := b.u.Tokens()
	for i := range b.projections {
		b.projections[i].unscale(b.products[i*tokens : (i+1)*tokens])
	}
}

// unscale turns products into logit weights, in place.
func (p *projection) unscale(products []float32) {
	C.native_unscale((*C.float)(unsafe.SliceData(products)), C.int64_t(len(products)), C.double(p.shift), C.double(powerOfTwo(p.plainExponent)))
}
