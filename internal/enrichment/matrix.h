// The walk over a ranking for 64 sets at a time, over the words of the file that
// includes this: NAME, TARGET, WORDS, popcount, transpose_bytes, narrow, widened,
// greater, lesser and beyond.

enum { LANES = MATRIX_LANES, VECTORS = MATRIX_SETS / LANES };

// A block of ranks, which is taken from membership to running sums while it is in L1.
enum { BLOCK_WORDS = 8, BLOCK_RANKS = 64 * BLOCK_WORDS };

WORDS words load(const uint64_t *from) {
	words v;
	memcpy(&v, from, sizeof v);
	return v;
}

WORDS void store(uint64_t *to, words v) { memcpy(to, &v, sizeof v); }

// transpose turns a matrix of 64 by 64 bits, row i being lane i%8 of v[i/8]: the
// block-wise exchange of Warren, Hacker's Delight, 7-3.
WORDS void transpose(words v[VECTORS]) {
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
		v[i] = transpose_bytes(v[i]);
	}
}

// by_rank writes the members among 64 ranks, or count where the ranking ends before: a
// word is a set's, a vector of them goes to bits, and the next one apart from there.
WORDS void by_rank(const int32_t *order, int64_t count, const uint64_t *members, int vectors, uint64_t *bits,
                   int64_t apart) {
	uint64_t rows[64];
	if (count > 64) {
		count = 64;
	}
	for (int64_t i = 0; i < count; i++) {
		rows[i] = members[order[i]];
	}
	for (int64_t i = count; i < 64; i++) {
		rows[i] = 0;
	}
	words v[VECTORS];
	memcpy(v, rows, sizeof v);
	transpose(v);
#pragma GCC unroll 8
	for (int i = 0; i < VECTORS; i++) {
		if (i < vectors) {
			store(bits + i * apart, v[i]);
		}
	}
}

// offsets returns the sum of the places of the bits that are set, lane by lane.
WORDS words offsets(words v) {
	return popcount(v & UINT64_C(0xaaaaaaaaaaaaaaaa)) + (popcount(v & UINT64_C(0xcccccccccccccccc)) << 1) +
	       (popcount(v & UINT64_C(0xf0f0f0f0f0f0f0f0)) << 2) + (popcount(v & UINT64_C(0xff00ff00ff00ff00)) << 3) +
	       (popcount(v & UINT64_C(0xffff0000ffff0000)) << 4) + (popcount(v & UINT64_C(0xffffffff00000000)) << 5);
}

// add_bits adds a and b to ones, bit by bit, and returns the carries.
WORDS words add_bits(words *ones, words a, words b) {
	words either = *ones ^ a, carry = (*ones & a) | (either & b);
	*ones = either ^ b;
	return carry;
}

// How far a vector of sets has come: the running sum with its extremes between words,
// the members so far and the sum of that over words, and the places in words of all
// members, as bits that are counted in ones, twos and fours, and beyond that as sums.
struct NAME(progress) {
	signed_words sum, highest, lowest;
	words members, members_summed, ones, twos, fours, eights, places;
};

// count_word takes the members of a word into p and writes their number to hits.
WORDS words count_word(words v, uint8_t *hits, struct NAME(progress) *p) {
	words count = popcount(v);
	narrow(count, hits);
	p->members += count;
	p->members_summed += p->members;
	return count;
}

// between takes count words, a block's or at the end of the ranking fewer, into p. Places
// in words are summed as bits are counted, eight words at a time: Muła, Kurz and Lemire,
// Faster Population Counts, 2018.
WORDS void between(int64_t n, words size, const uint64_t *bits, int count, bool last, uint8_t *hits,
                   struct NAME(progress) *p) {
	signed_words step = (signed_words)(size * 64);
	for (int i = 0; i < (last ? count : BLOCK_WORDS); i++) {
		words members = count_word(load(bits + i * LANES), hits + i * LANES, p);
		if (last && i + 1 == count) {
			break; // its end is that of the ranking, where the sum is 0
		}
		p->sum += (signed_words)(members * (uint64_t)n) - step;
		p->highest = greater(p->highest, p->sum);
		p->lowest = lesser(p->lowest, p->sum);
	}
	if (last) {
		for (int i = 0; i < count; i++) {
			p->places += offsets(load(bits + i * LANES));
		}
		return;
	}
	words two[4], four[2];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		two[i] = add_bits(&p->ones, load(bits + 2 * i * LANES), load(bits + (2 * i + 1) * LANES));
	}
	four[0] = add_bits(&p->twos, two[0], two[1]);
	four[1] = add_bits(&p->twos, two[2], two[3]);
	p->eights += offsets(add_bits(&p->fours, four[0], four[1]));
}

