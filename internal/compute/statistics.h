// What becomes of a row of products while they are in L1, over the words of a
// simd_*.h: power sums, and the rare tokens that a ranking may need.

enum { GROUP_VECTORS = GROUP_TOKENS / VECTOR_FLOATS };

// powers are vectors of sums of the first four powers.
struct powers {
	vector first, second, third, fourth;
};

SIMD void add_powers(struct powers *s, vector x) {
	vector square = multiply(x, x);
	s->first = add(s->first, x);
	s->second = add(s->second, square);
	s->third = multiply_add(square, x, s->third);
	s->fourth = multiply_add(square, square, s->fourth);
}

// A token whose product lies strictly between low and high is certainly on neither
// shortlist. Both are rounded outwards, and allow for the group's largest error.
struct limits {
	float low, high;
};

static inline struct limits limits_of(const struct native_direction *d, float largest_norm) {
	const double outward = 0x1p-23;
	double bound = d->relative * largest_norm + d->absolute;
	double high = d->top.floor - bound, low = bound - d->bottom.floor;
	struct limits l = {-INFINITY, INFINITY};
	if (!d->top.overflowed) {
		l.high = (float)(high - fabs(high) * outward) - 0x1p-148f;
	}
	if (!d->bottom.overflowed) {
		l.low = (float)(low + fabs(low) * outward) + 0x1p-148f;
	}
	return l;
}

// summarize_group adds a row's products [GROUP_TOKENS], with their inverse norms, to
// the direction's sums, and returns whether some product is outside the limits.
//
// Vector sums are of GROUP_VECTORS float32 terms, then added over the lanes, then
// to float64: at most GROUP_VECTORS + 4 roundings of 2⁻²⁴ relative to Σ|yᵏ| of the
// group, and typically a third of one, which averages out over groups. Rounding y
// itself, and its powers, adds at most 4 to a fourth power.
static inline TARGET __attribute__((always_inline)) bool
KERNEL(summarize_group)(const float *x, const float *inverse_norms, struct native_direction *d,
                        struct limits l, bool cosine, bool absolute) {
	vector zero = spread(0);
	struct powers y = {zero, zero, zero, zero};
	vector scale = spread(d->plain_scale), offset = spread(d->plain_offset);
	vector lowest = load(x), highest = lowest;
#pragma GCC unroll 4
	for (int j = 0; j < GROUP_VECTORS; j++) {
		vector product = load(x + j * VECTOR_FLOATS);
		lowest = smaller(lowest, product);
		highest = larger(highest, product);
		add_powers(&y, multiply_add(product, scale, offset));
	}
	add_totals(d->sums, y.first, y.second, y.third, y.fourth);
	if (absolute) {
		vector magnitudes = zero, shift = spread(d->magnitude_shift), minus = spread(-1);
#pragma GCC unroll 4
		for (int j = 0; j < GROUP_VECTORS; j++) {
			vector weight = multiply_add(load(x + j * VECTOR_FLOATS), scale, shift);
			magnitudes = add(magnitudes, larger(weight, multiply(weight, minus)));
		}
		add_totals(d->magnitudes, magnitudes, zero, zero, zero);
	}
	if (cosine) {
		struct powers z = {zero, zero, zero, zero};
		scale = spread(d->cosine_scale);
		vector shift = spread(d->cosine_shift);
		offset = spread(d->cosine_offset);
#pragma GCC unroll 4
		for (int j = 0; j < GROUP_VECTORS; j++) {
			vector weight = multiply_add(load(x + j * VECTOR_FLOATS), scale, shift);
			add_powers(&z, multiply_add(weight, load(inverse_norms + j * VECTOR_FLOATS), offset));
		}
		add_totals(d->sums + 4, z.first, z.second, z.third, z.fourth);
	}
	return (at_least(highest, spread(l.high)) | at_least(spread(l.low), lowest)) != 0;
}

// offer_group offers the products outside the limits to the shortlists.
static TARGET void KERNEL(offer_group)(const struct native_panels *p, const struct native_block *b,
                                       int64_t row, int64_t first, const float *x, struct limits l) {
	// A word of bits at a time costs fewer mispredicted branches than a vector.
	for (int start = 0; start < GROUP_TOKENS; start += 64) {
		uint64_t above = 0, below = 0;
		for (int j = 0; j < 64; j += VECTOR_FLOATS) {
			vector products = load(x + start + j);
			above |= (uint64_t)at_least(products, spread(l.high)) << j;
			below |= (uint64_t)at_least(spread(l.low), products) << j;
		}
		for (; above != 0; above &= above - 1) {
			int j = start + __builtin_ctzll(above);
			native_offer_top(p, b, row, first + j, x[j]);
		}
		for (; below != 0; below &= below - 1) {
			int j = start + __builtin_ctzll(below);
			native_offer_bottom(p, b, row, first + j, x[j]);
		}
	}
}

// summarize_part does the same for a group that the tokens do not fill.
static void KERNEL(summarize_part)(const struct native_panels *p, const struct native_block *b,
                                   int64_t row, int64_t first, int64_t tokens, const float *x) {
	struct native_direction *d = &b->directions[row];
	for (int64_t j = 0; j < tokens; j++) {
		double y = (double)x[j] * d->plain_scale + d->plain_offset;
		double weight = (double)x[j] * d->cosine_scale + d->cosine_shift;
		double z = weight * p->inverse_norms[first + j] + d->cosine_offset;
		double power = 1, cosine_power = 1;
		d->magnitudes[0] += fabs((double)x[j] * d->plain_scale + d->magnitude_shift);
		for (int k = 0; k < 4; k++) {
			d->sums[k] += power *= y;
			d->sums[4 + k] += cosine_power *= z;
		}
		if (b->size > 0) {
			native_offer_top(p, b, row, first + j, x[j]);
			native_offer_bottom(p, b, row, first + j, x[j]);
		}
	}
}
