#include "native.h"

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#if defined(__aarch64__)

#include "simd_neon.h"

#include "product.h"
#include "statistics.h"
#include "transform.h"
#include "measure.h"
#include "gather.h"
#include "tiles.h"
#include "sweep.h"

const struct native_kernel *native_neon(void) { return &kernel_neon; }

#else

const struct native_kernel *native_neon(void) { return NULL; }

#endif
