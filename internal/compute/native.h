// Types and functions that the C kernels share with each other and with Go.
// The Go comments of kernel_native.go say what they compute.
#ifndef SAEDB_NATIVE_H
#define SAEDB_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

// GROUP_TOKENS is how many tokens pass the statistics at once: enough to spread
// the cost of reducing vector sums, few enough that a tile's products (14 rows of
// 512 bytes) stay in L1. A multiple of every kernel's PANEL_TOKENS.
enum { GROUP_TOKENS = 128 };

// One token on a shortlist, with its float32 product.
struct native_candidate {
	float product;
	int32_t position;
};

// One end of a direction's ranking; see shortlist.go for the method and
// shortlist.c for the code.
struct native_shortlist {
	double floor;       // upper bounds below it are out
	int32_t candidates; // how many tokens are listed, at most limit
	int32_t full;       // how many are when the floor is raised next; 0 before the first
	bool overflowed;
};

// One direction's constants and what has been gathered of it.
struct native_direction {
	// Moments take y = product·plain_scale + plain_offset and
	// z = (product·cosine_scale + cosine_shift)·inverse norm + cosine_offset.
	float plain_scale, plain_offset;
	float cosine_scale, cosine_shift, cosine_offset;
	// A product errs by at most relative·(norm of the packed row) + absolute.
	double relative, absolute;
	double sums[8]; // Σy, Σy², Σy³, Σy⁴, Σz, Σz², Σz³, Σz⁴
	// Σ|product·plain_scale + magnitude_shift|, where magnitudes are wanted, and nothing.
	double magnitudes[4];
	float magnitude_shift;
	struct native_shortlist top, bottom;
};

// An unembedding in a kernel's layout, from its group first_group on:
// weights[group - first_group][part of d_model][panel of the group][depth of the part][PANEL_TOKENS].
struct native_panels {
	const float *weights;
	const float *inverse_norms; // [tokens]
	const float *norms;         // [tokens], upper bounds
	const float *largest_norms; // [groups], the largest of norms in a group
	const float *factors;       // [groups, GROUP_TOKENS], what products count times; NULL for 1
	int64_t tokens, d_model, depth, first_group;
};

// weights_of returns the weights of a group, panels_of how many panels of a width it has.
static inline const float *weights_of(const struct native_panels *p, int64_t group) {
	return p->weights + (group - p->first_group) * GROUP_TOKENS * p->d_model;
}

static inline int64_t panels_of(const struct native_panels *p, int64_t group, int64_t panel_tokens) {
	int64_t tokens = p->tokens - group * GROUP_TOKENS;
	return ((tokens < GROUP_TOKENS ? tokens : GROUP_TOKENS) + panel_tokens - 1) / panel_tokens;
}

// One kernel call's work.
struct native_block {
	const float *packed; // directions as pack_directions writes them
	float *scratch;      // [scratch_floats of the longest part], for a group
	int64_t rows;
	float *products;                     // scratch, [rows rounded up to TILE_ROWS, GROUP_TOKENS]
	struct native_direction *directions; // [rows]; NULL where nothing is to be gathered
	bool cosine;                         // whether z is wanted
	bool absolute;                       // whether magnitudes are wanted
	int64_t size, limit;                 // of a shortlist; size 0 for none
	double *bounds;                      // [2, limit], scratch
	struct native_candidate *candidates; // [rows, 2, limit]
};

// A direction and a row that are multiplied in float64, and where the product goes.
struct native_pair {
	int32_t row, direction, out;
};

// A kernel's entry points.
struct native_kernel {
	int64_t tile_rows, panel_tokens, most_depth; // most_depth bounds the depth of a part of d_model
	// direction_floats is the room that a packed direction takes, in float32, where parts of d_model are
	// depth long, and scratch_floats what a sweep takes for itself.
	int64_t (*direction_floats)(int64_t d_model, int64_t depth);
	int64_t (*scratch_floats)(int64_t depth);
	// pack_directions writes directions [rows, d_model] as the kernel reads them to out
	// [rows rounded up to tile_rows, direction_floats], with zeros for the rows there are not.
	void (*pack_directions)(const float *directions, int64_t rows, int64_t d_model, int64_t depth, float *out);
	// sweep multiplies the block by the tokens of groups [from, to), gathers what
	// directions ask for, and unless out is NULL writes the products there [rows, tokens].
	void (*sweep)(const struct native_panels *, const struct native_block *, int64_t from, int64_t to, float *out);
	// summarize gathers what directions ask for from products [rows, tokens] that sweep has written,
	// to the same bits as if it had gathered them itself.
	void (*summarize)(const struct native_panels *, const struct native_block *, const float *products);
	// dots writes directions[pairs[i].direction] · rows[pairs[i].row] to out[pairs[i].out], in
	// the order of dot in dot.go.
	void (*dots)(const float *directions, const float *rows, int64_t d_model,
	             const struct native_pair *pairs, int64_t n, double *out);
	// measure reads the rows of n tokens, rows [·, d_model] by their ids. It writes ‖row‖⁻¹ to
	// inverse_norms, 0 for a zero row, or where scales is not NULL to scales, for rows that count
	// at unit length, and then 1 to inverse_norms; the squared length that rows count with to
	// squares; and adds to sums [4, d_model] the rows, their squares, and these over the length. It
	// returns the largest magnitude in the rows, or NaN for a row that is not finite.
	double (*measure)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
	                  double *scales, double *inverse_norms, double *squares, double *sums);
	// measure_without does the same for the rows less shift [d_model], but for the lengths that
	// their own have.
	double (*measure_without)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model, const double *scales,
	                          const double *inverse_norms, const double *shift, double *squares, double *sums);
	// scale_row writes (row·scale - shift)·factor to out [d_model]; a NULL shift is zero, factor a
	// power of two.
	void (*scale_row)(const float *row, int64_t d_model, double scale, const double *shift, double factor, float *out);
	// pack writes n of a group's tokens, rows [·, d_model] by their ids, times factor, as the weights
	// of struct native_panels have them.
	void (*pack)(const float *rows, const int32_t *tokens, int64_t n, int64_t d_model, int64_t depth, float factor, float *out);
	// transform writes directions [rows, inputs] times matrix [outputs, inputs] to out [rows,
	// outputs], each product a sum in the order of dots, plus the direction itself where add.
	void (*transform)(const float *matrix, int64_t outputs, int64_t inputs, const float *directions,
	                  int64_t rows, bool add, float *out);
};

