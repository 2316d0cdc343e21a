// The sort of a ranking: NAME and TARGET are those of the file that includes this.
#include <float.h>
#include <math.h>
#include <string.h>

// descending returns a key that is lower the higher the weight is.
static inline TARGET uint32_t descending(float weight) {
	uint32_t bits;
	weight += 0; // −0 + 0 is +0
	memcpy(&bits, &weight, sizeof bits);
	// The bits of floats ascend with positive values and descend with negative ones.
	return ~(bits ^ ((uint32_t)((int32_t)bits >> 31) | UINT32_C(1) << 31));
}

// starts turns counts into where the first of each goes.
static TARGET void NAME(starts)(int32_t *counts, int64_t values) {
	int32_t next = 0;
	for (int64_t i = 0; i < values; i++) {
		int32_t count = counts[i];
		counts[i] = next;
		next += count;
	}
}

// weight_of is the weight that has a key, +0 for both zeros.
static inline TARGET float weight_of(uint32_t key) {
	float weight;
	key = ~key;
	key ^= key >> 31 ? UINT32_C(1) << 31 : ~UINT32_C(0);
	memcpy(&weight, &key, sizeof weight);
	return weight;
}

// key_range finds the lowest and the highest key, and returns whether no weight is NaN.
static TARGET bool NAME(key_range)(const float *weights, int64_t n, uint32_t *first, uint32_t *last) {
	uint32_t lowest = UINT32_MAX, highest = 0;
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = descending(weights[i]);
		lowest = key < lowest ? key : lowest;
		highest = key > highest ? key : highest;
	}
	*first = lowest, *last = highest;
	// NaNs have the keys beyond those of the infinities.
	return lowest >= descending(INFINITY) && highest <= descending(-INFINITY);
}

// Two digits of 11 bits each, which with a key and a position fill 64 bits.
enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS, POSITION_BITS = 64 - 32 - DIGIT_BITS };

// places_of writes where count weights are below the greatest, in units of 1/scale;
// rounding keeps their order.
static inline TARGET int32_t places_of(const float *weights, int64_t count, float greatest, float scale, uint32_t *places) {
	for (int64_t i = 0; i < count; i++) {
		places[i] = (uint32_t)(int32_t)((greatest - weights[i]) * scale);
	}
	return (int32_t)count;
}

// put_in_order sorts entries of which nearly all are where they belong, and writes their
// positions to order. It returns false where the others are far from there.
static TARGET bool NAME(put_in_order)(uint64_t *sorted, int64_t n, int32_t *order) {
	const uint64_t position_mask = (UINT64_C(1) << POSITION_BITS) - 1;
	uint64_t last = 0;
	for (int64_t i = 0, moves = 4 * n; i < n; i++) {
		uint64_t entry = sorted[i];
		int64_t to = i;
		if (entry >= last) {
			last = entry;
		} else {
			for (; to > 0 && sorted[to - 1] > entry; to--) {
				sorted[to] = sorted[to - 1];
				order[to] = order[to - 1];
			}
			if ((moves -= i - to) < 0) {
				return false;
			}
			sorted[to] = entry;
		}
		order[to] = (int32_t)(entry & position_mask);
	}
	return true;
}

// add_tie takes the ranks first and first+1, which have equal weights, to the runs, of
// which there are count so far, and returns how many there are then.
static inline TARGET int64_t add_tie(int32_t *ties, int64_t count, int32_t first) {
	if (count == 0 || ties[2 * count - 1] != first) {
		ties[2 * count++] = first;
	}
	ties[2 * count - 1] = first + 1;
	return count;
}

// ties_of_entries finds the runs of equal keys among sorted entries.
static TARGET int64_t NAME(ties_of_entries)(const uint64_t *sorted, int64_t n, int32_t *ties) {
	enum { AT_ONCE = 64 }; // with seldom a tie among them, which vectors tell
	int64_t count = 0;
	for (int64_t from = 0; from + 1 < n; from += AT_ONCE) {
		int64_t to = from + AT_ONCE < n - 1 ? from + AT_ONCE : n - 1;
		uint64_t equal = 0;
		for (int64_t i = from; i < to; i++) {
			equal |= (uint64_t)((sorted[i] ^ sorted[i + 1]) >> POSITION_BITS == 0);
		}
		for (int64_t i = from; equal != 0 && i < to; i++) {
			if ((sorted[i] ^ sorted[i + 1]) >> POSITION_BITS == 0) {
				count = add_tie(ties, count, (int32_t)i);
			}
		}
	}
	return count;
}

// ties_of_weights finds them among weights in order.
static TARGET int64_t NAME(ties_of_weights)(const float *weights, const int32_t *order, int64_t n, int32_t *ties) {
	int64_t count = 0;
	for (int64_t i = 0; i + 1 < n; i++) {
		if (weights[order[i]] == weights[order[i + 1]]) {
			count = add_tie(ties, count, (int32_t)i);
		}
	}
	return count;
}

