// Directions times a matrix, in float64, over the words of a simd_*.h.

// TRANSFORM_TILE is how many directions, and rows of the matrix, are multiplied at once: their
// sums fill the registers.
enum { TRANSFORM_TILE = WIDE_DOUBLES == 8 ? 4 : 2, TRANSFORM_VECTORS = 8 / WIDE_DOUBLES };

// transform_tile writes the products of n directions with m rows of the matrix to out, rows of
// which are outputs long, and adds the direction itself where add says so. Each is a sum in the
// order of dots, whatever stands beside it.
static inline TARGET __attribute__((always_inline)) void KERNEL(transform_tile)(
	const float *matrix, int m, const float *directions, int n, int64_t inputs, int64_t outputs, int64_t first, bool add, float *out) {
	wide sums[TRANSFORM_TILE][TRANSFORM_TILE][TRANSFORM_VECTORS] = {0};
	int64_t k = 0;
	for (; k + 8 <= inputs; k += 8) {
#pragma GCC unroll 4
		for (int r = 0; r < n; r++) {
#pragma GCC unroll 4
			for (int i = 0; i < m; i++) {
#pragma GCC unroll 4
				for (int j = 0; j < TRANSFORM_VECTORS; j++) {
					sums[r][i][j] = multiply_add_wide(directions + r * inputs + k + j * WIDE_DOUBLES,
					                                  matrix + i * inputs + k + j * WIDE_DOUBLES, sums[r][i][j]);
				}
			}
		}
	}
#pragma GCC unroll 4
	for (int r = 0; r < n; r++) {
#pragma GCC unroll 4
		for (int i = 0; i < m; i++) {
			double lanes[8];
			memcpy(lanes, sums[r][i], sizeof lanes);
			for (int64_t rest = k; rest < inputs; rest++) {
				lanes[0] += (double)directions[r * inputs + rest] * (double)matrix[i * inputs + rest];
			}
			double sum = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
			out[r * outputs + first + i] = (float)(add ? sum + (double)directions[r * inputs + first + i] : sum);
		}
	}
}

// transform: see native.h. A tile of the matrix stays in L1 while the directions pass over it.
static TARGET void KERNEL(transform)(const float *matrix, int64_t outputs, int64_t inputs, const float *directions,
                                     int64_t rows, bool add, float *out) {
	int64_t i = 0;
	for (; i + TRANSFORM_TILE <= outputs; i += TRANSFORM_TILE) {
		int64_t r = 0;
		for (; r + TRANSFORM_TILE <= rows; r += TRANSFORM_TILE) {
			KERNEL(transform_tile)(matrix + i * inputs, TRANSFORM_TILE, directions + r * inputs, TRANSFORM_TILE,
			                       inputs, outputs, i, add, out + r * outputs);
		}
		for (; r < rows; r++) {
			KERNEL(transform_tile)(matrix + i * inputs, TRANSFORM_TILE, directions + r * inputs, 1, inputs, outputs, i, add, out + r * outputs);
		}
	}
	for (; i < outputs; i++) {
		for (int64_t r = 0; r < rows; r++) {
			KERNEL(transform_tile)(matrix + i * inputs, 1, directions + r * inputs, 1, inputs, outputs, i, add, out + r * outputs);
		}
	}
}
