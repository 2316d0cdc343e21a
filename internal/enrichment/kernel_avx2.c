#include "native.h"

#if defined(__x86_64__)

#define NAME(name) name##_avx2
#define TARGET __attribute__((target("avx2,bmi,bmi2,popcnt")))

#include "words_generic.h"

#include <immintrin.h>

// above counts the MEMBER_LANES values from from on that are greater than a weight.
WORDS uint32_t above(const float *from, const float *weight) {
	__m256 than = _mm256_set1_ps(*weight);
	int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(from), than, _CMP_GT_OQ));
	int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(from + 8), than, _CMP_GT_OQ));
	return (uint32_t)__builtin_popcount(low | high << 8);
}

#include "matrix.h"
#include "rank.h"
#include "memberranks.h"

#endif
