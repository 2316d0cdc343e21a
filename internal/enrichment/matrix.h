// The walk over a ranking for 64 sets at a time, over the words of the file that
// includes this: NAME, TARGET, popcount, greater, lesser and any.

enum { LANES = 8, VECTORS = MATRIX_SETS / LANES };

static inline TARGET __attribute__((always_inline)) words load(const uint64_t *from) {
	words v;
	memcpy(&v, from, sizeof v);
	return v;
}

static inline TARGET __attribute__((always_inline)) void store(uint64_t *to, words v) { memcpy(to, &v, sizeof v); }

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

// transpose turns a matrix of 64 by 64 bits, row i being lane i%8 of v[i/8]: the
// block-wise exchange of Warren, Hacker's Delight, 7-3.
static inline TARGET __attribute__((always_inline)) void transpose(words v[VECTORS]) {
	const uint64_t keep[3] = {UINT64_C(0x00000000ffffffff), UINT64_C(0x0000ffff0000ffff), UINT64_C(0x00ff00ff00ff00ff)};
#pragma GCC unroll 3
	for (int step = 0; step < 3; step++) {
		int apart = 4 >> step, shift = 32 >> step;
#pragma GCC unroll 8
		for (int i = 0; i < VECTORS; i++) {
			if ((i & apart) != 0) {
				continue;
			}
			words swapped = ((v[i] >> shift) ^ v[i + apart]) & keep[step];
			v[i + apart] ^= swapped;
			v[i] ^= swapped << shift;
		}
	}
#pragma GCC unroll 8
	for (int i = 0; i < VECTORS; i++) {
		ONE_STEP(v[i], 4, 0x0f0f0f0f0f0f0f0f, 4, 4, 5, 6, 7, 0, 1, 2, 3);
		ONE_STEP(v[i], 2, 0x3333333333333333, 2, 2, 3, 0, 1, 6, 7, 4, 5);
		ONE_STEP(v[i], 1, 0x5555555555555555, 1, 1, 0, 3, 2, 5, 4, 7, 6);
	}
}

// by_rank writes the bits of members in the order of ranks, the sets as rows.
static TARGET void NAME(by_rank)(const int32_t *order, int64_t n, struct matrix_walk *w) {
	const uint64_t *members = w->members;
	uint64_t *bits = w->bits;
	int64_t apart = (n + 63) / 64 * LANES;
	for (int64_t from = 0; from < n; from += 64, order += 64, bits += LANES) {
		uint64_t rows[64];
		int64_t count = n - from < 64 ? n - from : 64;
		for (int64_t i = 0; i < count; i++) {
			rows[i] = members[order[i]];
		}
		for (int64_t i = count; i < 64; i++) {
			rows[i] = 0;
		}
		words v[VECTORS];
		memcpy(v, rows, sizeof v);
		transpose(v);
		for (int i = 0; i < VECTORS; i++) {
			store(bits + i * apart, v[i]);
		}
	}
}

// offsets returns the sum of the places of the bits that are set, lane by lane.
static inline TARGET __attribute__((always_inline)) words offsets(words v) {
	return popcount(v & UINT64_C(0xaaaaaaaaaaaaaaaa)) + (popcount(v & UINT64_C(0xcccccccccccccccc)) << 1) +
	       (popcount(v & UINT64_C(0xf0f0f0f0f0f0f0f0)) << 2) + (popcount(v & UINT64_C(0xff00ff00ff00ff00)) << 3) +
	       (popcount(v & UINT64_C(0xffff0000ffff0000)) << 4) + (popcount(v & UINT64_C(0xffffffff00000000)) << 5);
}

// add_bits adds a and b to ones, bit by bit, and returns the carries.
static inline TARGET __attribute__((always_inline)) words add_bits(words *ones, words a, words b) {
	words either = *ones ^ a, carry = (*ones & a) | (either & b);
	*ones = either ^ b;
	return carry;
}

