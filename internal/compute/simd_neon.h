// NEON of 64-bit ARM in the words of product.h and statistics.h.
#include <arm_neon.h>

#define KERNEL(name) name##_neon
#define TARGET

// 18 sums, 2 vectors of tokens and 9 weights, which are loaded before any is used,
// fill 29 of 32 registers.
enum { VECTOR_FLOATS = 4, TILE_ROWS = 9, PANEL_VECTORS = 2 };

typedef float32x4_t vector;
typedef float64x2_t wide;
enum { WIDE_DOUBLES = 2 };

#define SIMD static inline __attribute__((always_inline))

SIMD vector load(const float *p) { return vld1q_f32(p); }
SIMD void store(float *p, vector a) { vst1q_f32(p, a); }
SIMD vector spread(float a) { return vdupq_n_f32(a); }
SIMD vector add(vector a, vector b) { return vaddq_f32(a, b); }
SIMD vector multiply(vector a, vector b) { return vmulq_f32(a, b); }
SIMD vector multiply_add(vector a, vector b, vector c) { return vfmaq_f32(c, a, b); }
SIMD vector smaller(vector a, vector b) { return vminq_f32(a, b); }
SIMD vector larger(vector a, vector b) { return vmaxq_f32(a, b); }

// multiply_add_wide returns a[i]·b[i] + c[i] in float64.
SIMD wide multiply_add_wide(const float *a, const float *b, wide c) {
	return vfmaq_f64(c, vcvt_f64_f32(vld1_f32(a)), vcvt_f64_f32(vld1_f32(b)));
}

// transpose makes the i-th of VECTOR_FLOATS vectors of the i-th values of all.
SIMD void transpose(vector rows[4]) {
	float32x4x2_t a = vtrnq_f32(rows[0], rows[1]), b = vtrnq_f32(rows[2], rows[3]);
	rows[0] = vcombine_f32(vget_low_f32(a.val[0]), vget_low_f32(b.val[0]));
	rows[1] = vcombine_f32(vget_low_f32(a.val[1]), vget_low_f32(b.val[1]));
	rows[2] = vcombine_f32(vget_high_f32(a.val[0]), vget_high_f32(b.val[0]));
	rows[3] = vcombine_f32(vget_high_f32(a.val[1]), vget_high_f32(b.val[1]));
}

// widen returns a[0], … in float64.
SIMD wide widen(const float *a) { return vcvt_f64_f32(vld1_f32(a)); }

// at_least has bit i set where a[i] ≥ b[i].
SIMD uint32_t at_least(vector a, vector b) {
	const uint32_t bits[4] = {1, 2, 4, 8};
	return vaddvq_u32(vandq_u32(vcgeq_f32(a, b), vld1q_u32(bits)));
}

// add_totals adds the total of each of four vectors to out[0..3].
SIMD void add_totals(double *out, vector a, vector b, vector c, vector d) {
	float32x4_t totals = vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
	vst1q_f64(out, vaddq_f64(vld1q_f64(out), vcvt_f64_f32(vget_low_f32(totals))));
	vst1q_f64(out + 2, vaddq_f64(vld1q_f64(out + 2), vcvt_high_f64_f32(totals)));
}
