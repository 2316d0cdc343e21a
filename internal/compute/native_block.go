package compute

// #include "native.h"
import "C"

import (
	"context"
	"math"
	"runtime"
	"unsafe"
)

// nativeMemory is what one goroutine lends to C for a block, kept for the next one.
type nativeMemory struct {
	packed, products []float32
	own              []float32 // what the kernel holds of a group
	directions       []C.struct_native_direction
	bounds           []float64
	candidates       []C.struct_native_candidate
}

func (p *nativePanels) summarize(ctx context.Context, b *block) error {
	memory := p.borrow(b)
	defer p.memory.Put(memory)
	memory.directions = resized(memory.directions, b.rows)
	for i := range b.rows {
		memory.directions[i] = b.projections[i].native()
	}
	c := C.struct_native_block{cosine: C.bool(b.cosine), absolute: C.bool(b.absolute)}
	if size := b.projections[0].top.leaders.size; size > 0 {
		limit := b.projections[0].top.limit
		memory.bounds = resized(memory.bounds, 2*limit)
		memory.candidates = resized(memory.candidates, b.rows*2*limit)
		c.size, c.limit = C.int64_t(size), C.int64_t(limit)
	}
	var err error
	if whole := p.whole(b.rows); whole && b.workers <= 1 {
		err = p.sweep(ctx, b, memory, &c, b.products)
	} else {
		err = p.summarizeProducts(ctx, b, memory, &c)
	}
	if err != nil {
		return err
	}
	for i := range b.rows {
		memory.collect(&b.projections[i], i)
	}
	return nil
}

func (p *nativePanels) products(ctx context.Context, b *block) error {
	memory := p.borrow(b)
	defer p.memory.Put(memory)
	memory.directions = memory.directions[:0]
	return p.multiply(ctx, b, memory, b.products)
}

// summarizeProducts multiplies first, by several goroutines, and gathers from all products then,
// which is for few directions: in one order, so that sums are those of [nativePanels.sweep].
func (p *nativePanels) summarizeProducts(ctx context.Context, b *block, memory *nativeMemory, c *C.struct_native_block) error {
	if b.products == nil {
		defer p.u.borrowProducts(b)()
		defer func() { b.products = nil }()
	}
	if err := p.multiply(ctx, b, memory, b.products); err != nil {
		return err
	}
	var pinner runtime.Pinner
	defer pinner.Unpin()
	tokens := p.native(&pinner, nil, 0)
	p.lend(&pinner, b, memory, memory.products, memory.own, c)
	C.native_summarize(p.functions, &tokens, c, (*C.float)(unsafe.SliceData(b.products)))
	if c.size > 0 {
		C.native_finish(&tokens, c)
	}
	return nil
}

// multiply writes the products of b's directions, which are packed in memory, to out [rows, tokens],
// by as many goroutines as b has.
func (p *nativePanels) multiply(ctx context.Context, b *block, memory *nativeMemory, out []float32) error {
	groups, whole := len(p.largestNorms), p.whole(b.rows)
	if !whole {
		p.before.Add(int64(b.rows))
	}
	atOnce := max(callProducts/(len(memory.products)*p.u.dModel), 1)
	if b.workers > 1 {
		atOnce = min(atOnce, max(ceilOf(groups, 4*b.workers), 1)) // that all end at about the same time
	}
	return inParallel(ctx, groups, atOnce, max(b.workers, 1), func(_ context.Context, from, to int) error {
		scratch := p.borrowScratch()
		defer p.scratch.Put(scratch)
		if cap(scratch.products) < len(memory.products) {
			scratch.products = alignedFloats(len(memory.products), lineFloats)
		}
		if scratch.own == nil {
			scratch.own = p.room()
		}
		var pinner runtime.Pinner
		defer pinner.Unpin()
		c := C.struct_native_block{}
		p.lend(&pinner, b, memory, scratch.products[:len(memory.products)], scratch.own, &c)
		c.directions = nil
		if whole {
			tokens := p.native(&pinner, p.weights, 0)
			C.native_sweep(p.functions, &tokens, &c, C.int64_t(from), C.int64_t(to), (*C.float)(unsafe.SliceData(out)))
			return nil
		}
		packed := scratch.ofGroup(p.u.dModel)
		for group := from; group < to; group++ {
			p.packGroup(group, scratch, packed)
			tokens := p.native(&pinner, packed, group)
			C.native_sweep(p.functions, &tokens, &c, C.int64_t(group), C.int64_t(group+1), (*C.float)(unsafe.SliceData(out)))
		}
		return nil
	})
}

