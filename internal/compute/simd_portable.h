// Any processor in the words of product.h and statistics.h, by the vector types of
// GCC and Clang: four floats, which both break down to what there is.
#define KERNEL(name) name##_portable
#define TARGET

// 8 sums, 2 vectors of tokens and a broadcast weight: 11 of the 16 registers that
// 64-bit x86 has at least; multiplication without a fused sum takes more.
enum { VECTOR_FLOATS = 4, TILE_ROWS = 4, PANEL_VECTORS = 2 };

typedef float vector __attribute__((vector_size(16)));
typedef int32_t lanes __attribute__((vector_size(16)));
typedef double wide __attribute__((vector_size(16)));
enum { WIDE_DOUBLES = 2 };

#define SIMD static inline __attribute__((always_inline))

SIMD vector load(const float *p) {
	vector a;
	memcpy(&a, p, sizeof a);
	return a;
}

SIMD void store(float *p, vector a) { memcpy(p, &a, sizeof a); }
SIMD vector spread(float a) { return (vector){a, a, a, a}; }
SIMD vector add(vector a, vector b) { return a + b; }
SIMD vector multiply(vector a, vector b) { return a * b; }
SIMD vector multiply_add(vector a, vector b, vector c) { return a * b + c; }

// select takes a's lanes where mask is -1, and b's where it is 0.
SIMD vector select(lanes mask, vector a, vector b) {
	return (vector)((mask & (lanes)a) | (~mask & (lanes)b));
}

SIMD vector smaller(vector a, vector b) { return select(a < b, a, b); }
SIMD vector larger(vector a, vector b) { return select(a > b, a, b); }

// multiply_add_wide returns a[i]·b[i] + c[i] in float64.
SIMD wide multiply_add_wide(const float *a, const float *b, wide c) {
	return (wide){a[0], a[1]} * (wide){b[0], b[1]} + c;
}

// transpose makes the i-th of VECTOR_FLOATS vectors of the i-th values of all.
SIMD void transpose(vector rows[4]) {
	for (int i = 0; i < 4; i++) {
		for (int j = 0; j < i; j++) {
			float value = rows[i][j];
			rows[i][j] = rows[j][i];
			rows[j][i] = value;
		}
	}
}

// widen returns a[0], … in float64.
SIMD wide widen(const float *a) { return (wide){a[0], a[1]}; }

// at_least has bit i set where a[i] ≥ b[i].
SIMD uint32_t at_least(vector a, vector b) {
	lanes bits = (a >= b) & (lanes){1, 2, 4, 8};
	return (uint32_t)(bits[0] | bits[1] | bits[2] | bits[3]);
}

// add_totals adds the total of each of four vectors to out[0..3].
SIMD void add_totals(double *out, vector a, vector b, vector c, vector d) {
	out[0] += (a[0] + a[1]) + (a[2] + a[3]);
	out[1] += (b[0] + b[1]) + (b[2] + b[3]);
	out[2] += (c[0] + c[1]) + (c[2] + c[3]);
	out[3] += (d[0] + d[1]) + (d[2] + d[3]);
}
