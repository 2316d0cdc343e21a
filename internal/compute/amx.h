// The product of a block of directions with a group of tokens by AMX, whose tiles multiply bfloat16 and
// add in float32 (Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, TDPBF16PS).
//
// A float32 x is the sum of three bfloat16: h, x rounded, m, what is left, rounded, and l, what is left
// then. Of the nine products of two such sums six are taken; the other three are below 2^-23 of the
// product together. A core makes 16 times as many products of bfloat16 as AVX-512 makes of float32, so
// that six take less than half the time of one, and three a quarter, for tokens that are bfloat16
// themselves, whose m and l are zero and are left out.
//
// The small products of a chunk of d_model are added up first, then the large ones, and chunks one by
// one: a sum depends on its row and token alone, and rounds less often than one chain of products would.

enum {
	STEP = 32,                                  // values of d_model that an instruction takes
	TILE_BYTES = 1024,                          // 16 rows of 64 bytes
	PLANE_BYTES = 2 * TILE_BYTES,               // of 32 rows or tokens
	STEP_BYTES = 3 * PLANE_BYTES,               // h, m and l of 32 rows or tokens
	STEP_FLOATS = STEP_BYTES / sizeof(float),
	CHUNK_STEPS = 4,                            // whose directions, 24 KiB, stay in L1
	// The bfloat16 of a group, of a block of 256 directions, and the group that is next fill most of L2.
	MOST_DEPTH = 256
};

static int64_t KERNEL(steps)(int64_t depth) { return (depth + STEP - 1) / STEP; }

// direction_floats and scratch_floats: see native.h. A sweep holds the bfloat16 of a group.
static int64_t KERNEL(direction_floats)(int64_t d_model, int64_t depth) {
	int64_t whole = d_model / depth, rest = d_model % depth;
	return (whole * KERNEL(steps)(depth) + KERNEL(steps)(rest)) * (STEP_FLOATS / TILE_ROWS);
}

static int64_t KERNEL(scratch_floats)(int64_t depth) {
	return GROUP_TOKENS / PANEL_TOKENS * KERNEL(steps)(depth) * STEP_FLOATS;
}

// split makes h, m and l of x, as float32 whose lower 16 bits are zero.
SIMD void split(vector x, __m512i parts[3]) {
	const __m512i half = _mm512_set1_epi32(0x8000), upper = _mm512_set1_epi32((int)0xffff0000);
#pragma GCC unroll 3
	for (int i = 0; i < 3; i++) {
		parts[i] = _mm512_and_si512(_mm512_add_epi32(_mm512_castps_si512(x), half), upper);
		x = _mm512_sub_ps(x, _mm512_castsi512_ps(parts[i])); // exact
	}
}

// pack_directions: see native.h. They are packed as [part of d_model][tile][step][h, m and l][two halves
// of the rows][16 rows][STEP].
static TARGET void KERNEL(pack_directions)(const float *directions, int64_t rows, int64_t d_model, int64_t depth, float *out) {
	char *to = (char *)out;
	for (int64_t from = 0; from < d_model; from += depth) {
		int64_t end = from + depth < d_model ? from + depth : d_model;
		for (int64_t first = 0; first < rows; first += TILE_ROWS) {
			for (int64_t k = from; k < end; k += STEP, to += STEP_BYTES) {
				for (int64_t row = 0; row < TILE_ROWS; row++) {
					for (int half = 0; half < 2; half++) {
						int64_t values = first + row < rows ? end - k - 16 * half : 0;
						__mmask16 there = values >= 16 ? 0xffff : values > 0 ? (__mmask16)((1u << values) - 1) : 0;
						__m512i parts[3];
						split(_mm512_maskz_loadu_ps(there, directions + (there ? (first + row) * d_model + k + 16 * half : 0)), parts);
						for (int i = 0; i < 3; i++) {
							__m256i narrow = _mm512_cvtepi32_epi16(_mm512_srli_epi32(parts[i], 16));
							_mm256_storeu_si256((__m256i *)(to + i * PLANE_BYTES + row * 64 + half * 32), narrow);
						}
					}
				}
			}
		}
	}
}

