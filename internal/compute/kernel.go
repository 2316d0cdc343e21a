package compute

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// KernelVariable is the environment variable that forces a kernel by name. Unset
// or empty, [Builder.Build] takes the fastest that the machine can run.
const KernelVariable = "SAEDB_KERNEL"

// kernel is one way of multiplying directions by every token.
type kernel interface {
	// name is what KernelVariable calls it.
	name() string
	// available reports whether this machine can run it.
	available() bool
	// underflow bounds, twice, what a product of two numbers up to 1 loses to underflow.
	underflow() float64
	// pack lays the tokens of u out as the kernel reads them, from
	// [Unembedding.packRow]. u is complete but for its panels. A layout from which rows
	// can be restored exactly may take their memory, and sets u.rows to nil.
	pack(u *Unembedding) panels
}

// panels is an unembedding in a kernel's own layout. Immutable; its methods are
// called by many goroutines at once and run on the calling one.
//
// Products x = direction · packed row are sums of d_model float32 products in any
// order, fused or not, with float32 accumulators or wider ones; the error bounds
// of precision.go hold for all of these. For a given direction a kernel must use
// the same order whatever the other directions of the block.
type panels interface {
	// bytes is the memory that the layout takes.
	bytes() int64
	// summarize gives every product of every direction of b, tokens ascending, to
	// that direction's projection: see [projection.add], which a kernel may fuse.
	// Unless b.products is nil, it writes them there too.
	summarize(ctx context.Context, b *block) error
	// products writes the products of b's directions to b.products, and does no more.
	products(ctx context.Context, b *block) error
	// blockRows returns how many directions a block should have at most, and what
	// their number should be a multiple of.
	blockRows() (most, multiple int)
	// weigh writes direction · row as given, in float64 as [dot] has it, to out for each pair
	// of a direction of directions [n, d_model] and a token's position.
	weigh(directions []float32, pairs []pair, out []float64)
	// unpack writes the row of W of the token at a position to dst [d_model]. It is
	// called only where the layout took the memory of u's rows.
	unpack(position int, dst []float32)
}

// pair is a direction and a row that are multiplied in float64, and where the product goes. It
// is laid out as C's struct native_pair.
type pair struct{ row, direction, out int32 }

// block is the work of one kernel call: some directions against every token.
type block struct {
	u           *Unembedding
	rows        int
	given       []float32 // [rows, d_model], directions as the caller gave them
	directions  []float32 // [rows, d_model], each scaled by a power of two (scale.go)
	projections []projection
	cosine      bool      // whether cosine moments are wanted
	absolute    bool      // whether the mean magnitude is wanted
	tokens      bool      // whether shortlists of tokens are wanted
	products    []float32 // [rows, tokens], for a kernel to fill; nil where they are not wanted
	workers     int       // goroutines that a kernel may multiply it with
	weights     []float64 // [tokens], room for float64 logit weights of one direction
}

// kernels lists every kernel of this build: those that are taken unnamed, fastest first, of which
// gonum's runs anywhere, and one that has to be named.
var kernels = append(nativeKernels(), gonumKernel{}, amxKernel())

// chooseKernel returns the kernel called name, or for "" the first available.
func chooseKernel(name string) (kernel, error) {
	for _, k := range kernels {
		if k.available() && (name == "" || name == k.name()) {
			return k, nil
		}
	}
	return nil, fmt.Errorf("compute: %s: expected one of %s, found %q",
		KernelVariable, strings.Join(Kernels(), ", "), name)
}

// Kernels returns the names of the kernels that this machine can run, the one that it takes unnamed
// first.
func Kernels() []string {
	var names []string
	for _, k := range kernels {
		if k.available() {
			names = append(names, k.name())
		}
	}
	return names
}

// Fused are the kernels whose products are one chain of fused sums in the order of d_model, and
// so the same, bit for bit.
var Fused = []string{"avx512", "avx2", "neon"}

// Repeats reports whether this machine can run the kernel of a name, and it gives the same
// products, bit for bit, on whatever machine: those of [Fused], and AMX, whose instruction adds in
// an order of its own. What portable C and gonum give depends on the processor.
func Repeats(kernel string) bool {
	return (kernel == "amx" || slices.Contains(Fused, kernel)) && slices.Contains(Kernels(), kernel)
}

// DefaultKernel returns the name of the kernel that [Builder.Build] takes.
func DefaultKernel() (string, error) {
	k, err := kernelFromEnvironment()
	if err != nil {
		return "", err
	}
	return k.name(), nil
}

func kernelFromEnvironment() (kernel, error) {
	return chooseKernel(os.Getenv(KernelVariable))
}
