#include "native.h"

#include <math.h>

static double error_bound(const struct native_panels *p, const struct native_direction *d, int64_t position) {
	return d->relative * p->norms[position] + d->absolute;
}

// highest returns the size-th highest of n ≥ size values, which it overwrites; spare is as long.
// Where a value goes is chance: written to both ends and counted, it costs no mispredicted branch.
static double highest(double *values, double *spare, int64_t n, int64_t size) {
	for (;;) {
		double a = values[0], b = values[n / 2], c = values[n - 1];
		double middle = fmax(fmin(a, b), fmin(fmax(a, b), c));
		int64_t above = 0, below = 0;
		for (int64_t i = 0; i < n; i++) {
			double value = values[i];
			spare[above] = value;
			above += value > middle;
			spare[n - 1 - below] = value;
			below += value < middle;
		}
		double *rest = values;
		values = spare;
		spare = rest;
		if (size <= above) {
			n = above;
		} else if (size <= n - below) {
			return middle;
		} else {
			size -= n - below;
			values += n - below;
			n = below;
		}
	}
}

// narrow raises the floor of a list to its size-th highest lower bound, and drops the tokens
// whose upper bound is below. No token with one of the highest lower bounds has been dropped
// before, so these are the highest of all tokens that were offered.
static void narrow(const struct native_panels *p, const struct native_block *b, const struct native_direction *d,
                   struct native_shortlist *l, struct native_candidate *list, double sign) {
	if (l->overflowed || l->candidates < b->size) {
		return;
	}
	for (int32_t i = 0; i < l->candidates; i++) {
		b->bounds[i] = sign * list[i].product - error_bound(p, d, list[i].position);
	}
	l->floor = highest(b->bounds, b->bounds + b->limit, l->candidates, b->size);
	int32_t kept = 0;
	for (int32_t i = 0; i < l->candidates; i++) {
		struct native_candidate c = list[i];
		list[kept] = c;
		kept += sign * c.product + error_bound(p, d, c.position) >= l->floor;
	}
	l->candidates = kept;
}

// full_after is how many tokens are listed before a list of which kept are left is narrowed: rarely
// enough that it costs little, soon enough that few tokens above the floor are left, and never
// more than it has memory for.
static int32_t full_after(const struct native_block *b, int64_t kept) {
	int64_t full = kept + (b->size > 10 ? 3 * b->size : 32);
	return (int32_t)(full < b->limit ? full : b->limit);
}

static void take(const struct native_panels *p, const struct native_block *b, struct native_direction *d,
                 struct native_shortlist *l, int64_t list, double sign, struct native_candidate c) {
	if (l->overflowed || sign * c.product + error_bound(p, d, c.position) < l->floor) {
		return;
	}
	struct native_candidate *candidates = b->candidates + list * b->limit;
	candidates[l->candidates++] = c;
	if (l->full == 0) {
		l->full = full_after(b, b->size);
	}
	if (l->candidates < l->full) {
		return;
	}
	narrow(p, b, d, l, candidates, sign);
	// A list that is left nearly full would be narrowed at every token.
	if (l->candidates > b->limit * 3 / 4) {
		l->overflowed = true;
		l->candidates = 0;
		return;
	}
	l->full = full_after(b, l->candidates);
}

void native_offer_top(const struct native_panels *p, const struct native_block *b, int64_t row,
                      int64_t position, float product) {
	struct native_direction *d = &b->directions[row];
	take(p, b, d, &d->top, 2 * row, 1, (struct native_candidate){product, (int32_t)position});
}

void native_offer_bottom(const struct native_panels *p, const struct native_block *b, int64_t row,
                         int64_t position, float product) {
	struct native_direction *d = &b->directions[row];
	take(p, b, d, &d->bottom, 2 * row + 1, -1, (struct native_candidate){product, (int32_t)position});
}

void native_finish(const struct native_panels *p, const struct native_block *b) {
	for (int64_t row = 0; row < b->rows; row++) {
		struct native_direction *d = &b->directions[row];
		narrow(p, b, d, &d->top, b->candidates + 2 * row * b->limit, 1);
		narrow(p, b, d, &d->bottom, b->candidates + (2 * row + 1) * b->limit, -1);
	}
}
