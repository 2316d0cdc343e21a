// Plain loops that compilers turn into vector instructions: for the vectors of
// the processor at hand where the toolchain picks functions at load time (GCC on
// Linux), for the architecture's baseline elsewhere.

#include "convert.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORS
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "stored tensors are little endian, and so must the machine be"
#endif

static inline float as_float(uint32_t bits) {
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline uint32_t as_bits(float value) {
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static inline uint32_t half_at(const char *from, size_t i) {
	uint16_t half;
	memcpy(&half, from + 2 * i, sizeof half);
	return half;
}

// A bfloat16 is the upper half of a binary32.
VECTORS void saedb_from_bf16(float *to, const void *from, size_t n) {
	for (size_t i = 0; i < n; i++)
		to[i] = as_float(half_at(from, i) << 16);
}

// As Half in f16.go: exponent and fraction in binary32's places read as
// value · 2^-112, and one multiplication is exact. Infinities and NaN then get an
// exponent of all ones, by a mask and not a branch, which would stop vectors.
VECTORS void saedb_from_f16(float *to, const void *from, size_t n) {
	for (size_t i = 0; i < n; i++) {
		uint32_t half = half_at(from, i);
		uint32_t bits = as_bits(as_float((half & 0x7fff) << 13) * 0x1p112f);
		uint32_t special = -(uint32_t)((half & 0x7c00) == 0x7c00) & 0x7f800000;
		to[i] = as_float((half & 0x8000) << 16 | bits | special);
	}
}

// Rounded to nearest; what is beyond binary32 becomes infinite.
VECTORS void saedb_from_f64(float *to, const void *from, size_t n) {
	for (size_t i = 0; i < n; i++) {
		double value;
		memcpy(&value, (const char *)from + 8 * i, sizeof value);
		to[i] = (float)value;
	}
}

// NaN and infinities, and they alone, have an exponent of all ones.
VECTORS int saedb_all_finite(const float *values, size_t n) {
	uint32_t special = 0;
	for (size_t i = 0; i < n; i++)
		special |= (as_bits(values[i]) & 0x7f800000) == 0x7f800000;
	return !special;
}
