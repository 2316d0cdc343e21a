// What the C of this package shares with its Go: the sort of ranker.go, the ranks of
// memberranks.go and the walk over the ranking of matrix.go, whose comments say what
// they compute.
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

// A weight is looked for among the members of its bucket, MEMBER_LANES of them at once.
// Few of TIED_AMONG members have the weight of another token. Numbers of members have 16 bits.
enum { MEMBER_BUCKETS = 1 << 13, MEMBER_LANES = 16, TIED_AMONG = 64, MOST_MEMBERS = UINT16_MAX };

// Other tokens of the weight of a member that no member before it has.
struct tied_others {
	int32_t all, ahead; // ahead are those of lower position than the member
};

// Tokens of which the members' ranks are wanted, and buffers.
struct member_ranks {
	const int32_t *members, *others; // positions, ascending: [m] and [others_count], all tokens
	int64_t m, others_count;
	float *gathered;                 // [m], weights of members
	float *grouped, *sorted;         // [m + MEMBER_LANES], by bucket and in descending order
	uint16_t *slots;                 // [m], members by bucket
	uint16_t *starts;                // [MEMBER_BUCKETS + 2], of buckets; the last is room
	uint16_t *counts;                // [m + 1], others before each member; first the members' buckets
	uint16_t *order, *places;        // [m], the member at each place among them and its inverse
	int32_t *gaps;                   // [m + 1], counts of all others, then ranks by place
	struct tied_others *tied;        // [m], 0 between calls
	uint8_t *tied_among;             // [⌈m/TIED_AMONG⌉], whether there are any among these; likewise
	int32_t *runs;                   // [2 * m], the first and the last rank of each run of equal weights
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

// ranker_members writes the ranks of the members alone to ranks [m], as ranker_sort would
// rank them, and those of the runs of equal weights that hold a member to runs. It returns
// how many runs there are; -1 if a weight is NaN. The ranker's buffers have room for n.
int64_t ranker_members(enum instructions, const struct ranker *, const struct member_ranks *, const float *weights, int32_t *ranks);

// matrix_walk finds what w is to find in the ranking order [n].
void matrix_walk(enum instructions, const int32_t *order, int64_t n, struct matrix_walk *w);

// One of each for each instruction set; all find the same.
int64_t ranker_sort_portable(const struct ranker *, const float *weights, int32_t *order);
int64_t ranker_sort_avx2(const struct ranker *, const float *weights, int32_t *order);
int64_t ranker_sort_avx512(const struct ranker *, const float *weights, int32_t *order);
int64_t ranker_members_portable(const struct ranker *, const struct member_ranks *, const float *weights, int32_t *ranks);
int64_t ranker_members_avx2(const struct ranker *, const struct member_ranks *, const float *weights, int32_t *ranks);
int64_t ranker_members_avx512(const struct ranker *, const struct member_ranks *, const float *weights, int32_t *ranks);
void matrix_walk_portable(const int32_t *order, int64_t n, struct matrix_walk *);
void matrix_walk_avx2(const int32_t *order, int64_t n, struct matrix_walk *);
void matrix_walk_avx512(const int32_t *order, int64_t n, struct matrix_walk *);

#endif
