// The way of a block of directions through groups of tokens.

// summarize_rows takes the products of the rows [from, to) and one group's tokens.
static TARGET void KERNEL(summarize_rows)(const struct native_panels *p, const struct native_block *b,
                                          int64_t group, int64_t from, int64_t to, const float *products) {
	int64_t first = group * GROUP_TOKENS, tokens = p->tokens - first;
	const float *inverse_norms = p->inverse_norms + first;
	for (int64_t row = from; row < to; row++, products += GROUP_TOKENS) {
		struct native_direction *d = &b->directions[row];
		if (tokens < GROUP_TOKENS) {
			KERNEL(summarize_part)(p, b, row, first, tokens, products);
			continue;
		}
		struct limits l = {-INFINITY, INFINITY};
		if (b->size > 0) {
			l = limits_of(d, p->largest_norms[group]);
		}
		bool listed = b->absolute ? KERNEL(summarize_group)(products, inverse_norms, d, l, b->cosine, true)
		              : b->cosine ? KERNEL(summarize_group)(products, inverse_norms, d, l, true, false)
		                          : KERNEL(summarize_group)(products, inverse_norms, d, l, false, false);
		if (listed) {
			KERNEL(offer_group)(p, b, row, first, products, l);
		}
	}
}

// scale_rows multiplies a group's products by the factors [GROUP_TOKENS] of its tokens.
static TARGET void KERNEL(scale_rows)(const float *factors, int64_t rows, float *products) {
	for (int64_t row = 0; row < rows; row++, products += GROUP_TOKENS) {
		for (int j = 0; j < GROUP_TOKENS; j += VECTOR_FLOATS) {
			store(products + j, multiply(load(products + j), load(factors + j)));
		}
	}
}

static void KERNEL(copy_rows)(const struct native_panels *p, int64_t group, int64_t from, int64_t to,
                              const float *products, float *out) {
	int64_t first = group * GROUP_TOKENS, tokens = p->tokens - first;
	if (tokens > GROUP_TOKENS) {
		tokens = GROUP_TOKENS;
	}
	for (int64_t row = from; row < to; row++, products += GROUP_TOKENS) {
		memcpy(out + row * p->tokens + first, products, (size_t)tokens * sizeof(float));
	}
}

// sweep_group multiplies the block by one group. The group's part of d_model stays
// in L2 while every tile of directions passes over it; meanwhile the tiles ask for
// what comes next in weights.
static TARGET void KERNEL(sweep_group)(const struct native_panels *p, const struct native_block *b,
                                       int64_t group, float *out) {
	int64_t tokens = p->tokens - group * GROUP_TOKENS;
	int64_t panels = tokens < GROUP_TOKENS ? (tokens + PANEL_TOKENS - 1) / PANEL_TOKENS : GROUP_TOKENS / PANEL_TOKENS;
	int64_t tiles = (b->rows + TILE_ROWS - 1) / TILE_ROWS;
	const float *weights = p->weights + (group - p->first_group) * GROUP_TOKENS * p->d_model;
	const float *packed = b->packed;
	for (int64_t from = 0; from < p->d_model; from += p->depth) {
		int64_t depth = p->d_model - from < p->depth ? p->d_model - from : p->depth;
		bool whole = depth == p->d_model, last = from + depth == p->d_model;
		// What follows in memory is the next part or group, of about the same size.
		const char *ahead = (const char *)(weights + panels * depth * PANEL_TOKENS);
		int64_t step = PANEL_TOKENS * (int64_t)sizeof(float) / tiles;
		for (int64_t t = 0; t < tiles; t++) {
			float *products = b->products + (whole ? 0 : t * TILE_ROWS * GROUP_TOKENS);
			for (int64_t i = 0; i < panels; i++) {
				KERNEL(tile)(packed, weights + i * depth * PANEL_TOKENS, depth, from == 0,
				             products + i * PANEL_TOKENS, ahead, step);
				ahead += depth * step;
			}
			packed += depth * TILE_ROWS;
			if (!last) {
				continue;
			}
			int64_t row = t * TILE_ROWS, end = row + TILE_ROWS < b->rows ? row + TILE_ROWS : b->rows;
			if (p->factors != NULL) {
				KERNEL(scale_rows)(p->factors + group * GROUP_TOKENS, end - row, products);
			}
			if (b->directions != NULL) {
				KERNEL(summarize_rows)(p, b, group, row, end, products);
			}
			if (out != NULL) {
				KERNEL(copy_rows)(p, group, row, end, products, out);
			}
		}
		weights += panels * depth * PANEL_TOKENS;
	}
}

static void KERNEL(sweep)(const struct native_panels *p, const struct native_block *b,
                                 int64_t from, int64_t to, float *out) {
	for (int64_t group = from; group < to; group++) {
		KERNEL(sweep_group)(p, b, group, out);
	}
}

// summarize: see native.h.
static TARGET void KERNEL(summarize)(const struct native_panels *p, const struct native_block *b, const float *products) {
	for (int64_t first = 0; first < p->tokens; first += GROUP_TOKENS) {
		for (int64_t row = 0; row < b->rows; row++) {
			KERNEL(summarize_rows)(p, b, first / GROUP_TOKENS, row, row + 1, products + row * p->tokens + first);
		}
	}
}

static const struct native_kernel KERNEL(kernel) = {TILE_ROWS, PANEL_TOKENS, KERNEL(sweep), KERNEL(summarize), KERNEL(dots), KERNEL(measure),
                                                    KERNEL(measure_without), KERNEL(scale_row), KERNEL(pack), KERNEL(transform)};
