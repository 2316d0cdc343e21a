#include "native.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)

#include "simd_avx2.h"

#include "product.h"
#include "statistics.h"
#include "sweep.h"

const struct native_kernel *native_avx2(void) {
	bool supported = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	return supported ? &kernel_avx2 : NULL;
}

#else

const struct native_kernel *native_avx2(void) { return NULL; }

#endif
