// The ranks of some tokens alone: NAME, TARGET, WORDS and above are those of the file that
// includes this, after rank.h.

enum { OTHERS_AT_ONCE = 256 };

// The buckets of weights between the greatest member and the least, lower ones after
// higher ones; scale is how many there are in a unit of weight.
struct buckets {
	float greatest, scale;
};

// buckets_of has a single bucket where the members' weights have no distance that divides.
static inline TARGET struct buckets buckets_of(float greatest, float least) {
	float scale = (float)(MEMBER_BUCKETS - 1) / (greatest - least);
	bool divides = scale > 0 && scale <= FLT_MAX;
	return (struct buckets){divides ? greatest : 0, divides ? scale : 0};
}

// bucket_each writes the bucket of each weight; rounding keeps their order. It returns
// whether none of the weights is NaN.
static inline TARGET bool bucket_each(struct buckets b, const float *weights, int32_t count, uint16_t *buckets) {
	const float most = MEMBER_BUCKETS - 1;
	uint32_t unordered = 0;
	for (int32_t i = 0; i < count; i++) {
		float weight = weights[i], below = (b.greatest - weight) * b.scale;
		unordered |= weight != weight;
		below = below > 0 ? below : 0; // NaN, of infinities, too
		below = below < most ? below : most;
		buckets[i] = (uint16_t)(int32_t)below;
	}
	return unordered == 0;
}

// ahead_of tells whether the member at a place ranks before an other token of its weight.
static inline TARGET bool ahead_of(const struct member_ranks *m, int64_t i, float weight, int32_t position) {
	return m->sorted[i] == weight && m->members[m->order[i]] < position;
}

// among_equals takes an other token of the weight of sorted member first, which no member
// before has, and returns the first member that ranks after it.
static TARGET int64_t NAME(among_equals)(const struct member_ranks *m, int64_t first, float weight, int32_t position) {
	int64_t from = first, to = m->m;
	while (from < to) {
		int64_t middle = from + (to - from) / 2;
		if (ahead_of(m, middle, weight, position)) {
			from = middle + 1;
		} else {
			to = middle;
		}
	}
	m->tied_among[first / TIED_AMONG] = 1;
	m->tied[first].all++;
	m->tied[first].ahead += from == first;
	return from;
}

// in_bucket returns the first member from first on, in a bucket of more than MEMBER_LANES
// that ends before end, whose weight is not above.
static TARGET int64_t NAME(in_bucket)(const struct member_ranks *m, int64_t first, int64_t end, const float *weight) {
	int64_t length = end - first;
	while (length > MEMBER_LANES) {
		int64_t half = length / 2;
		first += m->sorted[first + half - 1] > *weight ? half : 0;
		length -= half;
	}
	return first + above(m->sorted + first, weight);
}

// count_others counts for each member the others, count of them, that rank after the
// members before it and before the member itself.
static TARGET bool NAME(count_others)(const struct member_ranks *m, struct buckets b, const float *weights,
                                      const int32_t *others, int64_t count) {
	const float *sorted = m->sorted;
	const uint16_t *starts = m->starts;
	uint16_t *counts = m->counts;
	for (int64_t from = 0; from < count; from += OTHERS_AT_ONCE) {
		float some[OTHERS_AT_ONCE];
		uint16_t buckets[OTHERS_AT_ONCE], before[OTHERS_AT_ONCE];
		int32_t n = (int32_t)(count - from < OTHERS_AT_ONCE ? count - from : OTHERS_AT_ONCE);
		for (int32_t i = 0; i < n; i++) {
			some[i] = weights[others[from + i]] + 0; // −0 + 0 is +0
		}
		if (!bucket_each(b, some, n, buckets)) {
			return false;
		}
		for (int32_t i = 0; i < n; i++) {
			int64_t first = starts[buckets[i]];
			// Members of later buckets, and the NaNs after the last, are not above.
			uint32_t ahead = above(sorted + first, some + i), bits, next;
			first += ahead;
			memcpy(&bits, some + i, sizeof bits);
			memcpy(&next, sorted + first, sizeof next);
			if (__builtin_expect((ahead == MEMBER_LANES) | (bits == next), 0)) {
				first = NAME(in_bucket)(m, starts[buckets[i]], starts[buckets[i] + 1], some + i);
				if (sorted[first] == some[i]) {
					first = NAME(among_equals)(m, first, some[i], others[from + i]);
				}
			}
			before[i] = (uint16_t)first;
		}
		for (int32_t i = 0; i < n; i++) { // apart, so that no load waits for where these go
			counts[before[i]]++;
		}
	}
	return true;
}

// by_bucket puts the members' numbers into slots by their bucket, of which it finds the
// starts. It returns false where some buckets have so many that sorting those takes long.
static TARGET bool NAME(by_bucket)(const struct member_ranks *m, struct buckets b) {
	int64_t n = m->m, pairs = 0;
	uint16_t *starts = m->starts;
	memset(starts, 0, sizeof *starts * (MEMBER_BUCKETS + 2));
	bucket_each(b, m->gathered, (int32_t)n, m->counts);
	for (int64_t i = 0; i < n; i++) {
		starts[m->counts[i] + 2]++;
	}
	uint32_t next = 0;
	for (int64_t i = 2; i < MEMBER_BUCKETS + 2; i++) {
		uint32_t count = starts[i];
		pairs += (int64_t)count * count;
		starts[i] = (uint16_t)(next += count);
	}
	// Each bucket's start moves to its end, which is the start of the next one.
	for (int64_t i = 0; i < n; i++) {
		m->slots[starts[m->counts[i] + 1]++] = (uint16_t)i;
	}
	return pairs <= 64 * n;
}

