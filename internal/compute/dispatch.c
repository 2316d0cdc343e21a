#include "native.h"

void native_sweep(const struct native_kernel *k, const struct native_panels *p,
                  const struct native_block *b, int64_t from, int64_t to, float *out) {
	k->sweep(p, b, from, to, out);
}

int64_t native_direction_floats(const struct native_kernel *k, int64_t d_model, int64_t depth) {
	return k->direction_floats(d_model, depth);
}

int64_t native_scratch_floats(const struct native_kernel *k, int64_t depth) { return k->scratch_floats(depth); }

void native_pack_directions(const struct native_kernel *k, const float *directions, int64_t rows, int64_t d_model,
                            int64_t depth, float *out) {
	k->pack_directions(directions, rows, d_model, depth, out);
}

void native_summarize(const struct native_kernel *k, const struct native_panels *p, const struct native_block *b, const float *products) {
	k->summarize(p, b, products);
}

void native_dots(const struct native_kernel *k, const float *directions, const float *rows,
                 int64_t d_model, const struct native_pair *pairs, int64_t n, double *out) {
	k->dots(directions, rows, d_model, pairs, n, out);
}

void native_transform(const struct native_kernel *k, const float *matrix, int64_t outputs, int64_t inputs,
                      const float *directions, int64_t rows, bool add, float *out) {
	k->transform(matrix, outputs, inputs, directions, rows, add, out);
}

double native_measure(const struct native_kernel *k, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                      double *scales, double *inverse_norms, double *squares, double *sums) {
	return k->measure(rows, tokens, n, d_model, scales, inverse_norms, squares, sums);
}

double native_measure_without(const struct native_kernel *k, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                              const double *scales, const double *inverse_norms, const double *shift, double *squares, double *sums) {
	return k->measure_without(rows, tokens, n, d_model, scales, inverse_norms, shift, squares, sums);
}

void native_scale_row(const struct native_kernel *k, const float *row, int64_t d_model, double scale, const double *shift,
                      double factor, float *out) {
	k->scale_row(row, d_model, scale, shift, factor, out);
}

void native_pack_group(const struct native_kernel *k, const float *rows, const int32_t *tokens, int64_t n, int64_t d_model,
                       int64_t depth, float factor, float *out) {
	k->pack(rows, tokens, n, d_model, depth, factor, out);
}
