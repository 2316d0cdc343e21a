// The way of a block of directions through groups of tokens, and a kernel's entry points.

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

static const struct native_kernel KERNEL(kernel) = {
	.tile_rows = TILE_ROWS,
	.panel_tokens = PANEL_TOKENS,
	.most_depth = MOST_DEPTH,
	.direction_floats = KERNEL(direction_floats),
	.scratch_floats = KERNEL(scratch_floats),
	.pack_directions = KERNEL(pack_directions),
	.sweep = KERNEL(sweep),
	.summarize = KERNEL(summarize),
	.dots = KERNEL(dots),
	.measure = KERNEL(measure),
	.measure_without = KERNEL(measure_without),
	.scale_row = KERNEL(scale_row),
	.pack = KERNEL(pack),
	.transform = KERNEL(transform),
};