// order_buckets sorts the members in slots, each by how many of its bucket are above.
static TARGET void NAME(order_buckets)(const struct member_ranks *m, struct buckets b) {
	int64_t n = m->m;
	for (int64_t i = 0; i < n; i++) {
		m->grouped[i] = m->gathered[m->slots[i]];
	}
	for (int64_t i = n; i < n + MEMBER_LANES; i++) {
		m->grouped[i] = NAN; // is above none
	}
	memset(m->sorted, 0xff, sizeof *m->sorted * (size_t)n); // NaN, where none is yet
	bucket_each(b, m->grouped, (int32_t)n, m->counts);
	for (int64_t i = 0; i < n; i++) {
		int64_t to = m->starts[m->counts[i]], end = m->starts[m->counts[i] + 1];
		for (int64_t from = to; from < end; from += MEMBER_LANES) { // beyond end none is above
			to += above(m->grouped + from, m->grouped + i);
		}
		while (m->sorted[to] == m->grouped[i]) {
			to++; // equal ones stay in the order of their positions
		}
		m->sorted[to] = m->grouped[i];
		m->order[to] = m->slots[i];
		m->places[m->slots[i]] = (uint16_t)to;
	}
}

// sort_members sorts the members' weights and finds where each bucket of them starts; room
// is for [m].
static TARGET bool NAME(sort_members)(const struct ranker *r, const struct member_ranks *m, const float *weights,
                                      int32_t *room, struct buckets *b) {
	int64_t n = m->m;
	for (int64_t i = 0; i < n; i++) {
		m->gathered[i] = weights[m->members[i]] + 0;
	}
	uint32_t first, last;
	if (!NAME(key_range)(m->gathered, n, &first, &last)) {
		return false;
	}
	*b = buckets_of(weight_of(first), weight_of(last));
	if (NAME(by_bucket)(m, *b)) {
		NAME(order_buckets)(m, *b);
	} else {
		struct ranker few = *r;
		few.n = n;
		NAME(ranker_sort)(&few, m->gathered, room);
		for (int64_t i = 0; i < n; i++) {
			m->sorted[i] = m->gathered[room[i]];
			m->order[i] = (uint16_t)room[i];
			m->places[room[i]] = (uint16_t)i;
		}
	}
	for (int64_t i = n; i < n + MEMBER_LANES; i++) {
		m->sorted[i] = NAN;
	}
	return true;
}

// ranks_of_gaps turns the others before each member into its rank, by its place among the
// members and, apart as stores that are far from each other take long, by its number.
static TARGET void NAME(ranks_of_gaps)(const struct member_ranks *m, int32_t *ranks) {
	int32_t others = 0;
	for (int32_t i = 0; i < m->m; i++) {
		others += m->gaps[i];
		m->gaps[i] = i + others;
	}
	for (int32_t i = 0; i < m->m; i++) {
		ranks[i] = m->gaps[m->places[i]];
	}
}

// add_run takes the run of equal weights that begins at a member to the runs, and returns
// the last member of it.
static TARGET int64_t NAME(add_run)(const struct member_ranks *m, int64_t member, int64_t count) {
	int32_t first = m->gaps[member] - m->tied[member].ahead, last = first + m->tied[member].all;
	m->tied[member] = (struct tied_others){0, 0};
	for (; m->sorted[member] == m->sorted[member + 1]; member++) {
		last++;
	}
	m->runs[2 * count] = first;
	m->runs[2 * count + 1] = last;
	return member;
}

// runs_with_members finds the runs among members, and those of a member and others.
static TARGET int64_t NAME(runs_with_members)(const struct member_ranks *m) {
	int64_t count = 0, next = 0;
	for (int64_t from = 0; from < m->m; from += TIED_AMONG) {
		int64_t to = from + TIED_AMONG < m->m ? from + TIED_AMONG : m->m;
		uint32_t equal = 0;
		for (int64_t i = from; i < to; i++) {
			equal |= (uint32_t)(m->sorted[i] == m->sorted[i + 1]);
		}
		if (equal == 0 && m->tied_among[from / TIED_AMONG] == 0) {
			continue;
		}
		m->tied_among[from / TIED_AMONG] = 0;
		for (int64_t i = next > from ? next : from; i < to; i++) {
			if (m->sorted[i] == m->sorted[i + 1] || m->tied[i].all != 0) {
				i = NAME(add_run)(m, i, count++);
				next = i + 1;
			}
		}
	}
	return count;
}

TARGET int64_t NAME(ranker_members)(const struct ranker *r, const struct member_ranks *m, const float *weights, int32_t *ranks) {
	struct buckets b;
	if (!NAME(sort_members)(r, m, weights, ranks, &b)) {
		return -1;
	}
	memset(m->gaps, 0, sizeof *m->gaps * (size_t)(m->m + 1));
	for (int64_t from = 0; from < m->others_count; from += UINT16_MAX) { // as many as a count may be
		int64_t count = m->others_count - from < UINT16_MAX ? m->others_count - from : UINT16_MAX;
		memset(m->counts, 0, sizeof *m->counts * (size_t)(m->m + 1));
		if (!NAME(count_others)(m, b, weights, m->others + from, count)) {
			memset(m->tied, 0, sizeof *m->tied * (size_t)m->m);
			memset(m->tied_among, 0, (size_t)(m->m + TIED_AMONG - 1) / TIED_AMONG);
			return -1;
		}
		for (int64_t i = 0; i <= m->m; i++) {
			m->gaps[i] += m->counts[i];
		}
	}
	NAME(ranks_of_gaps)(m, ranks);
	return NAME(runs_with_members)(m);
}
