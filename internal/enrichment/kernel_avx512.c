#include "native.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <string.h>

#define NAME(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512dq,avx512vpopcntdq,bmi,popcnt")))

typedef uint64_t words __attribute__((vector_size(64)));
typedef int64_t signed_words __attribute__((vector_size(64)));

#define WORDS static inline TARGET __attribute__((always_inline))

WORDS words popcount(words v) { return (words)_mm512_popcnt_epi64((__m512i)v); }
// narrow writes words below 256 as bytes, and widened reads them.
WORDS void narrow(words v, uint8_t *to) { _mm_storel_epi64((__m128i *)to, _mm512_cvtepi64_epi8((__m512i)v)); }
WORDS words widened(const uint8_t *from) { return (words)_mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)from)); }
WORDS signed_words greater(signed_words a, signed_words b) { return (signed_words)_mm512_max_epi64((__m512i)a, (__m512i)b); }
WORDS signed_words lesser(signed_words a, signed_words b) { return (signed_words)_mm512_min_epi64((__m512i)a, (__m512i)b); }
// beyond has bit i set where lane i of a is above that of b, or that of c at most that of d.
WORDS unsigned beyond(signed_words a, signed_words b, signed_words c, signed_words d) {
	return _mm512_cmpgt_epi64_mask((__m512i)a, (__m512i)b) | _mm512_cmple_epi64_mask((__m512i)c, (__m512i)d);
}

#include "matrix.h"
#include "rank.h"

#endif