// native is p for C, with the weights of its groups from the first on, while pinner pins.
func (p *nativePanels) native(pinner *runtime.Pinner, weights []float32, first int) C.struct_native_panels {
	u := p.u
	return C.struct_native_panels{
		weights:       (*C.float)(pinned(pinner, weights)),
		inverse_norms: (*C.float)(pinned(pinner, p.inverseNorms)),
		norms:         (*C.float)(pinned(pinner, u.packedNorms)),
		largest_norms: (*C.float)(pinned(pinner, p.largestNorms)),
		factors:       (*C.float)(pinned(pinner, p.factors)),
		tokens:        C.int64_t(u.Tokens()),
		d_model:       C.int64_t(u.dModel),
		depth:         C.int64_t(p.depth),
		first_group:   C.int64_t(first),
	}
}

// lend gives c, whose numbers are set, its pointers while pinner pins.
func (p *nativePanels) lend(pinner *runtime.Pinner, b *block, memory *nativeMemory, products, own []float32, c *C.struct_native_block) {
	c.rows = C.int64_t(b.rows)
	c.packed = (*C.float)(pinned(pinner, memory.packed))
	c.products = (*C.float)(pinned(pinner, products))
	c.scratch = (*C.float)(pinned(pinner, own))
	c.directions = (*C.struct_native_direction)(pinned(pinner, memory.directions))
	c.bounds = (*C.double)(pinned(pinner, memory.bounds))
	c.candidates = (*C.struct_native_candidate)(pinned(pinner, memory.candidates))
}

// borrow returns memory with b's directions packed into it.
func (p *nativePanels) borrow(b *block) *nativeMemory {
	memory, ok := p.memory.Get().(*nativeMemory)
	if !ok {
		memory = new(nativeMemory)
	}
	d, height := C.int64_t(p.u.dModel), int(p.functions.tile_rows)
	rows, depth := ceilOf(b.rows, height)*height, C.int64_t(p.depth)
	floats := rows * int(C.native_direction_floats(p.functions, d, depth))
	if cap(memory.packed) < floats {
		memory.packed = alignedFloats(floats, lineFloats)
		memory.products = alignedFloats(rows*groupTokens, lineFloats)
	}
	if memory.own == nil {
		memory.own = p.room()
	}
	memory.packed = memory.packed[:floats]
	memory.products = memory.products[:rows*groupTokens]
	C.native_pack_directions(p.functions, (*C.float)(&b.directions[0]), C.int64_t(b.rows), d, depth, (*C.float)(&memory.packed[0]))
	return memory
}

// room is memory for what the kernel holds of a group, of its own for each goroutine.
func (p *nativePanels) room() []float32 {
	return alignedFloats(int(C.native_scratch_floats(p.functions, C.int64_t(p.depth))), lineFloats)
}

// callProducts bounds the multiplications of one call into C: some milliseconds,
// since a context is only looked at between calls.
const callProducts = 1 << 27

