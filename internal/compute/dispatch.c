#include "native.h"

void native_sweep(const struct native_kernel *k, const struct native_panels *p,
                  const struct native_block *b, int64_t from, int64_t to, float *out) {
	k->sweep(p, b, from, to, out);
}

void native_dots(const struct native_kernel *k, const float *directions, const float *rows,
                 int64_t d_model, const struct native_pair *pairs, int64_t n, double *out) {
	k->dots(directions, rows, d_model, pairs, n, out);
}

void native_transform(const struct native_kernel *k, const float *matrix, int64_t outputs, int64_t inputs,
                      const float *directions, int64_t rows, bool add, float *out) {
	k->transform(matrix, outputs, inputs, directions, rows, add, out);
}
