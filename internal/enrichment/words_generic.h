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

// narrow writes words below 256 as bytes, and widened reads them.
WORDS void narrow(words v, uint8_t *to) {
	for (int i = 0; i < 8; i++) {
		to[i] = (uint8_t)v[i];
	}
}

WORDS words widened(const uint8_t *from) {
	words v;
	for (int i = 0; i < 8; i++) {
		v[i] = from[i];
	}
	return v;
}

WORDS signed_words greater(signed_words a, signed_words b) {
	signed_words where = a > b;
	return (a & where) | (b & ~where);
}

WORDS signed_words lesser(signed_words a, signed_words b) {
	signed_words where = a < b;
	return (a & where) | (b & ~where);
}

// beyond has bit i set where lane i of a is above that of b, or that of c at most that of d.
WORDS unsigned beyond(signed_words a, signed_words b, signed_words c, signed_words d) {
	signed_words v = (a > b) | (c <= d);
	unsigned bits = 0;
	for (int i = 0; i < 8; i++) {
		bits |= (unsigned)(v[i] != 0) << i;
	}
	return bits;
}
