// The tile of products, over the words of a simd_*.h.

enum { PANEL_TOKENS = PANEL_VECTORS * VECTOR_FLOATS };

// tile adds Σ_k a[k][i]·w[k][j] over depth to out[i·GROUP_TOKENS + j], or writes
// it there when fresh: a is [depth, TILE_ROWS], w [depth, PANEL_TOKENS]. Every sum
// runs over k in ascending order, so it depends on its row and token alone.
//
// Meanwhile it asks for memory that later tiles will read, at ahead, ahead + step,
// …, one address for each k.
static TARGET void KERNEL(tile)(const float *a, const float *w, int64_t depth, bool fresh, float *out,
                                const char *ahead, int64_t step) {
	vector sums[TILE_ROWS][PANEL_VECTORS];
#pragma GCC unroll 16
	for (int i = 0; i < TILE_ROWS; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			sums[i][j] = fresh ? spread(0) : load(out + i * GROUP_TOKENS + j * VECTOR_FLOATS);
		}
	}
	for (int64_t k = 0; k < depth; k++) {
		vector tokens[PANEL_VECTORS];
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			tokens[j] = load(w + j * VECTOR_FLOATS);
		}
#pragma GCC unroll 16
		for (int i = 0; i < TILE_ROWS; i++) {
			vector weight = spread(a[i]);
#pragma GCC unroll 4
			for (int j = 0; j < PANEL_VECTORS; j++) {
				sums[i][j] = multiply_add(weight, tokens[j], sums[i][j]);
			}
		}
		__builtin_prefetch(ahead, 0, 2);
		ahead += step;
		a += TILE_ROWS;
		w += PANEL_TOKENS;
	}
#pragma GCC unroll 16
	for (int i = 0; i < TILE_ROWS; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			store(out + i * GROUP_TOKENS + j * VECTOR_FLOATS, sums[i][j]);
		}
	}
}

// dots: see native.h. Products of float32 are exact in float64, so that fusing them
// into the sums or not is the same. The eight sums are added in dot.go's order.
static TARGET void KERNEL(dots)(const float *direction, const float *rows, int64_t d_model,
                                const int32_t *ids, int64_t n, double *out) {
	typedef float singles __attribute__((vector_size(32)));
	typedef double doubles __attribute__((vector_size(64)));
	for (int64_t row = 0; row < n; row++) {
		const float *weights = rows + ids[row] * d_model;
		doubles sums = {0};
		int64_t k = 0;
		for (; k + 8 <= d_model; k += 8) {
			singles a, b;
			__builtin_memcpy(&a, direction + k, sizeof a);
			__builtin_memcpy(&b, weights + k, sizeof b);
			sums += __builtin_convertvector(a, doubles) * __builtin_convertvector(b, doubles);
		}
		double first = sums[0];
		for (; k < d_model; k++) {
			first += (double)direction[k] * (double)weights[k];
		}
		out[row] = ((first + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
	}
}