// finish writes what the sums between words say of a vector of sets: the rank sums, and
// what an extreme must go beyond to matter, which is the greater of both: one of them does.
WORDS void finish(int64_t n, const struct NAME(progress) *p, int first, struct matrix_walk *w) {
	signed_words zero = {0};
	signed_words reached = greater(p->highest, zero - p->lowest);
	store((uint64_t *)w->highest + first, (words)(reached - 1));
	store((uint64_t *)w->lowest + first, (words)lesser(zero, 1 - reached));
	words places = p->places + offsets(p->ones) + (offsets(p->twos) << 1) + (offsets(p->fours) << 2) + (p->eights << 3);
	words firsts = (p->members * (uint64_t)((n + 63) / 64) - p->members_summed) << 6; // of the members' words
	store((uint64_t *)w->rank_sum + first, places + firsts);
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

// candidates are the lanes whose sums may go beyond the extremes among ranks from
// where they are sum, hits of them members. It takes sum past them.
WORDS unsigned candidates(uint64_t ranks, words hits, words size, words others, signed_words highest,
                          signed_words lowest, signed_words *sum) {
	signed_words up = (signed_words)(hits * others), down = (signed_words)((ranks - hits) * size), from = *sum;
	*sum = from + up - down;
	return beyond(from + up, highest, from - down, lowest);
}

// extremes looks into the words in which the sums of a vector of sets may go beyond
// the extremes between words.
WORDS void extremes(int64_t n, struct matrix_walk *w, int first) {
	int64_t count = (n + 63) / 64;
	words size = load((const uint64_t *)w->sizes + first), others = (uint64_t)n - size;
	signed_words highest = (signed_words)load((uint64_t *)w->highest + first);
	signed_words lowest = (signed_words)load((uint64_t *)w->lowest + first);
	signed_words sum = {0};
	const uint64_t *bits = w->bits + first * count;
	const uint8_t *hits = w->hits + first * count;
	for (int64_t word = 0; word < count; word++) {
		enum { AT_ONCE = 4 }; // words that are seldom of interest
		if (word + AT_ONCE <= count) {
			const uint8_t *some = hits + word * LANES;
			words together = widened(some) + widened(some + LANES) + widened(some + 2 * LANES) + widened(some + 3 * LANES);
			signed_words after = sum;
			if (candidates(64 * AT_ONCE, together, size, others, highest, lowest, &after) == 0) {
				sum = after;
				word += AT_ONCE - 1;
				continue;
			}
		}
		signed_words before = sum;
		unsigned lanes = candidates(64, widened(hits + word * LANES), size, others, highest, lowest, &sum);
		if (lanes != 0) {
			int64_t sums[LANES];
			memcpy(sums, &before, sizeof sums);
			for (; lanes != 0; lanes &= lanes - 1) {
				int lane = __builtin_ctz(lanes);
				NAME(within)(n, w, first + lane, bits[word * LANES + lane], (int32_t)(64 * word), sums[lane]);
			}
			highest = (signed_words)load((uint64_t *)w->highest + first);
			lowest = (signed_words)load((uint64_t *)w->lowest + first);
		}
	}
}

TARGET void NAME(matrix_walk)(const int32_t *order, int64_t n, struct matrix_walk *w) {
	struct NAME(progress) progress[VECTORS];
	memset(progress, 0, sizeof progress);
	int vectors = (w->sets + LANES - 1) / LANES;
	int64_t words_of_set = (n + 63) / 64;
	for (int64_t from = 0; from < n; from += BLOCK_RANKS) {
		bool last = from + BLOCK_RANKS >= n;
		int count = last ? (int)((n - from + 63) / 64) : BLOCK_WORDS;
		uint64_t *bits = w->bits + from / 64 * LANES;
		for (int i = 0; i < count; i++) {
			by_rank(order + from + 64 * i, n - from - 64 * i, w->members, vectors, bits + i * LANES, words_of_set * LANES);
		}
		for (int i = 0; i < vectors; i++, bits += words_of_set * LANES) {
			words size = load((const uint64_t *)w->sizes + i * LANES);
			uint8_t *hits = w->hits + (i * words_of_set + from / 64) * LANES;
			if (last) {
				between(n, size, bits, count, true, hits, &progress[i]);
			} else {
				between(n, size, bits, BLOCK_WORDS, false, hits, &progress[i]);
			}
		}
	}
	for (int i = 0; i < vectors; i++) {
		finish(n, &progress[i], i * LANES, w);
		extremes(n, w, i * LANES);
	}
}
