// The product of a block of directions with a group of tokens, in tiles of sums that registers hold,
// over the words of a simd_*.h.

// A group's part of d_model, 128·4·depth bytes, is to fill at most half of a 1 MiB L2: the next one is on
// its way into the rest. From 256 on, depths were equally fast to within noise.
enum { MOST_DEPTH = 768 };

// A tile of few directions: its sums, FEW_ROWS · PANEL_VECTORS, are as many as multiply-adds are under
// way at once, so that fewer would not be faster. What one direction takes is then the reading of the
// weights, where the zeros of a whole tile would take longer than that.
enum { FEW_ROWS = 4 };

// rows_of_tile adds Σ_k a[k][i]·w[k][j] over depth to out[i·GROUP_TOKENS + j], or writes
// it there when fresh, for the first rows i of a tile: a is [depth, TILE_ROWS], w [depth, PANEL_TOKENS].
// Every sum runs over k in ascending order, so it depends on its row and token alone, and not on rows.
//
// Meanwhile it asks for memory that later tiles will read, at ahead, ahead + step,
// …, one address for each k.
static inline TARGET __attribute__((always_inline)) void
KERNEL(rows_of_tile)(int rows, const float *a, const float *w, int64_t depth, bool fresh, float *out,
                     const char *ahead, int64_t step) {
	vector sums[TILE_ROWS][PANEL_VECTORS];
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			sums[i][j] = fresh ? spread(0) : load(out + i * GROUP_TOKENS + j * VECTOR_FLOATS);
		}
	}
	for (int64_t k = 0; k < depth; k++) {
		vector tokens[PANEL_VECTORS];
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			tokens[j] = load(w + j * VECTOR_FLOATS);
		}
#pragma GCC unroll 16
		for (int i = 0; i < rows; i++) {
			vector weight = spread(a[i]);
#pragma GCC unroll 4
			for (int j = 0; j < PANEL_VECTORS; j++) {
				sums[i][j] = multiply_add(weight, tokens[j], sums[i][j]);
			}
		}
		__builtin_prefetch(ahead, 0, 2);
		ahead += step;
		a += TILE_ROWS;
		w += PANEL_TOKENS;
	}
#pragma GCC unroll 16
	for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
		for (int j = 0; j < PANEL_VECTORS; j++) {
			store(out + i * GROUP_TOKENS + j * VECTOR_FLOATS, sums[i][j]);
		}
	}
}

static TARGET void KERNEL(tile)(const float *a, const float *w, int64_t depth, bool fresh, float *out,
                                const char *ahead, int64_t step) {
	KERNEL(rows_of_tile)(TILE_ROWS, a, w, depth, fresh, out, ahead, step);
}

static TARGET void KERNEL(tile_of_few)(const float *a, const float *w, int64_t depth, bool fresh, float *out,
                                       const char *ahead, int64_t step) {
	KERNEL(rows_of_tile)(FEW_ROWS, a, w, depth, fresh, out, ahead, step);
}

// sweep_group multiplies the block by one group. The group's part of d_model stays
// in L2 while every tile of directions passes over it; meanwhile the tiles ask for
// what comes next in weights.
static TARGET void KERNEL(sweep_group)(const struct native_panels *p, const struct native_block *b,
                                       int64_t group, float *out) {
	int64_t panels = panels_of(p, group, PANEL_TOKENS);
	int64_t tiles = (b->rows + TILE_ROWS - 1) / TILE_ROWS;
	const float *weights = weights_of(p, group), *packed = b->packed;
	for (int64_t from = 0; from < p->d_model; from += p->depth) {
		int64_t depth = p->d_model - from < p->depth ? p->d_model - from : p->depth;
		bool whole = depth == p->d_model, last = from + depth == p->d_model;
		// What follows in memory is the next part or group, of about the same size.
		const char *ahead = (const char *)(weights + panels * depth * PANEL_TOKENS);
		int64_t step = PANEL_TOKENS * (int64_t)sizeof(float) / tiles;
		for (int64_t t = 0; t < tiles; t++) {
			float *products = b->products + (whole ? 0 : t * TILE_ROWS * GROUP_TOKENS);
			bool few = b->rows - t * TILE_ROWS <= FEW_ROWS;
			for (int64_t i = 0; i < panels; i++) {
				(few ? KERNEL(tile_of_few) : KERNEL(tile))(packed, weights + i * depth * PANEL_TOKENS, depth, from == 0,
				                                           products + i * PANEL_TOKENS, ahead, step);
				ahead += depth * step;
			}
			packed += depth * TILE_ROWS;
			if (last) {
				int64_t row = t * TILE_ROWS, end = row + TILE_ROWS < b->rows ? row + TILE_ROWS : b->rows;
				KERNEL(gather_rows)(p, b, group, row, end, products, out);
			}
		}
		weights += panels * depth * PANEL_TOKENS;
	}
}

// direction_floats and scratch_floats: see native.h.
static int64_t KERNEL(direction_floats)(int64_t d_model, int64_t depth) {
	(void)depth;
	return d_model;
}

static int64_t KERNEL(scratch_floats)(int64_t depth) {
	(void)depth;
	return 0;
}

// pack_directions: see native.h. They are packed as [part of d_model][tile][depth of the part][TILE_ROWS].
static void KERNEL(pack_directions)(const float *directions, int64_t rows, int64_t d_model, int64_t depth, float *out) {
	for (int64_t from = 0; from < d_model; from += depth) {
		int64_t values = d_model - from < depth ? d_model - from : depth;
		for (int64_t row = 0; row < rows; row += TILE_ROWS) {
			native_pack(directions + row * d_model + from, rows - row < TILE_ROWS ? rows - row : TILE_ROWS, d_model, values, out, TILE_ROWS);
			out += values * TILE_ROWS;
		}
	}
}
