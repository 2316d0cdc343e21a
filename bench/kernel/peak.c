#include "peak.h"

// Twelve sums hide a latency of up to six cycles at two vectors a cycle; the empty
// assembly keeps the compiler from seeing through the loop.
#define LOOP(name, attribute, type, spread, fma, constraint, lanes)                      \
	attribute static double name(long steps) {                                       \
		type sums[12], a = spread(0.5f), b = spread(0.25f);                      \
		for (int i = 0; i < 12; i++) {                                           \
			sums[i] = spread((float)i);                                      \
		}                                                                        \
		for (long step = 0; step < steps; step++) {                              \
			_Pragma("GCC unroll 12") for (int i = 0; i < 12; i++) {          \
				sums[i] = fma;                                           \
			}                                                                \
		}                                                                        \
		for (int i = 0; i < 12; i++) {                                           \
			__asm__ volatile("" ::constraint(sums[i]));                      \
		}                                                                        \
		return 2.0 * 12 * lanes * (double)steps;                                 \
	}

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f")))
#define AVX2 __attribute__((target("avx2,fma")))

LOOP(loop_avx512, AVX512, __m512, _mm512_set1_ps, _mm512_fmadd_ps(sums[i], a, b), "v", 16)
LOOP(loop_avx2, AVX2, __m256, _mm256_set1_ps, _mm256_fmadd_ps(sums[i], a, b), "x", 8)
LOOP(loop_sse, , __m128, _mm_set1_ps, _mm_add_ps(_mm_mul_ps(sums[i], a), b), "x", 4)

double multiply_add(long steps) {
	if (__builtin_cpu_supports("avx512f")) {
		return loop_avx512(steps);
	}
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
		return loop_avx2(steps);
	}
	return loop_sse(steps);
}

#elif defined(__aarch64__)

#include <arm_neon.h>

LOOP(loop_neon, , float32x4_t, vdupq_n_f32, vfmaq_f32(b, sums[i], a), "w", 4)

double multiply_add(long steps) { return loop_neon(steps); }

#else

LOOP(loop_scalar, , float, , sums[i] * a + b, "r", 1)

double multiply_add(long steps) { return loop_scalar(steps); }

#endif
