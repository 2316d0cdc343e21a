// AVX-512F in the words of product.h and statistics.h, for the kernel that multiplies with it too and
// for kernel_amx.c, which multiplies by other means.
#include <immintrin.h>

#ifndef KERNEL
#define KERNEL(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx2,fma")))
// 28 sums, 2 vectors of tokens and a broadcast weight fill 31 of 32 registers.
enum { TILE_ROWS = 14 };
#endif

enum { VECTOR_FLOATS = 16, PANEL_VECTORS = 2 };

typedef __m512 vector;
typedef __m512d wide;
enum { WIDE_DOUBLES = 8 };

#define SIMD static inline TARGET __attribute__((always_inline))

SIMD vector load(const float *p) { return _mm512_loadu_ps(p); }
SIMD void store(float *p, vector a) { _mm512_storeu_ps(p, a); }
SIMD vector spread(float a) { return _mm512_set1_ps(a); }
SIMD vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
SIMD vector multiply(vector a, vector b) { return _mm512_mul_ps(a, b); }
SIMD vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
SIMD vector smaller(vector a, vector b) { return _mm512_min_ps(a, b); }
SIMD vector larger(vector a, vector b) { return _mm512_max_ps(a, b); }

// multiply_add_wide returns a[i]·b[i] + c[i] in float64.
SIMD wide multiply_add_wide(const float *a, const float *b, wide c) {
	return _mm512_fmadd_pd(_mm512_cvtps_pd(_mm256_loadu_ps(a)), _mm512_cvtps_pd(_mm256_loadu_ps(b)), c);
}

// transpose makes the i-th of VECTOR_FLOATS vectors of the i-th values of all.
SIMD void transpose(vector rows[16]) {
	vector pairs[16], fours[16];
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 2) {
		pairs[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
		pairs[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
	}
#pragma GCC unroll 16
	for (int i = 0; i < 16; i += 4) {
		for (int j = 0; j < 2; j++) {
			__m512d a = _mm512_castps_pd(pairs[i + j]), b = _mm512_castps_pd(pairs[i + 2 + j]);
			fours[i + 2 * j] = _mm512_castpd_ps(_mm512_unpacklo_pd(a, b));
			fours[i + 2 * j + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(a, b));
		}
	}
	// fours[4·i + j] has, of rows 4·i to 4·i + 3, the values j, j + 4, j + 8 and j + 12.
#pragma GCC unroll 16
	for (int j = 0; j < 4; j++) {
		vector low = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0x88), high = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0x88);
		rows[j] = _mm512_shuffle_f32x4(low, high, 0x88);
		rows[8 + j] = _mm512_shuffle_f32x4(low, high, 0xdd);
		low = _mm512_shuffle_f32x4(fours[j], fours[4 + j], 0xdd), high = _mm512_shuffle_f32x4(fours[8 + j], fours[12 + j], 0xdd);
		rows[4 + j] = _mm512_shuffle_f32x4(low, high, 0x88);
		rows[12 + j] = _mm512_shuffle_f32x4(low, high, 0xdd);
	}
}

// widen returns a[0], … in float64.
SIMD wide widen(const float *a) { return _mm512_cvtps_pd(_mm256_loadu_ps(a)); }

// at_least has bit i set where a[i] ≥ b[i].
SIMD uint32_t at_least(vector a, vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }

SIMD __m256 halves(vector a) {
	return _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
}

// add_totals adds the total of each of four vectors to out[0..3].
SIMD void add_totals(double *out, vector a, vector b, vector c, vector d) {
	__m256 pairs = _mm256_hadd_ps(_mm256_hadd_ps(halves(a), halves(b)), _mm256_hadd_ps(halves(c), halves(d)));
	__m128 totals = _mm_add_ps(_mm256_castps256_ps128(pairs), _mm256_extractf128_ps(pairs, 1));
	_mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), _mm256_cvtps_pd(totals)));
}