// A kernel of another architecture than this build's is NULL; kernel_native.go asks the
// processor for the instructions.
const struct native_kernel *native_amx(void);
const struct native_kernel *native_avx512(void);
const struct native_kernel *native_avx2(void);
const struct native_kernel *native_neon(void);
const struct native_kernel *native_portable(void);

// native_amx_permitted asks the system for the registers of AMX, which it gives a process on request.
bool native_amx_permitted(void);

// native_sweep and the next functions call a kernel's entry points: Go cannot call
// through a pointer.
void native_sweep(const struct native_kernel *, const struct native_panels *,
                  const struct native_block *, int64_t from, int64_t to, float *out);
int64_t native_direction_floats(const struct native_kernel *, int64_t d_model, int64_t depth);
int64_t native_scratch_floats(const struct native_kernel *, int64_t depth);
void native_pack_directions(const struct native_kernel *, const float *directions, int64_t rows, int64_t d_model,
                            int64_t depth, float *out);
void native_summarize(const struct native_kernel *, const struct native_panels *, const struct native_block *, const float *products);
void native_dots(const struct native_kernel *, const float *directions, const float *rows,
                 int64_t d_model, const struct native_pair *pairs, int64_t n, double *out);
void native_transform(const struct native_kernel *, const float *matrix, int64_t outputs, int64_t inputs,
                      const float *directions, int64_t rows, bool add, float *out);
double native_measure(const struct native_kernel *, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                      double *scales, double *inverse_norms, double *squares, double *sums);
double native_measure_without(const struct native_kernel *, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                              const double *scales, const double *inverse_norms, const double *shift, double *squares, double *sums);
void native_scale_row(const struct native_kernel *, const float *row, int64_t d_model, double scale, const double *shift,
                      double factor, float *out);
void native_pack_group(const struct native_kernel *, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                       int64_t depth, float factor, float *out);

// native_pack writes rows[i·stride + k] to panel[k·width + i] for i < count and
// k < depth, and 0 for count ≤ i < width.
void native_pack(const float *rows, int64_t count, int64_t stride, int64_t depth,
                 float *panel, int64_t width);

// native_unpack writes the packed row of the token at position, times scale, to
// row [d_model]; weights are those of struct native_panels for panels of panel_tokens.
void native_unpack(const float *weights, int64_t tokens, int64_t d_model, int64_t depth,
                   int64_t panel_tokens, float scale, int64_t position, float *row);

// native_dots_of_packed does as native_dots for rows that are positions, each restored
// by native_unpack to scratch [d_model] first.
void native_dots_of_packed(const struct native_kernel *, const float *directions, const float *weights,
                           int64_t tokens, int64_t d_model, int64_t depth, float scale,
                           const struct native_pair *pairs, int64_t n, float *scratch, double *out);

// What terms.go calls terms, of logit weights or of cosines.
struct native_terms {
	double mean, length, drift;
};

// native_terms returns the terms of a direction with rows of the given mean and mean
// square.
struct native_terms native_terms(const float *direction, const double *mean, const double *square, int64_t d_model);

// native_unscale turns n products into logit weights (product + shift)·unit, in place.
void native_unscale(float *products, int64_t n, double shift, double unit);

// native_offer_top and native_offer_bottom consider one token for an end of the
// ranking of row.
void native_offer_top(const struct native_panels *, const struct native_block *, int64_t row,
                      int64_t position, float product);
void native_offer_bottom(const struct native_panels *, const struct native_block *, int64_t row,
                         int64_t position, float product);

// native_finish drops the listed tokens that the floors have overtaken.
void native_finish(const struct native_panels *, const struct native_block *);

#endif
