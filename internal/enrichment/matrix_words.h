// The words of matrix.h for compilers to make the best of.
#include <string.h>

typedef uint64_t words __attribute__((vector_size(64)));
typedef int64_t signed_words __attribute__((vector_size(64)));

#define WORDS static inline TARGET __attribute__((always_inline))

WORDS words popcount(words v) {
	words counts;
	for (int i = 0; i < 8; i++) {
		counts[i] = (uint64_t)__builtin_popcountll(v[i]);
	}
	return counts;
}

WORDS signed_words greater(signed_words a, signed_words b) {
	signed_words where = a > b;
	return (a & where) | (b & ~where);
}

WORDS signed_words lesser(signed_words a, signed_words b) {
	signed_words where = a < b;
	return (a & where) | (b & ~where);
}

// any has bit i set where lane i is not 0.
WORDS unsigned any(words v) {
	unsigned bits = 0;
	for (int i = 0; i < 8; i++) {
		bits |= (unsigned)(v[i] != 0) << i;
	}
	return bits;
}
