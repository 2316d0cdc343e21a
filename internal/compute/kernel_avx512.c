#include "native.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)

#include "simd_avx512.h"

#include "product.h"
#include "statistics.h"
#include "sweep.h"

const struct native_kernel *native_avx512(void) {
	bool supported = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq");
	return supported ? &kernel_avx512 : NULL;
}

#else

const struct native_kernel *native_avx512(void) { return NULL; }

#endif
