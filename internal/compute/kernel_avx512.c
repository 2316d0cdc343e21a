#include "native.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__x86_64__)

#include "simd_avx512.h"

#include "product.h"
#include "statistics.h"
#include "transform.h"
#include "measure.h"
#include "gather.h"
#include "tiles.h"
#include "sweep.h"

const struct native_kernel *native_avx512(void) { return &kernel_avx512; }

#else

const struct native_kernel *native_avx512(void) { return NULL; }

#endif
