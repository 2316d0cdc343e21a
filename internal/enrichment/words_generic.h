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

// ONE_STEP swaps bits of rows and columns whose indices differ by 2^k, in rows that
// are in one vector: a lane takes its partner's bits, moved by that much.
#define ONE_STEP(v, apart, keep, k, ...)                                                          \
	do {                                                                                          \
		const words kept = {LANE_MASKS(apart, keep)};                                             \
		const words left = {LANE_SHIFTS(apart, k, 0)}, right = {LANE_SHIFTS(apart, 0, k)};        \
		words partner = __builtin_shufflevector(v, v, __VA_ARGS__);                               \
		v = (v & kept) | (((partner << left) >> right) & ~kept);                                  \
	} while (0)
#define LANE(i, apart, a, b) (((i) & (apart)) == 0 ? (a) : (b))
#define LANE_SHIFTS(apart, a, b)                                                                  \
	LANE(0, apart, a, b), LANE(1, apart, a, b), LANE(2, apart, a, b), LANE(3, apart, a, b),       \
		LANE(4, apart, a, b), LANE(5, apart, a, b), LANE(6, apart, a, b), LANE(7, apart, a, b)
#define LANE_MASKS(apart, keep) LANE_SHIFTS(apart, UINT64_C(keep), ~UINT64_C(keep))

// transpose_bytes turns the matrices of 8 by 8 bits whose rows are the same byte of the
// eight lanes.
WORDS words transpose_bytes(words v) {
	ONE_STEP(v, 4, 0x0f0f0f0f0f0f0f0f, 4, 4, 5, 6, 7, 0, 1, 2, 3);
	ONE_STEP(v, 2, 0x3333333333333333, 2, 2, 3, 0, 1, 6, 7, 4, 5);
	ONE_STEP(v, 1, 0x5555555555555555, 1, 1, 0, 3, 2, 5, 4, 7, 6);
	return v;
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
