#include "native.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vbmi,avx512vpopcntdq,gfni,bmi,popcnt")))

typedef uint64_t words __attribute__((vector_size(64)));
typedef int64_t signed_words __attribute__((vector_size(64)));

#define WORDS static inline TARGET __attribute__((always_inline))

WORDS words popcount(words v) { return (words)_mm512_popcnt_epi64((__m512i)v); }
// transpose_bytes turns the matrices of 8 by 8 bits whose rows are the same byte of the
// eight lanes: each is brought into one lane, its rows from the last to the first as the
// affine map takes them, applied to the eight unit vectors, and brought back.
WORDS words transpose_bytes(words v) {
#define COLUMN(c) (c) + 56, (c) + 48, (c) + 40, (c) + 32, (c) + 24, (c) + 16, (c) + 8, (c)
#define ROW(r) (r), (r) + 8, (r) + 16, (r) + 24, (r) + 32, (r) + 40, (r) + 48, (r) + 56
	static const uint8_t columns[64] = {COLUMN(0), COLUMN(1), COLUMN(2), COLUMN(3), COLUMN(4), COLUMN(5), COLUMN(6), COLUMN(7)};
	static const uint8_t rows[64] = {ROW(0), ROW(1), ROW(2), ROW(3), ROW(4), ROW(5), ROW(6), ROW(7)};
	const __m512i units = _mm512_set1_epi64(INT64_C(0x8040201008040201));
	__m512i matrices = _mm512_permutexvar_epi8(_mm512_loadu_si512(columns), (__m512i)v);
	return (words)_mm512_permutexvar_epi8(_mm512_loadu_si512(rows), _mm512_gf2p8affine_epi64_epi8(units, matrices, 0));
#undef COLUMN
#undef ROW
}

// narrow writes words below 256 as bytes, and widened reads them.
WORDS void narrow(words v, uint8_t *to) { _mm_storel_epi64((__m128i *)to, _mm512_cvtepi64_epi8((__m512i)v)); }
WORDS words widened(const uint8_t *from) { return (words)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)from)); }
WORDS signed_words greater(signed_words a, signed_words b) { return (signed_words)_mm512_max_epi64((__m512i)a, (__m512i)b); }
WORDS signed_words lesser(signed_words a, signed_words b) { return (signed_words)_mm512_min_epi64((__m512i)a, (__m512i)b); }
// beyond has bit i set where lane i of a is above that of b, or that of c at most that of d.
WORDS unsigned beyond(signed_words a, signed_words b, signed_words c, signed_words d) {
	return _mm512_cmpgt_epi64_mask((__m512i)a, (__m512i)b) | _mm512_cmple_epi64_mask((__m512i)c, (__m512i)d);
}

// above counts the MEMBER_LANES values from from on that are greater than a weight.
WORDS uint32_t above(const float *from, const float *weight) {
	__mmask16 greater = _mm512_cmp_ps_mask(_mm512_loadu_ps(from), _mm512_set1_ps(*weight), _CMP_GT_OQ);
	return (uint32_t)__builtin_popcount(_cvtmask16_u32(greater));
}

#include "matrix.h"
#include "rank.h"
#include "memberranks.h"

#endif
