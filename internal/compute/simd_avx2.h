// AVX2 with FMA in the words of product.h and statistics.h.
#include <immintrin.h>

#define KERNEL(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))

// 12 sums, 2 vectors of tokens and a broadcast weight fill 15 of 16 registers.
enum { VECTOR_FLOATS = 8, TILE_ROWS = 6, PANEL_VECTORS = 2 };

typedef __m256 vector;
typedef __m256d wide;
enum { WIDE_DOUBLES = 4 };

#define SIMD static inline TARGET __attribute__((always_inline))

SIMD vector load(const float *p) { return _mm256_loadu_ps(p); }
SIMD void store(float *p, vector a) { _mm256_storeu_ps(p, a); }
SIMD vector spread(float a) { return _mm256_set1_ps(a); }
SIMD vector add(vector a, vector b) { return _mm256_add_ps(a, b); }
SIMD vector multiply(vector a, vector b) { return _mm256_mul_ps(a, b); }
SIMD vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_ps(a, b, c); }
SIMD vector smaller(vector a, vector b) { return _mm256_min_ps(a, b); }
SIMD vector larger(vector a, vector b) { return _mm256_max_ps(a, b); }

// multiply_add_wide returns a[i]·b[i] + c[i] in float64.
SIMD wide multiply_add_wide(const float *a, const float *b, wide c) {
	return _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a)), _mm256_cvtps_pd(_mm_loadu_ps(b)), c);
}

// transpose makes the i-th of VECTOR_FLOATS vectors of the i-th values of all.
SIMD void transpose(vector rows[8]) {
	vector pairs[8], fours[8];
#pragma GCC unroll 8
	for (int i = 0; i < 8; i += 2) {
		pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
		pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
	}
#pragma GCC unroll 8
	for (int i = 0; i < 8; i += 4) {
		for (int j = 0; j < 2; j++) {
			__m256d a = _mm256_castps_pd(pairs[i + j]), b = _mm256_castps_pd(pairs[i + 2 + j]);
			fours[i + 2 * j] = _mm256_castpd_ps(_mm256_unpacklo_pd(a, b));
			fours[i + 2 * j + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(a, b));
		}
	}
	// fours[4·i + j] has, of rows 4·i to 4·i + 3, the values j and j + 4.
#pragma GCC unroll 8
	for (int j = 0; j < 4; j++) {
		rows[j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x20);
		rows[4 + j] = _mm256_permute2f128_ps(fours[j], fours[4 + j], 0x31);
	}
}

// widen returns a[0], … in float64.
SIMD wide widen(const float *a) { return _mm256_cvtps_pd(_mm_loadu_ps(a)); }

// at_least has bit i set where a[i] ≥ b[i].
SIMD uint32_t at_least(vector a, vector b) {
	return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ));
}

// add_totals adds the total of each of four vectors to out[0..3].
SIMD void add_totals(double *out, vector a, vector b, vector c, vector d) {
	__m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
	__m128 totals = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
	_mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), _mm256_cvtps_pd(totals)));
}
