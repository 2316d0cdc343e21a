// What the C of this package shares with its Go: the sort of ranker.go and the
// walk over the ranking of matrix.go, whose comments say what they compute.
#ifndef SAEDB_ENRICHMENT_NATIVE_H
#define SAEDB_ENRICHMENT_NATIVE_H

#include <stdbool.h>
#include <stdint.h>

// Buffers of a sort of n weights, and the digits of its keys; positions fit into the
// bits of the two lower digits. low and high have room for 11 bits.
struct ranker {
	int64_t n;
	int32_t low_bits, middle_bits;
	int32_t *low, *middle, *high; // counts, one for each value of a digit
	uint64_t *half, *sorted;      // [n], keys with their positions
	int32_t *ties;                // [n], the first and the last rank of each run of equal weights
};

// MATRIX_SETS is how many sets a column of a matrix holds, a bit each.
// Eight of them, a vector's lanes, are walked together.
enum { MATRIX_SETS = 64, MATRIX_LANES = 8 };

// One column of a matrix, and what a walk over one ranking is to find of its sets.
struct matrix_walk {
	const uint64_t *members; // [n], by position
	const int64_t *sizes;    // [MATRIX_SETS]
	int32_t sets;            // how many there are; of others nothing is found
	// Scratch, [MATRIX_SETS/MATRIX_LANES, ⌈n/64⌉, MATRIX_LANES]: a set's members at 64 ranks, and how many.
	uint64_t *bits;
	uint8_t *hits;
	// Of the running sum times m(n−m); exact is what goes further from 0.
	int64_t highest[MATRIX_SETS], lowest[MATRIX_SETS];
	int64_t rank_sum[MATRIX_SETS];
	int32_t highest_rank[MATRIX_SETS], lowest_rank[MATRIX_SETS];
};

// Instruction sets, from slow to fast.
enum instructions { PORTABLE, AVX2, AVX512 };

// ranker_sort writes the positions of weights [n] to order in descending order of
// weight, equal ones ascending, and the runs of equal ones to ties. It returns how many
// runs there are; -1, and nothing of use in order, if a weight is NaN. The processor must
// have the instructions.
int64_t ranker_sort(enum instructions, const struct ranker *, const float *weights, int32_t *order);

// matrix_walk finds what w is to find in the ranking order [n].
void matrix_walk(enum instructions, const int32_t *order, int64_t n, struct matrix_walk *w);

// One of each for each instruction set; all find the same.
int64_t ranker_sort_portable(const struct ranker *, const float *weights, int32_t *order);
int64_t ranker_sort_avx2(const struct ranker *, const float *weights, int32_t *order);
int64_t ranker_sort_avx512(const struct ranker *, const float *weights, int32_t *order);
void matrix_walk_portable(const int32_t *order, int64_t n, struct matrix_walk *);
void matrix_walk_avx2(const int32_t *order, int64_t n, struct matrix_walk *);
void matrix_walk_avx512(const int32_t *order, int64_t n, struct matrix_walk *);

#endif
