// Products of rows in float64, over the words of a simd_*.h.

enum { PANEL_TOKENS = PANEL_VECTORS * VECTOR_FLOATS };

// dot returns Σ a[k]·b[k] in the order of dot in dot.go, and asks for what lies at later meanwhile,
// unless it is NULL. Products of float32 are exact in float64, so that fusing them into the sums or
// not is the same.
static inline TARGET __attribute__((always_inline)) double
KERNEL(dot)(const float *a, const float *b, int64_t d_model, const float *later) {
	wide lanes[8 / WIDE_DOUBLES] = {0};
	int64_t k = 0;
	for (; k + 8 <= d_model; k += 8) {
		if (later != NULL) {
			__builtin_prefetch(later + k);
		}
#pragma GCC unroll 4
		for (int j = 0; j < 8 / WIDE_DOUBLES; j++) {
			lanes[j] = multiply_add_wide(a + k + j * WIDE_DOUBLES, b + k + j * WIDE_DOUBLES, lanes[j]);
		}
	}
	double sums[8];
	memcpy(sums, lanes, sizeof sums);
	for (; k < d_model; k++) {
		sums[0] += (double)a[k] * (double)b[k];
	}
	return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// dots: see native.h.
static TARGET void KERNEL(dots)(const float *directions, const float *rows, int64_t d_model,
                                const struct native_pair *pairs, int64_t n, double *out) {
	for (int64_t i = 0; i < n; i++) {
		const float *direction = directions + pairs[i].direction * d_model;
		const float *row = rows + pairs[i].row * d_model;
		// Rows are far apart: a later one is asked for while this one is summed.
		const float *later = rows + pairs[i + 2 < n ? i + 2 : n - 1].row * d_model;
		out[pairs[i].out] = KERNEL(dot)(direction, row, d_model, later);
	}
}