// between sets a vector of sets' highest and lowest to the extremes of the sums
// between words, and their rank sums. Places in words are summed as bits are counted,
// eight words at a time: Muła, Kurz and Lemire, Faster Population Counts, 2018.
static inline TARGET __attribute__((always_inline)) void between(int64_t n, struct matrix_walk *w, int first) {
	words size = load((const uint64_t *)w->sizes + first);
	signed_words sum = {0}, highest = {0}, lowest = {0}, step = (signed_words)(size * 64);
	words members = {0}, after = {0}; // so far, and their sum over words
	words ones = {0}, twos = {0}, fours = {0}, eights = {0}, places = {0};
	int64_t count = (n + 63) / 64, i = 0;
	const uint64_t *bits = w->bits + first * count;
#define BETWEEN(v)                                       \
	do {                                                 \
		words hits = popcount(v);                        \
		members += hits;                                 \
		after += members;                                \
		sum += (signed_words)(hits * (uint64_t)n) - step; \
		highest = greater(highest, sum);                 \
		lowest = lesser(lowest, sum);                    \
	} while (0)
	for (; i + 8 < count; i += 8, bits += 8 * LANES) {
		words v[8], two[4], four[2];
#pragma GCC unroll 8
		for (int j = 0; j < 8; j++) {
			v[j] = load(bits + j * LANES);
			BETWEEN(v[j]);
		}
#pragma GCC unroll 4
		for (int j = 0; j < 4; j++) {
			two[j] = add_bits(&ones, v[2 * j], v[2 * j + 1]);
		}
		four[0] = add_bits(&twos, two[0], two[1]);
		four[1] = add_bits(&twos, two[2], two[3]);
		eights += offsets(add_bits(&fours, four[0], four[1]));
	}
	for (; i + 1 < count; i++, bits += LANES) {
		words v = load(bits);
		BETWEEN(v);
		places += offsets(v);
	}
	words last = load(bits); // which need not be full
	members += popcount(last);
	after += members;
	places += offsets(last) + offsets(ones) + (offsets(twos) << 1) + (offsets(fours) << 2) + (eights << 3);
	store((uint64_t *)w->highest + first, (words)(highest - 1)); // reached, and within takes it
	store((uint64_t *)w->lowest + first, (words)lowest);
	store((uint64_t *)w->rank_sum + first, places + ((members * (uint64_t)count - after) << 6));
#undef BETWEEN
}

// within walks the members of a set among 64 ranks from first on, where the running
// sum is sum.
static void NAME(within)(int64_t n, struct matrix_walk *w, int set, uint64_t word, int32_t first, int64_t sum) {
	int64_t m = w->sizes[set];
	for (; word != 0; word &= word - 1) {
		int32_t offset = __builtin_ctzll(word);
		int64_t before = sum - offset * m, after = before + n - m;
		if (before <= w->lowest[set]) {
			w->lowest[set] = before;
			w->lowest_rank[set] = first + offset;
		}
		if (after > w->highest[set]) {
			w->highest[set] = after;
			w->highest_rank[set] = first + offset;
		}
		sum += n;
	}
}

// extremes looks into the words in which the sums of a vector of sets may go beyond
// the extremes between words.
static inline TARGET __attribute__((always_inline)) void extremes(int64_t n, struct matrix_walk *w, int first) {
	words size = load((const uint64_t *)w->sizes + first), others = (uint64_t)n - size;
	signed_words highest = (signed_words)load((uint64_t *)w->highest + first);
	signed_words lowest = (signed_words)load((uint64_t *)w->lowest + first);
	signed_words sum = {0};
	const uint64_t *bits = w->bits + first * ((n + 63) / 64);
	for (int64_t from = 0; from < n; from += 64, bits += LANES) {
		enum { AT_ONCE = 4 }; // words that are seldom of interest
		if (from + 64 * AT_ONCE <= n) {
			words hits = {0};
#pragma GCC unroll 4
			for (int i = 0; i < AT_ONCE; i++) {
				hits += popcount(load(bits + i * LANES));
			}
			signed_words up = (signed_words)(hits * others), down = (signed_words)((64 * AT_ONCE - hits) * size);
			if (any((words)((sum + up > highest) | (sum - down <= lowest))) == 0) {
				sum += up - down;
				from += 64 * (AT_ONCE - 1);
				bits += LANES * (AT_ONCE - 1);
				continue;
			}
		}
		words v = load(bits), hits = popcount(v);
		signed_words up = (signed_words)(hits * others), down = (signed_words)((64 - hits) * size);
		unsigned candidates = any((words)((sum + up > highest) | (sum - down <= lowest)));
		if (candidates != 0) {
			int64_t sums[LANES];
			memcpy(sums, &sum, sizeof sums);
			for (; candidates != 0; candidates &= candidates - 1) {
				int lane = __builtin_ctz(candidates);
				NAME(within)(n, w, first + lane, bits[lane], (int32_t)from, sums[lane]);
			}
			highest = (signed_words)load((uint64_t *)w->highest + first);
			lowest = (signed_words)load((uint64_t *)w->lowest + first);
		}
		sum += up - down;
	}
}

TARGET void NAME(matrix_walk)(const int32_t *order, int64_t n, struct matrix_walk *w) {
	NAME(by_rank)(order, n, w);
	for (int first = 0; first < MATRIX_SETS; first += LANES) {
		between(n, w, first);
		extremes(n, w, first);
	}
}
