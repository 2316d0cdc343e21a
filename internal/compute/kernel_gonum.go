package compute

import (
	"context"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// gonumKernel multiplies tiles with gonum's float32 Gemm, which is Go with
// SSE assembly on amd64. It runs everywhere.
//
// Token rows stay rows, and tiles are directions·rowsᵀ over the whole of d_model:
// of the shapes measured (16 and 64 directions; 32 to 192 tokens; d_model whole
// or in parts of 64 to 256; both orientations) this was the fastest or within
// noise of it, at 21 GFLOP/s on a core where the others gave 8 to 20.
type gonumKernel struct{}

func (gonumKernel) name() string       { return "gonum" }
func (gonumKernel) available() bool    { return true }
func (gonumKernel) underflow() float64 { return tiny32 }

func (gonumKernel) pack(u *Unembedding) panels {
	stride := (u.dModel + vectorFloats - 1) / vectorFloats * vectorFloats
	p := &gonumPanels{
		u:          u,
		stride:     stride,
		rows:       alignedFloats(u.Tokens()*stride, vectorFloats),
		tileTokens: min(max(tileBytes/(4*stride), minTileTokens), maxTileTokens),
	}
	u.overTokens(func(_, from, to int) {
		for j := from; j < to; j++ {
			u.packRow(j, p.rows[j*stride:j*stride+u.dModel])
		}
	})
	return p
}

const (
	// gonum's dot product peels elements off until its second operand is aligned,
	// which changes the order of the sum: rows all start on this boundary, so that
	// the order is the same in every process and for every token.
	vectorFloats = 4
	// A tile of token rows is reread for each direction: half of a 1 MiB L2.
	tileBytes     = 512 << 10
	minTileTokens = 8
	// Gemm splits its result into 64 × 64 parts and starts goroutines of its own
	// from four parts on; 64 directions by 192 tokens are three.
	maxTileTokens = 192
)

type gonumPanels struct {
	u          *Unembedding
	stride     int       // floats from one token row to the next
	rows       []float32 // [tokens, stride]
	tileTokens int
}

func (p *gonumPanels) bytes() int64 { return 4 * int64(len(p.rows)) }

func (p *gonumPanels) summarize(ctx context.Context, b *block) error {
	return p.tiles(ctx, b, func(from int, tile []float32, tokens int) {
		for i := range b.rows {
			b.projections[i].add(b, from, tile[i*tokens:(i+1)*tokens])
		}
		if b.products != nil {
			p.keep(b, from, tile, tokens)
		}
	})
}

func (p *gonumPanels) products(ctx context.Context, b *block) error {
	return p.tiles(ctx, b, func(from int, tile []float32, tokens int) { p.keep(b, from, tile, tokens) })
}

// keep copies a tile to b.products.
func (p *gonumPanels) keep(b *block, from int, tile []float32, tokens int) {
	for i := range b.rows {
		copy(b.products[i*p.u.Tokens()+from:], tile[i*tokens:(i+1)*tokens])
	}
}

// tiles calls visit with the products of b's directions and each run of tokens,
// in ascending order: tile is [rows, tokens], its first column is token position
// from, and it is valid until visit returns. ctx is checked once a tile, which is
// 20 MFLOP at d_model 768.
func (p *gonumPanels) tiles(ctx context.Context, b *block, visit func(from int, tile []float32, tokens int)) error {
	var implementation gonum.Implementation
	d, all := p.u.dModel, p.u.Tokens()
	tile := make([]float32, b.rows*p.tileTokens)
	for from := 0; from < all; from += p.tileTokens {
		if err := ctx.Err(); err != nil {
			return err
		}
		tokens := min(p.tileTokens, all-from)
		implementation.Sgemm(blas.NoTrans, blas.Trans, b.rows, tokens, d,
			1, b.directions, d, p.rows[from*p.stride:], p.stride, 0, tile, tokens)
		visit(from, tile[:b.rows*tokens], tokens)
	}
	return nil
}

// blockRows: more directions would gain no reuse of a tile of tokens that is in L2,
// and have Gemm start goroutines.
func (p *gonumPanels) blockRows() (most, multiple int) { return 64, 1 }

func (p *gonumPanels) weigh(directions []float32, pairs []pair, out []float64) {
	d := p.u.dModel
	for _, one := range pairs {
		from := int(one.direction) * d
		out[one.out] = dot(directions[from:from+d], p.u.row(int(one.row)))
	}
}

func (p *gonumPanels) unpack(position int, dst []float32) { copy(dst, p.u.row(position)) }
