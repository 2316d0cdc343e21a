// NEON of 64-bit ARM in the words of product.h and statistics.h.
#include <arm_neon.h>

#define KERNEL(name) name##_neon
#define TARGET

// 24 sums, 4 vectors of tokens and 2 of broadcast weights fill 30 of 32 registers.
enum { VECTOR_FLOATS = 4, TILE_ROWS = 6, PANEL_VECTORS = 4 };

typedef float32x4_t vector;

#define SIMD static inline __attribute__((always_inline))

SIMD vector load(const float *p) { return vld1q_f32(p); }
SIMD void store(float *p, vector a) { vst1q_f32(p, a); }
SIMD vector spread(float a) { return vdupq_n_f32(a); }
SIMD vector add(vector a, vector b) { return vaddq_f32(a, b); }
SIMD vector multiply(vector a, vector b) { return vmulq_f32(a, b); }
SIMD vector multiply_add(vector a, vector b, vector c) { return vfmaq_f32(c, a, b); }
SIMD vector smaller(vector a, vector b) { return vminq_f32(a, b); }
SIMD vector larger(vector a, vector b) { return vmaxq_f32(a, b); }

// outside has bit i set where a[i] ≤ low or a[i] ≥ high.
SIMD uint32_t outside(vector a, vector low, vector high) {
	const uint32_t bits[4] = {1, 2, 4, 8};
	uint32x4_t lanes = vorrq_u32(vcleq_f32(a, low), vcgeq_f32(a, high));
	return vaddvq_u32(vandq_u32(lanes, vld1q_u32(bits)));
}

// add_totals adds the total of each of four vectors to out[0..3].
SIMD void add_totals(double *out, vector a, vector b, vector c, vector d) {
	float32x4_t totals = vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
	vst1q_f64(out, vaddq_f64(vld1q_f64(out), vcvt_f64_f32(vget_low_f32(totals))));
	vst1q_f64(out + 2, vaddq_f64(vld1q_f64(out + 2), vcvt_high_f64_f32(totals)));
}