// split_group writes a group's part of d_model as [panel][step][h, m and l][two halves of the tokens]
// [16 pairs of d_model][16 tokens][2], and returns how many of h, m and l are not zero everywhere.
static TARGET int KERNEL(split_group)(const float *weights, int64_t panels, int64_t depth, char *to) {
	__m512i some[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
	for (int64_t panel = 0; panel < panels; panel++, weights += depth * PANEL_TOKENS) {
		for (int64_t k = 0; k < depth; k += STEP, to += STEP_BYTES) {
			for (int64_t pair = 0; pair < STEP / 2; pair++) {
				int64_t at = k + 2 * pair;
				for (int half = 0; half < 2; half++) {
					const float *from = weights + at * PANEL_TOKENS + half * VECTOR_FLOATS;
					__m512i even[3], odd[3];
					split(at < depth ? load(from) : spread(0), even);
					split(at + 1 < depth ? load(from + PANEL_TOKENS) : spread(0), odd);
#pragma GCC unroll 3
					for (int i = 0; i < 3; i++) {
						__m512i both = _mm512_or_si512(_mm512_srli_epi32(even[i], 16), odd[i]);
						some[i] = _mm512_or_si512(some[i], both);
						_mm512_storeu_si512(to + i * PLANE_BYTES + half * TILE_BYTES + pair * 64, both);
					}
				}
			}
		}
	}
	return _mm512_test_epi32_mask(some[2], some[2]) ? 3 : _mm512_test_epi32_mask(some[1], some[1]) ? 2 : 1;
}

// Tiles 0 to 3 are sums, of two halves of the rows by two halves of the tokens; 4 and 5 are rows, 6 and
// 7 tokens. The compilers' own functions take no offset, and some keep an address for each.
#define LOAD_TILE(tile, from, offset) \
	__asm__ volatile("tileloadd %c2(%0,%1,1), %%tmm" #tile ::"r"(from), "r"((int64_t)64), "i"(offset))
#define LOAD_ROWS(from, offset) \
	do { \
		LOAD_TILE(4, from, offset); \
		if (both) { \
			LOAD_TILE(5, from, (offset) + TILE_BYTES); \
		} \
	} while (0)
#define LOAD_TOKENS(from, offset) \
	do { \
		LOAD_TILE(6, from, offset); \
		LOAD_TILE(7, from, (offset) + TILE_BYTES); \
	} while (0)
#define MULTIPLY() \
	do { \
		_tile_dpbf16ps(0, 4, 6); \
		_tile_dpbf16ps(1, 4, 7); \
		if (both) { \
			_tile_dpbf16ps(2, 5, 6); \
			_tile_dpbf16ps(3, 5, 7); \
		} \
	} while (0)

// chunk adds the products of a chunk of d_model to out [TILE_ROWS, GROUP_TOKENS], or writes them there
// when fresh. parts is how many of h, m and l the tokens have, both whether there are more than 16 rows.
static inline TARGET __attribute__((always_inline)) void
KERNEL(chunk)(const char *rows, const char *tokens, int64_t steps, int parts, bool both, bool fresh, float *out) {
	// H, M and L are where h, m and l of 32 rows or tokens lie.
	enum { H = 0, M = PLANE_BYTES, L = 2 * PLANE_BYTES };
	const char *a = rows, *w = tokens;
	_tile_zero(0);
	_tile_zero(1);
	_tile_zero(2);
	_tile_zero(3);
#pragma GCC unroll 1
	for (int64_t i = 0; i < steps; i++) {
		LOAD_ROWS(a, L);
		LOAD_TOKENS(w, H);
		MULTIPLY();
		LOAD_ROWS(a, M);
		MULTIPLY();
		if (parts > 1) {
			LOAD_TOKENS(w, M);
			MULTIPLY();
			LOAD_ROWS(a, H);
			MULTIPLY();
		}
		if (parts > 2) {
			LOAD_TOKENS(w, L);
			MULTIPLY();
		}
		a += STEP_BYTES;
		w += STEP_BYTES;
	}
#pragma GCC unroll 1
	for (int64_t i = 0; i < steps; i++) {
		a -= STEP_BYTES;
		w -= STEP_BYTES;
		LOAD_ROWS(a, H);
		LOAD_TOKENS(w, H);
		MULTIPLY();
	}
	float sums[TILE_ROWS * PANEL_TOKENS] __attribute__((aligned(64)));
	float *to = fresh ? out : sums;
	int64_t width = fresh ? GROUP_TOKENS : PANEL_TOKENS, stride = width * (int64_t)sizeof(float);
	_tile_stored(0, to, stride);
	_tile_stored(1, to + 16, stride);
	if (both) {
		_tile_stored(2, to + 16 * width, stride);
		_tile_stored(3, to + 16 * width + 16, stride);
	}
	if (fresh) {
		return;
	}
	for (int i = 0; i < (both ? TILE_ROWS : TILE_ROWS / 2); i++) {
		for (int j = 0; j < PANEL_TOKENS; j += VECTOR_FLOATS) {
			float *total = out + i * GROUP_TOKENS + j;
			store(total, add(load(total), load(sums + i * PANEL_TOKENS + j)));
		}
	}
}

// What LDTILECFG reads.
struct tile_configuration {
	uint8_t palette, start_row, reserved[14];
	uint16_t row_bytes[16];
	uint8_t rows[16];
};

// sweep_group multiplies the block by one group, whose bfloat16 stay in L2 while every tile of directions
// passes over it.
static TARGET void KERNEL(sweep_group)(const struct native_panels *p, const struct native_block *b,
                                       int64_t group, float *out) {
	struct tile_configuration configuration = {.palette = 1};
	for (int i = 0; i < 8; i++) {
		configuration.row_bytes[i] = 64;
		configuration.rows[i] = 16;
	}
	_tile_loadconfig(&configuration);
	int64_t panels = panels_of(p, group, PANEL_TOKENS), tiles = (b->rows + TILE_ROWS - 1) / TILE_ROWS;
	const float *weights = weights_of(p, group);
	const char *packed = (const char *)b->packed;
	for (int64_t from = 0; from < p->d_model; from += p->depth) {
		int64_t depth = p->d_model - from < p->depth ? p->d_model - from : p->depth, steps = KERNEL(steps)(depth);
		bool whole = depth == p->d_model, last = from + depth == p->d_model;
		char *tokens = (char *)b->scratch;
		int parts = KERNEL(split_group)(weights, panels, depth, tokens);
		__asm__ volatile("" ::: "memory"); // tiles are loaded from what is written
		// What follows in memory is the next part or group, of about the same size: each chunk asks for a share.
		const char *ahead = (const char *)(weights + panels * depth * PANEL_TOKENS);
		int64_t chunks = (steps + CHUNK_STEPS - 1) / CHUNK_STEPS;
		int64_t share = depth * PANEL_TOKENS * (int64_t)sizeof(float) / (tiles * chunks);
		for (int64_t t = 0; t < tiles; t++, packed += steps * STEP_BYTES) {
			float *products = b->products + (whole ? 0 : t * TILE_ROWS * GROUP_TOKENS);
			for (int64_t first = 0; first < steps; first += CHUNK_STEPS) {
				int64_t n = steps - first < CHUNK_STEPS ? steps - first : CHUNK_STEPS;
				const char *rows = packed + first * STEP_BYTES;
				for (int64_t i = 0; i < panels; i++) {
					const char *panel = tokens + (i * steps + first) * STEP_BYTES;
					float *to = products + i * PANEL_TOKENS;
					bool fresh = from == 0 && first == 0;
					for (int64_t line = 0; line < share; line += 64) {
						__builtin_prefetch(ahead + line, 0, 2);
					}
					ahead += share;
					if (b->rows - t * TILE_ROWS <= TILE_ROWS / 2) {
						KERNEL(chunk)(rows, panel, n, parts, false, fresh, to);
					} else if (parts == 1) {
						KERNEL(chunk)(rows, panel, n, 1, true, fresh, to);
					} else {
						KERNEL(chunk)(rows, panel, n, parts, true, fresh, to);
					}
				}
			}
			if (last) {
				int64_t row = t * TILE_ROWS, end = row + TILE_ROWS < b->rows ? row + TILE_ROWS : b->rows;
				KERNEL(gather_rows)(p, b, group, row, end, products, out);
			}
		}
		weights += panels * depth * PANEL_TOKENS;
	}
	_tile_release();
}
