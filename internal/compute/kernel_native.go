package compute

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lm
#include "native.h"
*/
import "C"

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// nativeKernel multiplies tiles held in registers, in C: for each instruction set a
// simd_*.h gives the vector operations, and product.h, statistics.h, tiles.h and sweep.h the
// algorithm over them, once for all; amx.h takes the place of tiles.h where the processor
// multiplies tiles itself.
//
// Tokens are packed in groups of 128, and those in panels as wide as a tile. A group
// stays in L2 while the tiles of a block's directions pass over it; a row of its
// products goes into moments and shortlists before it leaves L1.
type nativeKernel struct {
	instructions string
	functions    *C.struct_native_kernel // nil in a build for another architecture
	supported    func() bool             // whether the processor has the instructions, and the system gives them
	// keptRows bounds, in bytes, the rows that are kept beside the packed ones. Exact
	// logit weights, of some 24 tokens a direction, are read from rows at once, and
	// from packed ones a value a line: measured, 0.17 ms a direction at d_model 768, a
	// fifth of all time for GPT-2's vocabulary and a twentieth for Gemma 2's.
	keptRows int64
	tiny     float64 // see [kernel]
}

// keptRows keeps GPT-2's rows (147 MiB), and no model's whose memory counts.
const keptRows = 256 << 20

func (k nativeKernel) name() string       { return k.instructions }
func (k nativeKernel) available() bool    { return k.functions != nil && k.supported() }
func (k nativeKernel) underflow() float64 { return k.tiny }

func always(supported bool) func() bool { return func() bool { return supported } }

// nativeKernels returns those of any machine, fastest first. What the processor has is
// asked of Go's own detection: not every C compiler that builds this comes with one that
// finds anything (zig's finds nothing, and says so of no processor).
func nativeKernels() []kernel {
	x86 := cpu.X86
	return []kernel{
		nativeKernel{"avx512", C.native_avx512(), always(hasAVX512()), keptRows, tiny32},
		nativeKernel{"avx2", C.native_avx2(), always(x86.HasAVX2 && x86.HasFMA), keptRows, tiny32},
		nativeKernel{"neon", C.native_neon(), always(true), keptRows, tiny32},
		nativeKernel{"portable", C.native_portable(), always(true), keptRows, tiny32},
	}
}

func hasAVX512() bool { return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ }

// amxKernel multiplies bfloat16. It is taken where it is named alone: its products are other ones
// than those of AVX-512, bit for bit, and whether it is faster depends on what else the processor
// does (docs/architecture.md).
func amxKernel() kernel {
	supported := sync.OnceValue(func() bool {
		return hasAVX512() && cpu.X86.HasAMXTile && cpu.X86.HasAMXBF16 && bool(C.native_amx_permitted())
	})
	return nativeKernel{"amx", C.native_amx(), supported, keptRows, flushed32}
}

const (
	groupTokens = C.GROUP_TOKENS
	// Lines of cache are 64 bytes, as are the widest vectors.
	lineFloats = 16
)

// nativePanels is an unembedding as struct native_panels describes it.
type nativePanels struct {
	u         *Unembedding
	functions *C.struct_native_kernel
	depth     int // of every part of d_model but the last
	// [groups][parts][panels][depth][panel tokens], zeros beyond the tokens. Where rows are kept
	// beside, they are made by pack for the first block of more than a tile of directions, or after
	// as many one by one: for fewer, a group is packed when it is multiplied, which the first answer
	// waits for less.
	weights      []float32
	pack         func() // sets weights, once
	packed       atomic.Bool
	before       atomic.Int64 // directions that were multiplied before that
	inverseNorms []float32    // [tokens], +Inf beyond float32: sums show it, and float64 takes over
	largestNorms []float32    // [groups], the largest of u.packedNorms
	exponent     int          // packed rows are W's times 2^-exponent, but for a shift
	factors      []float32    // [groups, groupTokens], what products count times; nil for 1
	memory       sync.Pool    // of *nativeMemory
	scratch      sync.Pool    // of *nativeScratch
	rows         sync.Pool    // of *[]float32 [d_model], what weigh restores a row to
}

