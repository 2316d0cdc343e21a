#include "native.h"

#include <math.h>

// raise adds a lower bound to the heap of the size highest, lowest at the root, and
// sets the floor once there are size.
static void raise(struct native_shortlist *l, double *heap, int64_t size, double bound) {
	int64_t i;
	if (l->leaders < size) {
		for (i = l->leaders++; i > 0 && heap[(i - 1) / 2] > bound; i = (i - 1) / 2) {
			heap[i] = heap[(i - 1) / 2];
		}
	} else {
		if (bound <= heap[0]) {
			return;
		}
		for (i = 0;;) {
			int64_t child = 2 * i + 1;
			if (child >= size) {
				break;
			}
			// Which child is lower is chance: added, it costs no mispredicted branch.
			child += child + 1 < size ? heap[child + 1] < heap[child] : 0;
			if (heap[child] >= bound) {
				break;
			}
			heap[i] = heap[child];
			i = child;
		}
	}
	heap[i] = bound;
	if (l->leaders == size) {
		l->floor = heap[0];
	}
}

static double error_bound(const struct native_panels *p, const struct native_direction *d, int64_t position) {
	return d->relative * p->norms[position] + d->absolute;
}

static void prune(const struct native_panels *p, const struct native_direction *d,
                  struct native_shortlist *l, struct native_candidate *list, double sign) {
	int32_t kept = 0;
	for (int32_t i = 0; i < l->candidates; i++) {
		if (sign * list[i].product + error_bound(p, d, list[i].position) >= l->floor) {
			list[kept++] = list[i];
		}
	}
	l->candidates = kept;
}

static void take(const struct native_panels *p, const struct native_block *b, const struct native_direction *d,
                 struct native_shortlist *l, int64_t list, double sign, struct native_candidate c) {
	double bound = error_bound(p, d, c.position);
	if (l->overflowed || sign * c.product + bound < l->floor) {
		return;
	}
	struct native_candidate *candidates = b->candidates + list * b->limit;
	raise(l, b->leaders + list * b->size, b->size, sign * c.product - bound);
	if (l->candidates == b->limit) {
		prune(p, d, l, candidates, sign);
		// A list that pruning leaves nearly full would be pruned at every token.
		if (l->candidates > b->limit * 3 / 4) {
			l->overflowed = true;
			l->candidates = 0;
			return;
		}
	}
	candidates[l->candidates++] = c;
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
		prune(p, d, &d->top, b->candidates + 2 * row * b->limit, 1);
		prune(p, d, &d->bottom, b->candidates + (2 * row + 1) * b->limit, -1);
	}
}
