// Package compute projects SAE decoder directions onto a vocabulary and
// summarizes, for each feature, the distribution of its logit weights.
//
// With decoder directions D [F, d_model] and an unembedding given by token rows
// W [V, d_model], the logit weights are P = D·Wᵀ [F, V]. P is never held: a few
// rows of it exist at a time, one cache-sized tile after another, and each tile
// goes straight into the moments and the shortlists of tokens. W may be any other
// matrix that reads the residual stream, as the encoder of another SAE: its rows are
// then what is called tokens here.
//
// # Accuracy
//
// Products are formed in float32, and in the C kernels so are sums over 128 tokens;
// everything after is float64. Three things keep the results at float64's figures
// all the same:
//
//   - Directions and unembedding are scaled by powers of two, so that neither
//     huge nor denormal weights leave float32's range (scale.go).
//   - Deviations are taken from a mean known before the pass, d·mean(W); where the
//     tokens' common part dwarfs their differences, it is removed from W before W
//     is rounded (unembedding.go).
//   - Float32 only proposes. Tokens are ranked by float64 products of every token
//     that rounding could have moved (shortlist.go), and a feature whose spread is
//     not well above the rounding of its products is computed again in float64
//     (precision.go, exact.go).
//
// # Kernels
//
// The work is done by the fastest kernel that the processor can run: C for AVX-512,
// AVX2, NEON or any processor (kernel_native.go), or Go (kernel_gonum.go). They
// differ in speed and in the rounding of float32, and pass the same tests.
//
// # Sharing
//
// An [Unembedding] is immutable and may be used by any number of goroutines. The
// result for a direction depends on that direction alone, bit for bit: not on the
// number of workers, nor on which other directions came with it.
//
// # Wrong input
//
// Weights that are not finite give a [*NonFiniteError]; readers are expected to
// have refused them earlier, with the file's name. Slices of the wrong length are
// a programming error and panic with a constant text.
package compute