func (k nativeKernel) pack(u *Unembedding) panels {
	parts := ceilOf(u.dModel, int(k.functions.most_depth))
	p := &nativePanels{u: u, functions: k.functions, depth: ceilOf(u.dModel, parts), exponent: u.exponent}
	p.inverseNorms = make([]float32, u.Tokens())
	for j, inverse := range u.inverseNorms {
		p.inverseNorms[j] = float32(inverse)
	}
	for norms := range slices.Chunk(u.packedNorms, groupTokens) {
		p.largestNorms = append(p.largestNorms, slices.Max(norms))
	}
	if 4*int64(len(u.rows)) > k.keptRows {
		if exponent, exactly := u.packsExactly(); exactly {
			p.packInPlace(exponent)
			return p
		}
	}
	p.pack = sync.OnceFunc(func() {
		weights := alignedFloats(p.floats(), lineFloats)
		p.packAll(weights, 0, func(group int, scratch *nativeScratch) {
			p.packGroup(group, scratch, weights[group*groupTokens*u.dModel:])
		})
	})
	return p
}

// packInPlace packs groups in the rows' own memory, where what is packed of a row is the row but
// for a power of two. A group is read whole before it is written, and its rows lie where it goes
// or behind. Where tokens are left out, they lie where earlier groups go, and the groups must take
// their turns.
func (p *nativePanels) packInPlace(exponent int) {
	u, workers := p.u, 0
	if p.exponent = exponent; u.scales != nil {
		p.factors = u.factors(exponent)
		u.largestFactor = max(1, float64(slices.Max(p.factors)))
	}
	if u.Tokens() < u.vocab {
		workers = 1
		u.putOthersAside()
	}
	weights := u.rows[:p.floats()]
	p.packAll(weights, workers, func(group int, scratch *nativeScratch) {
		packed := scratch.ofGroup(u.dModel)
		p.packGroup(group, scratch, packed)
		copy(weights[group*groupTokens*u.dModel:], packed)
	})
	u.rows = nil
}

// floats is the length of weights.
func (p *nativePanels) floats() int {
	width := int(p.functions.panel_tokens)
	return ceilOf(p.u.Tokens(), width) * width * p.u.dModel
}

// packAll has pack write every group of weights.
func (p *nativePanels) packAll(weights []float32, workers int, pack func(group int, scratch *nativeScratch)) {
	// Neither packing nor the background context can fail.
	_ = inParallel(context.Background(), len(p.largestNorms), 1, workers, func(_ context.Context, group, _ int) error {
		scratch := p.borrowScratch()
		defer p.scratch.Put(scratch)
		pack(group, scratch)
		return nil
	})
	p.weights = weights
	p.packed.Store(true)
}

// nativeScratch is what one goroutine has for itself while it packs or multiplies.
type nativeScratch struct {
	products []float32 // as of nativeMemory
	own      []float32 // what a kernel holds of a group
	rows     []float32 // [groupTokens, d_model], those of a group as they are packed
	group    []float32 // [groupTokens, d_model], a packed group
}

func (p *nativePanels) borrowScratch() *nativeScratch {
	if scratch, ok := p.scratch.Get().(*nativeScratch); ok {
		return scratch
	}
	return new(nativeScratch)
}

// ofGroup is room for a packed group.
func (s *nativeScratch) ofGroup(dModel int) []float32 {
	if s.group == nil {
		s.group = alignedFloats(groupTokens*dModel, lineFloats)
	}
	return s.group
}

