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
WORDS signed_words greater(signed_words a, signed_words b) { return (signed_words)_mm512_max_epi64((__m512i)a, (__m512i)b); }
WORDS signed_words lesser(signed_words a, signed_words b) { return (signed_words)_mm512_min_epi64((__m512i)a, (__m512i)b); }
// any has bit i set where lane i is not 0.
WORDS unsigned any(words v) { return _mm512_test_epi64_mask((__m512i)v, (__m512i)v); }

#include "matrix.h"

#endif
