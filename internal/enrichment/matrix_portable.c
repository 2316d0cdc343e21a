#include "native.h"

#define NAME(name) name##_portable
#define TARGET

#include "matrix_words.h"

#include "matrix.h"

#if defined(__x86_64__)

enum matrix_instructions matrix_best(void) {
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vpopcntdq")) {
		return MATRIX_AVX512;
	}
	bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("popcnt");
	return avx2 ? MATRIX_AVX2 : MATRIX_PORTABLE;
}

void matrix_walk(enum matrix_instructions instructions, const int32_t *order, int64_t n, struct matrix_walk *w) {
	switch (instructions) {
	case MATRIX_AVX512: matrix_walk_avx512(order, n, w); break;
	case MATRIX_AVX2: matrix_walk_avx2(order, n, w); break;
	case MATRIX_PORTABLE: matrix_walk_portable(order, n, w); break;
	}
}

#else

enum matrix_instructions matrix_best(void) { return MATRIX_PORTABLE; }

void matrix_walk(enum matrix_instructions instructions, const int32_t *order, int64_t n, struct matrix_walk *w) {
	(void)instructions;
	matrix_walk_portable(order, n, w);
}

#endif
