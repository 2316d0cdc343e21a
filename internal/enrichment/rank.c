#include "native.h"

#include <string.h>

// descending returns a key that is lower the higher the weight is.
static inline uint32_t descending(float weight) {
	uint32_t bits;
	weight += 0; // −0 + 0 is +0
	memcpy(&bits, &weight, sizeof bits);
	// The bits of floats ascend with positive values and descend with negative ones.
	return ~(bits ^ ((uint32_t)((int32_t)bits >> 31) | UINT32_C(1) << 31));
}

// starts turns counts into where the first of each goes.
static void starts(int32_t *counts, int64_t values) {
	int32_t next = 0;
	for (int64_t i = 0; i < values; i++) {
		int32_t count = counts[i];
		counts[i] = next;
		next += count;
	}
}

// sort is ranker_sort for digits that may be constants.
static inline __attribute__((always_inline)) bool sort(const struct ranker *r, int32_t low_bits, int32_t middle_bits,
                                                       const float *weights, int32_t *order) {
	int32_t high_shift = low_bits + middle_bits, position_bits = high_shift;
	uint32_t low_mask = (UINT32_C(1) << low_bits) - 1, middle_mask = (UINT32_C(1) << middle_bits) - 1;
	uint32_t position_mask = (UINT32_C(1) << position_bits) - 1;
	int32_t *low = r->low, *middle = r->middle, *high = r->high;
	int64_t n = r->n;
	memset(low, 0, sizeof *low << low_bits);
	memset(middle, 0, sizeof *middle << middle_bits);
	memset(high, 0, sizeof *high << (32 - high_shift));
	bool nan = false;
	for (int64_t i = 0; i < n; i++) {
		nan |= weights[i] != weights[i];
		uint32_t key = descending(weights[i]);
		low[key & low_mask]++;
		middle[key >> low_bits & middle_mask]++;
		high[key >> high_shift]++;
	}
	if (nan) {
		return false;
	}
	starts(low, INT64_C(1) << low_bits);
	starts(middle, INT64_C(1) << middle_bits);
	starts(high, INT64_C(1) << (32 - high_shift));

	uint64_t *keyed = r->keyed;
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = descending(weights[i]);
		keyed[low[key & low_mask]++] = (uint64_t)key << 32 | (uint64_t)i;
	}
	uint32_t *rest = r->rest;
	for (int64_t i = 0; i < n; i++) {
		uint32_t key = (uint32_t)(keyed[i] >> 32), position = (uint32_t)keyed[i];
		// Only the highest digit is still to come, and fits above the position.
		rest[middle[key >> low_bits & middle_mask]++] = (key >> high_shift) << position_bits | position;
	}
	for (int64_t i = 0; i < n; i++) {
		order[high[rest[i] >> position_bits]++] = (int32_t)(rest[i] & position_mask);
	}
	return true;
}

bool ranker_sort(const struct ranker *r, const float *weights, int32_t *order) {
	if (r->low_bits == 11 && r->middle_bits == 10) {
		return sort(r, 11, 10, weights, order);
	}
	return sort(r, r->low_bits, r->middle_bits, weights, order);
}