// packGroup writes one group of tokens to panel.
func (p *nativePanels) packGroup(group int, scratch *nativeScratch, panel []float32) {
	u, first, width := p.u, group*groupTokens, int(p.functions.panel_tokens)
	tokens := min(u.Tokens()-first, groupTokens)
	const most = 126 // such a factor is a normal float32
	if (u.scales == nil || p.factors != nil) && u.shift == nil && p.exponent <= most && p.exponent >= -most {
		_ = panel[ceilOf(tokens, width)*width*u.dModel-1]
		C.native_pack_group(p.functions, (*C.float)(&u.rows[0]), (*C.int32_t)(&u.tokens[first]), C.int64_t(tokens), C.int64_t(u.dModel),
			C.int64_t(p.depth), C.float(powerOfTwo(-p.exponent)), (*C.float)(&panel[0]))
		return
	}
	if scratch.rows == nil {
		scratch.rows = make([]float32, groupTokens*u.dModel)
	}
	for j := range tokens {
		u.packRow(first+j, scratch.rows[j*u.dModel:(j+1)*u.dModel])
	}
	for from := 0; from < u.dModel; from += p.depth {
		depth := min(p.depth, u.dModel-from)
		for j := 0; j < tokens; j += width {
			packTransposed(scratch.rows[j*u.dModel+from:], min(width, tokens-j), u.dModel, depth, panel, width)
			panel = panel[depth*width:]
		}
	}
}

// packTransposed writes the first depth columns of count rows, stride apart, to
// panel [depth, width], with zeros for rows there are not.
func packTransposed(rows []float32, count, stride, depth int, panel []float32, width int) {
	_, _ = rows[(count-1)*stride+depth-1], panel[depth*width-1]
	C.native_pack((*C.float)(&rows[0]), C.int64_t(count), C.int64_t(stride), C.int64_t(depth),
		(*C.float)(&panel[0]), C.int64_t(width))
}

func (p *nativePanels) bytes() int64 {
	return 4 * int64(p.floats()+len(p.inverseNorms)+len(p.largestNorms)+len(p.factors))
}

// whole reports whether weights are there, after it had them made where a block of so many
// directions, or those multiplied before it, are worth that.
func (p *nativePanels) whole(rows int) bool {
	if tile := int64(p.functions.tile_rows); !p.packed.Load() && (int64(rows) > tile || p.before.Load() >= tile) {
		p.pack()
	}
	return p.packed.Load()
}

// blockRows: at d_model 768, 126 to 504 rows were equally fast to within noise.
func (p *nativePanels) blockRows() (most, multiple int) {
	multiple = int(p.functions.tile_rows)
	return ceilOf(252, multiple) * multiple, multiple
}

func (p *nativePanels) weigh(directions []float32, pairs []pair, out []float64) {
	if len(pairs) == 0 {
		return
	}
	if p.u.rows != nil {
		if p.u.Tokens() != p.u.vocab {
			byID := make([]pair, len(pairs))
			for i, one := range pairs {
				byID[i] = pair{p.u.tokens[one.row], one.direction, one.out}
			}
			pairs = byID
		}
		dots(p.functions, directions, p.u.rows, p.u.dModel, pairs, out)
		return
	}
	d := C.int64_t(p.u.dModel)
	row, ok := p.rows.Get().(*[]float32)
	if !ok {
		fresh := make([]float32, p.u.dModel)
		row = &fresh
	}
	defer p.rows.Put(row)
	C.native_dots_of_packed(p.functions, (*C.float)(&directions[0]), (*C.float)(&p.weights[0]), C.int64_t(p.u.Tokens()), d,
		C.int64_t(p.depth), C.float(powerOfTwo(p.exponent)), (*C.struct_native_pair)(unsafe.Pointer(&pairs[0])),
		C.int64_t(len(pairs)), (*C.float)(&(*row)[0]), (*C.double)(&out[0]))
}

func (p *nativePanels) unpack(position int, dst []float32) {
	_ = dst[p.u.dModel-1]
	C.native_unpack((*C.float)(&p.weights[0]), C.int64_t(p.u.Tokens()), C.int64_t(p.u.dModel), C.int64_t(p.depth),
		p.functions.panel_tokens, C.float(powerOfTwo(p.exponent)), C.int64_t(position), (*C.float)(&dst[0]))
}
