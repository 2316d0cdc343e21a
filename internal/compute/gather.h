// What becomes of a tile of products, over the words of a simd_*.h.

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

// gather_rows takes the finished products of the rows [from, to) and one group's tokens: it scales them,
// adds them to what directions ask for, and unless out is NULL copies them there.
static TARGET void KERNEL(gather_rows)(const struct native_panels *p, const struct native_block *b,
                                       int64_t group, int64_t from, int64_t to, float *products, float *out) {
	if (p->factors != NULL) {
		KERNEL(scale_rows)(p->factors + group * GROUP_TOKENS, to - from, products);
	}
	if (b->directions != NULL) {
		KERNEL(summarize_rows)(p, b, group, from, to, products);
	}
	if (out != NULL) {
		KERNEL(copy_rows)(p, group, from, to, products, out);
	}
}
