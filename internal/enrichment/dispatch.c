#include "native.h"

#if defined(__x86_64__)

int64_t ranker_sort(enum instructions instructions, const struct ranker *r, const float *weights, int32_t *order) {
	switch (instructions) {
	case AVX512: return ranker_sort_avx512(r, weights, order);
	case AVX2: return ranker_sort_avx2(r, weights, order);
	case PORTABLE: break;
	}
	return ranker_sort_portable(r, weights, order);
}

int64_t ranker_members(enum instructions instructions, const struct ranker *r, const struct member_ranks *m,
                       const float *weights, int32_t *ranks) {
	switch (instructions) {
	case AVX512: return ranker_members_avx512(r, m, weights, ranks);
	case AVX2: return ranker_members_avx2(r, m, weights, ranks);
	case PORTABLE: break;
	}
	return ranker_members_portable(r, m, weights, ranks);
}

void matrix_walk(enum instructions instructions, const int32_t *order, int64_t n, struct matrix_walk *w) {
	switch (instructions) {
	case AVX512: matrix_walk_avx512(order, n, w); break;
	case AVX2: matrix_walk_avx2(order, n, w); break;
	case PORTABLE: matrix_walk_portable(order, n, w); break;
	}
}

#else

int64_t ranker_sort(enum instructions instructions, const struct ranker *r, const float *weights, int32_t *order) {
	(void)instructions;
	return ranker_sort_portable(r, weights, order);
}

int64_t ranker_members(enum instructions instructions, const struct ranker *r, const struct member_ranks *m,
                       const float *weights, int32_t *ranks) {
	(void)instructions;
	return ranker_members_portable(r, m, weights, ranks);
}

void matrix_walk(enum instructions instructions, const int32_t *order, int64_t n, struct matrix_walk *w) {
	(void)instructions;
	matrix_walk_portable(order, n, w);
}

#endif