// by_places sorts by the place of each weight between the greatest and the least, in 22
// bits: a radix sort of two digits puts nearly all where they belong, as their places
// differ, and the few others have their keys compared. It returns false where too many
// weights are too close for that, beside others that are far away.
static TARGET bool NAME(by_places)(const struct ranker *r, const float *weights, float greatest, float least, int32_t *order) {
	int64_t n = r->n;
	float scale = (float)(DIGITS * DIGITS - 2) / (greatest - least);
	if (n > INT64_C(1) << POSITION_BITS || !(scale > 0 && scale <= FLT_MAX)) {
		return false;
	}
	int32_t *low = r->low, *high = r->high;
	memset(low, 0, sizeof *low * DIGITS);
	memset(high, 0, sizeof *high * DIGITS);
	enum { AT_ONCE = 256 };
	uint32_t places[AT_ONCE]; // apart from counting them, so that vectors may fill it
	for (int64_t from = 0; from < n; from += AT_ONCE) {
		int32_t count = places_of(weights + from, n - from < AT_ONCE ? n - from : AT_ONCE, greatest, scale, places);
		for (int32_t i = 0; i < count; i++) {
			low[places[i] % DIGITS]++;
			high[places[i] / DIGITS]++;
		}
	}
	NAME(starts)(low, DIGITS);
	NAME(starts)(high, DIGITS);

	uint64_t *half = r->half, *sorted = r->sorted;
	for (int64_t from = 0; from < n; from += AT_ONCE) {
		uint64_t placed[AT_ONCE];
		int32_t count = places_of(weights + from, n - from < AT_ONCE ? n - from : AT_ONCE, greatest, scale, places);
		for (int32_t i = 0; i < count; i++) {
			uint64_t digit = places[i] / DIGITS, key = descending(weights[from + i]);
			placed[i] = digit << (64 - DIGIT_BITS) | key << POSITION_BITS | (uint32_t)((int32_t)from + i);
		}
		for (int32_t i = 0; i < count; i++) {
			half[low[places[i] % DIGITS]++] = placed[i];
		}
	}
	for (int64_t i = 0; i < n; i++) {
		sorted[high[half[i] >> (64 - DIGIT_BITS)]++] = half[i];
	}
	return NAME(put_in_order)(sorted, n, order);
}

// by_digits sorts by the keys, whatever they are: a radix sort of three digits.
static TARGET void NAME(by_digits)(const struct ranker *r, const float *weights, int32_t *order) {
	int32_t low_bits = r->low_bits, position_bits = low_bits + r->middle_bits; // the highest digit fits above a position
	uint32_t low_mask = (UINT32_C(1) << low_bits) - 1, middle_mask = (UINT32_C(1) << r->middle_bits) - 1;
	uint32_t position_mask = (UINT32_C(1) << position_bits) - 1;
	int32_t *low = r->low, *middle = r->middle, *high = r->high;
	int64_t n = r->n;
	memset(low, 0, sizeof *low << low_bits);
	memset(middle, 0, sizeof *middle << r->middle_bits);
	memset(high, 0, sizeof *high << (32 - position_bits));
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = descending(weights[i]);
		low[key & low_mask]++;
		middle[key >> low_bits & middle_mask]++;
		high[key >> position_bits]++;
	}
	NAME(starts)(low, INT64_C(1) << low_bits);
	NAME(starts)(middle, INT64_C(1) << r->middle_bits);
	NAME(starts)(high, INT64_C(1) << (32 - position_bits));

	uint64_t *half = r->half;
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = descending(weights[i]);
		half[low[key & low_mask]++] = (uint64_t)key << 32 | (uint64_t)i;
	}
	uint32_t *rest = (uint32_t *)r->sorted; // [n], half of it
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = (uint32_t)(half[i] >> 32), position = (uint32_t)half[i];
		rest[middle[key >> low_bits & middle_mask]++] = (key >> position_bits) << position_bits | position;
	}
	for (int64_t i = 0; i < n; i++) {
		order[high[rest[i] >> position_bits]++] = (int32_t)(rest[i] & position_mask);
	}
}

TARGET int64_t NAME(ranker_sort)(const struct ranker *r, const float *weights, int32_t *order) {
	uint32_t first, last;
	if (!NAME(key_range)(weights, r->n, &first, &last)) {
		return -1;
	}
	if (NAME(by_places)(r, weights, weight_of(first), weight_of(last), order)) {
		return NAME(ties_of_entries)(r->sorted, r->n, r->ties);
	}
	NAME(by_digits)(r, weights, order);
	return NAME(ties_of_weights)(weights, order, r->n, r->ties);
}