// sweep multiplies b by every token. c has its numbers set, and gets its pointers
// here; unless out [rows, tokens] is nil, products go there. It may be any memory, so
// it is not pinned, but an argument of every call.
func (p *nativePanels) sweep(ctx context.Context, b *block, memory *nativeMemory, c *C.struct_native_block, out []float32) error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	tokens := p.native(&pinner, p.weights, 0)
	p.lend(&pinner, b, memory, memory.products, memory.own, c)

	groups := len(p.largestNorms)
	atOnce := max(callProducts/(b.rows*p.u.dModel*groupTokens), 1)
	for from := 0; from < groups; from += atOnce {
		if err := ctx.Err(); err != nil {
			return err
		}
		C.native_sweep(p.functions, &tokens, c, C.int64_t(from), C.int64_t(min(from+atOnce, groups)),
			(*C.float)(unsafe.SliceData(out)))
	}
	if c.size > 0 {
		C.native_finish(&tokens, c)
	}
	return nil
}

// pinned returns the address of values for a C struct to hold, nil for none.
func pinned[T any](pinner *runtime.Pinner, values []T) unsafe.Pointer {
	if len(values) == 0 {
		return nil
	}
	pinner.Pin(&values[0])
	return unsafe.Pointer(&values[0])
}

// native returns p's constants for C.
//
// Sums are taken in float32 of deviations in units of about their size: the root
// mean square length of the terms of a product, which a spread that is trusted is
// at most some 2⁻¹⁶ of, and which no deviation is more than √(V·d) times. Their
// fourth powers therefore stay in range; where they should not, sums are not finite
// and the projection is not trusted.
func (p *projection) native() C.struct_native_direction {
	plain, cosine := p.nativeScales()
	plainScale, cosineScale := powerOfTwo(-plain), powerOfTwo(-cosine)
	overflowed := C.bool(p.zero) // ties every token
	list := C.struct_native_shortlist{floor: C.double(math.Inf(-1)), overflowed: overflowed}
	return C.struct_native_direction{
		plain_scale:     C.float(plainScale),
		plain_offset:    C.float(p.offset * plainScale),
		cosine_scale:    C.float(cosineScale),
		cosine_shift:    C.float(p.shift * cosineScale),
		cosine_offset:   C.float(-p.cosineMean * cosineScale),
		magnitude_shift: C.float(p.shift * plainScale),
		relative:        C.double(p.relative),
		absolute:        C.double(p.absolute),
		top:             list,
		bottom:          list,
	}
}

// nativeScales returns the exponents of the units that C's sums are in, beside
// those of the projection's.
func (p *projection) nativeScales() (plain, cosine int) {
	const most = 100 // such a scale is a float32
	plain = exponentOf(p.packedTerms.length) - p.plainExponent
	cosine = exponentOf(p.terms.cosineLength) - p.cosineExponent
	return min(max(plain, -most), most), min(max(cosine, -most), most)
}

// collect moves what C gathered of the direction at row to p.
func (memory *nativeMemory) collect(p *projection, row int) {
	d := &memory.directions[row]
	plain, cosine := p.nativeScales()
	p.plain = nativeSums(d.sums[:4], plain)
	p.cosine = nativeSums(d.sums[4:], cosine)
	p.magnitude = float64(d.magnitudes[0]) * powerOfTwo(plain)
	size, limit := p.top.leaders.size, p.top.limit
	if size == 0 {
		return
	}
	p.top.gather(&d.top, memory.candidates[2*row*limit:])
	p.bottom.gather(&d.bottom, memory.candidates[(2*row+1)*limit:])
}

// nativeSums returns power sums taken in units of 2^exponent.
func nativeSums(sums []C.double, exponent int) powerSums {
	unit := powerOfTwo(exponent)
	square := unit * unit
	return powerSums{
		first:  float64(sums[0]) * unit,
		second: float64(sums[1]) * square,
		third:  float64(sums[2]) * (square * unit),
		fourth: float64(sums[3]) * (square * square),
	}
}

// gather takes the tokens that C listed. It has already dropped those below the
// floor.
func (l *shortlist) gather(c *C.struct_native_shortlist, list []C.struct_native_candidate) {
	l.floor = float64(c.floor)
	l.overflowed = bool(c.overflowed)
	l.candidates = make([]candidate, c.candidates)
	for i := range l.candidates {
		l.candidates[i] = candidate{value: math.Inf(1), position: int32(list[i].position)}
	}
}
